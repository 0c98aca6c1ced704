import { createBody } from '../base/body.ts';
import { createFacts, HeaderList, type ProxyRequest, requestTarget } from '../base/message.ts';
import { compileRegexp } from '../base/regexp.ts';
import type { GoUrl } from '../base/url.ts';
import { FORWARDED_FIELDS, isForwardedField } from './forwarded-fields.ts';

export interface AuthRequestOptions {
  readonly trustForwardHeader?: boolean;
  readonly authRequestHeaders?: readonly string[];
  readonly preserveRequestMethod?: boolean;
  readonly authResponseHeaders?: readonly string[];
  readonly authResponseHeadersRegex?: string;
}

/** Fields of one hop, and those that speak of a body which the auth server does not get. Proxy-Authorization is for it. */
const HOP_BY_HOP = /^(?:connection|keep-alive|te|trailers?|transfer-encoding|upgrade|content-length)$/i;

/** Where a request has none: what Traefik's auth requests carry, so that filters in front of auth servers know it. */
const DEFAULT_USER_AGENT = 'Go-http-client/1.1';

/** Makes the question to the auth server out of a request. */
export function createAuthRequest(
  options: AuthRequestOptions,
): (request: ProxyRequest, address: GoUrl, body: Uint8Array | undefined) => ProxyRequest {
  const { trustForwardHeader: trust, authRequestHeaders = [], preserveRequestMethod = false } = options;
  const allowed = new Set([...authRequestHeaders, ...(trust ? FORWARDED_FIELDS : [])].map((name) => name.toLowerCase()));
  const all = authRequestHeaders.length === 0;
  return (request, address, body) => {
    const headers = passableFields(request.headers);
    if (trust === false) headers.filter((name) => !isForwardedField(name));
    if (!all) headers.filter((name) => allowed.has(name.toLowerCase()));
    if (trust === undefined) overwriteForwarded(headers, request);
    else completeForwarded(headers, request);
    const silent = trust !== undefined && all;
    if (!headers.has('User-Agent') && !silent) headers.append('User-Agent', DEFAULT_USER_AGENT);
    return {
      ...request,
      method: preserveRequestMethod ? request.method : 'GET',
      scheme: address.scheme as 'http' | 'https',
      host: address.host,
      path: address.path,
      query: address.query,
      headers,
      body: body === undefined ? undefined : createBody(body),
      upgrade: undefined,
      interim: undefined,
      facts: createFacts(request.facts.startedAt),
    };
  };
}

/** A copy without the fields of the hop, also those that Connection names. */
function passableFields(from: HeaderList): HeaderList {
  const headers = new HeaderList(from.raw.slice());
  const named = new Set(
    from
      .getAll('Connection')
      .join(',')
      .split(',')
      .map((token) => token.trim().toLowerCase()),
  );
  headers.filter((name) => !HOP_BY_HOP.test(name) && !named.has(name.toLowerCase()));
  return headers;
}

/** What an unset trustForwardHeader has always done: five fields are ours, the others pass. */
function overwriteForwarded(headers: HeaderList, request: ProxyRequest): void {
  if (request.clientAddress !== '') headers.set('X-Forwarded-For', request.clientAddress);
  headers.set('X-Forwarded-Proto', schemeOf(request));
  headers.set('X-Forwarded-Method', request.method);
  headers.set('X-Forwarded-Host', request.host);
  headers.set('X-Forwarded-Uri', requestTarget(request));
}

/** Adds what is missing; the peer's address joins those that are there. */
function completeForwarded(headers: HeaderList, request: ProxyRequest): void {
  const prior = headers.getAll('X-Forwarded-For');
  if (request.clientAddress !== '') headers.set('X-Forwarded-For', [...prior, request.clientAddress].join(', '));
  const add = (name: string, value: string): void => {
    if (!headers.has(name)) headers.append(name, value);
  };
  add('X-Forwarded-Method', request.method);
  add('X-Forwarded-Proto', schemeOf(request));
  add('X-Forwarded-Port', portOf(request, headers.get('X-Forwarded-Proto')!));
  add('X-Forwarded-Host', request.host);
  add('X-Forwarded-Uri', requestTarget(request));
}

const schemeOf = ({ tls }: ProxyRequest): string => (tls === undefined ? 'http' : 'https');

function portOf({ host, tls }: ProxyRequest, proto: string): string {
  const port = /^(?:\[[^\]]*\]|[^:]*):(\d+)$/.exec(host)?.[1];
  return port ?? (proto === 'https' || proto === 'wss' || tls !== undefined ? '443' : '80');
}

/** Carries fields of a positive answer over to the request. What the client sent under these names is forged and goes. */
export function createAuthResult({
  authResponseHeaders = [],
  authResponseHeadersRegex = '',
}: AuthRequestOptions): (request: HeaderList, answer: HeaderList) => void {
  const expression = authResponseHeadersRegex === '' ? undefined : compileRegexp(authResponseHeadersRegex);
  return (request, answer) => {
    for (const name of authResponseHeaders) {
      request.delete(name);
      for (const value of answer.getAll(name)) request.append(name, value);
    }
    if (expression === undefined) return;
    const matches = (name: string): boolean => expression.test(canonicalName(name));
    request.filter((name) => !matches(name));
    for (const [name, value] of answer) if (matches(name)) request.append(name, value);
  };
}

/** `x-user` as Go spells it, `X-User`: expressions heed case. */
const canonicalName = (name: string): string => name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
