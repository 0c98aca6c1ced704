import { createIpMatcher, parseCidr } from '../base/cidr.ts';
import { ConfigError } from '../base/errors.ts';
import type { HeaderList, ProxyRequest } from '../base/message.ts';

/** An entry point's `forwardedHeaders`. */
export interface ForwardedHeadersOptions {
  /** Every peer is trusted. */
  readonly insecure?: boolean | undefined;
  readonly trustedIPs?: readonly string[] | undefined;
  /** Headers that `Connection` may name and that are kept all the same. */
  readonly connection?: readonly string[] | undefined;
  /** X-Forwarded-For goes on without the peer's address. */
  readonly notAppendXForwardedFor?: boolean | undefined;
}

/** Ours to say; from a peer that is not trusted they are dropped, also when written with `_` for `-`. In small letters. */
const MANAGED = new Set([
  'x-forwarded-proto',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-forwarded-prefix',
  'x-forwarded-tls-client-cert',
  'x-forwarded-tls-client-cert-info',
  'x-real-ip',
]);

/**
 * Sets X-Forwarded-* and X-Real-Ip to what is known here, unless a trusted peer said it, and drops the headers that
 * `Connection` names. X-Forwarded-For gets the peer only when the request goes out (`outgoing.ts`).
 * `hostname` is what X-Forwarded-Server says. Throws ConfigError on a bad range.
 */
export function createForwardedHeaders(options: ForwardedHeadersOptions, hostname: string): (request: ProxyRequest) => void {
  const { insecure = false, trustedIPs = [], connection = [] } = options;
  for (const range of trustedIPs) {
    if (parseCidr(range) !== undefined) continue;
    throw new ConfigError('config.bad-value', `trustedIPs: '${range}' is no address and no network; write 10.0.0.1 or 10.0.0.0/8`);
  }
  const isTrusted = createIpMatcher(trustedIPs);
  const kept = new Set(connection.map((name) => name.toLowerCase()));

  return (request) => {
    const { headers } = request;
    const address = withoutZone(request.clientAddress);
    const isBelieved = insecure || isTrusted(address);
    if (!isBelieved) deleteForwardedHeaders(headers);
    const connection = headers.get('Connection');
    if (!isBelieved && (connection === undefined || connection === 'keep-alive')) {
      sayAll(request, address);
      if (connection === undefined) return;
      if (kept.size > 0 || headers.getAll('Connection').length > 1) return dropNamedByConnection(headers, kept);
      headers.delete('Connection');
      headers.delete('Keep-Alive');
      return;
    }
    if (hasNone(headers, 'X-Real-Ip')) headers.set('X-Real-Ip', address);
    if (hasNone(headers, 'X-Forwarded-Proto')) headers.set('X-Forwarded-Proto', protocolOf(request));
    if (hasNone(headers, 'X-Forwarded-Port')) headers.set('X-Forwarded-Port', portOf(request));
    if (hasNone(headers, 'X-Forwarded-Host') && request.host !== '') headers.set('X-Forwarded-Host', request.host);
    const chain = headers.getAll('X-Forwarded-For');
    if (chain.length > 0) headers.set('X-Forwarded-For', chain.join(', '));
    if (hostname !== '') headers.set('X-Forwarded-Server', hostname);
    dropNamedByConnection(headers, kept);
  };

  /** When nothing was said before there is nothing to look for: the usual case. */
  function sayAll(request: ProxyRequest, address: string): void {
    const { raw } = request.headers;
    raw.push('X-Real-Ip', address, 'X-Forwarded-Proto', request.scheme, 'X-Forwarded-Port', portOf(request));
    if (request.host !== '') raw.push('X-Forwarded-Host', request.host);
    if (hostname !== '') raw.push('X-Forwarded-Server', hostname);
  }
}

const hasNone = (headers: HeaderList, name: string): boolean => (headers.get(name) ?? '') === '';

/** Drops all that says where the request came from. */
export function deleteForwardedHeaders(headers: HeaderList): void {
  const { raw } = headers;
  for (let i = 0; i < raw.length; i += 2) {
    if (!isManaged(raw[i]!)) continue;
    headers.filter((name) => !isManaged(name));
    return;
  }
}

function isManaged(name: string): boolean {
  // All of them begin with x, most headers do not.
  if ((name.charCodeAt(0) | 0x20) !== 0x78) return false;
  return MANAGED.has(name.toLowerCase().replaceAll('_', '-'));
}

function protocolOf({ headers, scheme }: ProxyRequest): string {
  const websocket = hasToken(headers.get('Connection'), 'upgrade') && hasToken(headers.get('Upgrade'), 'websocket');
  if (websocket) return scheme === 'https' ? 'wss' : 'ws';
  return scheme;
}

/** The port of the Host header, else the one of the scheme; never the entry point's own (Traefik). */
function portOf({ headers, host, scheme }: ProxyRequest): string {
  const port = !host.includes(':') ? undefined : /^(?:\[[^[\]]*\]|[^:[\]]*):([^:[\]]+)$/.exec(host)?.[1];
  if (port !== undefined) return port;
  const forwarded = headers.get('X-Forwarded-Proto');
  return scheme === 'https' || forwarded === 'https' || forwarded === 'wss' ? '443' : '80';
}

/** True when the token stands in a list of them, in any letter case. */
function hasToken(list: string | undefined, token: string): boolean {
  return list?.split(',').some((part) => part.trim().toLowerCase() === token) ?? false;
}

function dropNamedByConnection(headers: HeaderList, kept: ReadonlySet<string>): void {
  const lists = headers.getAll('Connection');
  if (lists.length === 0) return;
  const upgrade = lists.some((list) => hasToken(list, 'upgrade')) ? headers.get('Upgrade') : undefined;
  const left: string[] = [];
  for (const name of lists.flatMap((list) => list.split(','))) {
    const token = name.trim();
    if (token === '' || isManaged(token)) continue;
    if (kept.has(token.toLowerCase())) left.push(token);
    else headers.delete(token);
  }
  if (upgrade !== undefined && upgrade !== '') {
    left.push('Upgrade');
    headers.set('Upgrade', upgrade);
  }
  if (left.length > 0) headers.set('Connection', left.join(','));
  else headers.delete('Connection');
}

const withoutZone = (address: string): string => {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
};
