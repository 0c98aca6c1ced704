import { fromBase64, toBase64 } from '../base/bytes.ts';
import { type HeaderList, type ProxyRequest, requestTarget, type TlsFacts } from '../base/message.ts';

/** The one URL path under which agents answer the edge. */
export const RELAY_PATH = '/.edgeway/relay';

/** All fields of edge and agent begin so; from clients and servers they are dropped. */
export const EDGEWAY_FIELDS = 'edgeway-';

/** Fields of a request to a relay. They count only beside a valid grant. */
export const ENVELOPE = {
  grant: 'edgeway-grant',
  target: 'edgeway-target',
  host: 'edgeway-host',
  /** The method, when another one stands in the request line: `fetch` sends no GET or HEAD with a body that was read before. */
  method: 'edgeway-method',
  /** Address (`-` when unknown), port and protocol of the client, as `203.0.113.7 40312 HTTP/2.0`. */
  client: 'edgeway-client',
  scheme: 'edgeway-scheme',
  /** Version and cipher of the client's TLS; then its verified certificates, Base64 of DER, leaf first. */
  tls: 'edgeway-tls',
  /** The router that took the request at the edge, for logs and numbers. */
  router: 'edgeway-router',
  /** Fields that `fetch` and the way to the agent change, as the client and the edge meant them: name=value&…, percent-encoded. */
  fields: 'edgeway-fields',
} as const;

/** Fields that travel in `ENVELOPE.fields`; what a relay finds of them outside was put there on the way. */
const CARRIED = /^(?:x-forwarded-.*|x-real-ip|forwarded|accept-encoding|cache-control|pragma|cf-.*|cdn-loop|via|te)$/i;

/** Fields of a relay's answer; one without `relay` did not come from a relay. */
export const RELAY_ANSWER = {
  /** The agent. */
  relay: 'edgeway-relay',
  /** How many servers of the service are healthy there. */
  healthy: 'edgeway-healthy',
  /** The request was not begun, and another site may take it, whatever its method: the reason. */
  retry: 'edgeway-retry',
} as const;

/**
 * Why a relay did not begin a request: it is about to stop; no server of the service is healthy; it has no such service or
 * router, or none that was published; it does not accept the grant.
 */
export type RetryReason = 'draining' | 'no-server' | 'unknown' | 'grant';

/** Claims of a grant: a JWT (EdDSA, `kid` in its header). Unknown claims are ignored. */
export interface GrantClaims {
  /** The agent, by its publisher id. */
  readonly aud: string;
  readonly kind: 'service' | 'router';
  /** Qualified name of the service or router there. */
  readonly name: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  /** At most 60 s after `iat`. */
  readonly exp: number;
}

export const GRANT_LIFETIME_S = 60;
export const GRANT_LEEWAY_S = 10;

/** What the envelope says of a request. */
export interface Envelope {
  readonly path: string;
  readonly query: string | undefined;
  readonly host: string;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  readonly method: string | undefined;
  readonly tls: TlsFacts | undefined;
  readonly router: string | undefined;
  /** Those of the carried fields that the request has. */
  readonly fields: readonly (readonly [string, string])[];
}

/** The envelope of a request, without the grant: name, value. */
export function formatEnvelope(request: ProxyRequest): [string, string][] {
  let carried = '';
  for (const [name, value] of request.headers) {
    if (isCarried(name)) carried += `${carried === '' ? '' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  }
  const fields: [string, string][] = [
    [ENVELOPE.target, escapeField(requestTarget(request))],
    [ENVELOPE.host, escapeField(request.host)],
    [ENVELOPE.client, `${request.clientAddress || '-'} ${request.clientPort} ${request.protocol}`],
    [ENVELOPE.scheme, request.scheme],
    [ENVELOPE.fields, carried],
  ];
  const { tls } = request;
  const { routerName } = request.facts;
  if (routerName !== undefined) fields.push([ENVELOPE.router, escapeField(routerName)]);
  if (tls !== undefined) fields.push([ENVELOPE.tls, [tls.version, tls.cipher, ...tls.clientCertificates.map(toBase64)].join(' ')]);
  return fields;
}

/** Undefined when a field is missing or malformed. */
export function parseEnvelope(headers: HeaderList): Envelope | undefined {
  const target = headers.get(ENVELOPE.target);
  const host = headers.get(ENVELOPE.host);
  const scheme = headers.get(ENVELOPE.scheme);
  const [, clientAddress, port, protocol] = /^(-|[0-9A-Fa-f.:]+) (\d{1,5}) (HTTP\/\d\.\d)$/.exec(headers.get(ENVELOPE.client) ?? '') ?? [];
  if (target === undefined || host === undefined || clientAddress === undefined) return undefined;
  if (scheme !== 'http' && scheme !== 'https') return undefined;
  try {
    const raw = unescapeField(target);
    const router = headers.get(ENVELOPE.router);
    const mark = raw.indexOf('?');
    return {
      path: mark === -1 ? raw : raw.slice(0, mark),
      query: mark === -1 ? undefined : raw.slice(mark + 1),
      host: unescapeField(host),
      clientAddress: clientAddress === '-' ? '' : clientAddress,
      clientPort: Number(port),
      protocol: protocol!,
      scheme,
      method: headers.get(ENVELOPE.method),
      tls: parseTls(headers.get(ENVELOPE.tls), unescapeField(host)),
      router: router === undefined ? undefined : unescapeField(router),
      fields: parseFields(headers.get(ENVELOPE.fields) ?? ''),
    };
  } catch {
    return undefined;
  }
}

/** The fields as the client and the edge meant them: what was changed on the way is put right, envelope and grant are gone. */
export function restoreFields(headers: HeaderList, envelope: Envelope): HeaderList {
  const restored = headers.clone();
  dropEdgewayFields(restored);
  restored.filter((name) => !isCarried(name));
  for (const [name, value] of envelope.fields) restored.append(name, value);
  return restored;
}

function parseTls(text: string | undefined, host: string): TlsFacts | undefined {
  if (text === undefined) return undefined;
  const [version = '', cipher = '', ...certificates] = text.split(' ');
  return { serverName: host.replace(/:\d*$/, ''), version, cipher, clientCertificates: certificates.map(fromBase64), options: 'default' };
}

function parseFields(text: string): [string, string][] {
  if (text === '') return [];
  return text.split('&').map((pair) => {
    const mark = pair.indexOf('=');
    return [decodeURIComponent(pair.slice(0, mark)), decodeURIComponent(pair.slice(mark + 1))];
  });
}

/** Whether the field travels in the envelope. */
export const isCarried = (name: string): boolean => CARRIED.test(name);

/** Drops every field that only edge and agent may set. */
export function dropEdgewayFields(headers: HeaderList): void {
  headers.filter((name) => name.length < EDGEWAY_FIELDS.length || name.slice(0, EDGEWAY_FIELDS.length).toLowerCase() !== EDGEWAY_FIELDS);
}

// A field value may hold no character beyond ASCII and no space at its ends; a target or host that does is marked by a leading `=`.
const escapeField = (text: string): string => (/^[!-~]*$/.test(text) && !text.startsWith('=') ? text : `=${encodeURIComponent(text)}`);
const unescapeField = (text: string): string => (text.startsWith('=') ? decodeURIComponent(text.slice(1)) : text);
