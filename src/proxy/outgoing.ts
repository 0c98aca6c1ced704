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
  const wantsTrailers = headers.has('Te') && headers.getAll('Te').some((value) => /(^|,)\s*trailers\s*(;|,|$)/i.test(value));
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
  if (named.length === 0 || (named.length === 1 && named[0]!.toLowerCase() === 'keep-alive')) return;
  for (const name of named.join(',').split(',')) if (name.trim() !== '') headers.delete(name.trim());
}

/** First letters of the names above by their length, as bits: nearly all names are refused by these without being changed to small letters. */
const FIRST_LETTERS = new Uint32Array(32);
const letterBit = (name: string): number => 1 << (name.charCodeAt(0) & 31);
for (const name of HOP_BY_HOP) FIRST_LETTERS[name.length]! |= letterBit(name);

const isHopByHop = (name: string): boolean =>
  name.length < 32 && (FIRST_LETTERS[name.length]! & letterBit(name)) !== 0 && HOP_BY_HOP.has(name.toLowerCase());

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
