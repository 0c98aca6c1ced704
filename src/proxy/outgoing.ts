import { HeaderList, type ProxyRequest, type ProxyResponse } from '../base/message.ts';

/** Connection's own fields (RFC 9110 §7.6.1 and what Go's proxy drops besides). */
const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The record that goes to a server: hop-by-hop fields away, Upgrade and TE: trailers kept where they are meant, the client's
 * address added to X-Forwarded-For. A copy, so that a second try starts from the same request.
 * `decode` tells that the server was offered gzip on our own account and its answer must be unpacked for the client.
 */
export function prepareOutgoing(
  request: ProxyRequest,
  passHostHeader: boolean,
  serverHost: string,
): { outgoing: ProxyRequest; decode: boolean } {
  const headers = new HeaderList(request.headers.raw.slice());
  const wantsTrailers = headers.has('Te') && headers.getAll('Te').some((value) => /(^|,)\s*trailers\s*(;|,|$)/i.test(value));
  headers.filter((name) => !isHopByHop(name));
  if (wantsTrailers) headers.append('Te', 'trailers');
  if (request.upgrade !== undefined) headers.append('Upgrade', request.upgrade);
  if (!request.omitForwardedFor) appendForwardedFor(headers, request.clientAddress);
  const decode = !headers.has('Accept-Encoding') && !headers.has('Range') && request.method !== 'HEAD' && request.upgrade === undefined;
  if (decode) headers.append('Accept-Encoding', 'gzip');
  return { outgoing: { ...request, headers, host: passHostHeader ? request.host : serverHost }, decode };
}

/** Length first: nearly all names are refused by it without a look at their letters. */
function isHopByHop(name: string): boolean {
  const { length } = name;
  if (length !== 2 && length !== 7 && (length < 10 || length > 19)) return false;
  return HOP_BY_HOP.has(name.toLowerCase());
}

function appendForwardedFor(headers: HeaderList, address: string): void {
  if (address === '') return;
  const before = headers.getAll('X-Forwarded-For');
  if (before.length === 0) headers.append('X-Forwarded-For', address);
  else headers.set('X-Forwarded-For', `${before.join(', ')}, ${address}`);
}

/** The server's answer without the fields of its connection. An upgrade keeps Connection and Upgrade. */
export function cleanResponse(response: ProxyResponse): ProxyResponse {
  if (response.status === 101) return response;
  const named = response.headers.getAll('Connection');
  if (named.length > 0) for (const name of named.join(',').split(',')) if (name.trim() !== '') response.headers.delete(name.trim());
  response.headers.filter((name) => !isHopByHop(name) || name.length === 7);
  return response;
}
