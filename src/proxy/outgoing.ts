import { HeaderList, type ProxyRequest, type ProxyResponse } from '../base/message.ts';

/** Fields of a connection, not of a message (RFC 9110 §7.6.1, and what Go's proxy drops besides). */
const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
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
  const wantsTrailers = headers.getAll('Te').some((value) => /(^|,)\s*trailers\s*(;|,|$)/i.test(value));
  dropHopByHop(headers);
  if (wantsTrailers) headers.append('Te', 'trailers');
  // Only a chunked body has trailers to announce.
  if (request.body === undefined || request.body.length !== undefined) headers.delete('Trailer');
  if (request.upgrade !== undefined) headers.append('Upgrade', request.upgrade);
  if (headers.get('User-Agent') === '') headers.delete('User-Agent');
  if (!request.omitForwardedFor) appendForwardedFor(headers, request.clientAddress);
  const offersGzip = !headers.has('Accept-Encoding') && !headers.has('Range') && request.method !== 'HEAD';
  if (offersGzip) headers.append('Accept-Encoding', 'gzip');
  const host = passHostHeader && request.host !== '' ? request.host : serverHost;
  return { outgoing: { ...request, headers, host }, decode: offersGzip && request.upgrade === undefined };
}

/** Also what Connection names: middlewares may have been shown it (forwardedHeaders.connection), servers never are. */
function dropHopByHop(headers: HeaderList): void {
  const named = headers.getAll('Connection');
  headers.filter((name) => !isHopByHop(name));
  for (const name of named.join(',').split(',')) if (name.trim() !== '') headers.delete(name.trim());
}

/** Length first: nearly all names are refused by it without a look at their letters. */
function isHopByHop(name: string): boolean {
  const { length } = name;
  if (length !== 2 && length !== 7 && (length < 10 || length > 19)) return false;
  return HOP_BY_HOP.has(name.toLowerCase());
}

/** A client of ours (the edge, an error page's request) may have no address. */
function appendForwardedFor(headers: HeaderList, address: string): void {
  if (address === '') return;
  const before = headers.getAll('X-Forwarded-For');
  if (before.length === 0) headers.append('X-Forwarded-For', address);
  else headers.set('X-Forwarded-For', `${before.join(', ')}, ${address}`);
}

/** The server's answer without the fields of its connection. An upgrade keeps Connection and Upgrade. */
export function cleanResponse(response: ProxyResponse): ProxyResponse {
  if (response.status !== 101) dropHopByHop(response.headers);
  return response;
}
