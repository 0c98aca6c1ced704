import { Cancellation, createFacts, type HeaderList, type ProxyRequest, type ProxyResponse, type RequestFacts } from '../base/message.ts';
import { dropEdgewayFields } from '../config/envelope.ts';
import { contentLength, StreamBody, toStream } from './body.ts';
import { fromHeaders, toHeaders } from './headers.ts';
import { type CfFacts, tlsFacts } from './tls-facts.ts';

/** The client's Request behind a record; facts are what all copies of a record share. */
const nativeRequests = new WeakMap<RequestFacts, Request>();

export const nativeHeaders = (request: ProxyRequest): Headers | undefined => nativeRequests.get(request.facts)?.headers;

/** The record of a request: raw target and Host as the runtime lets us see them; what only edge and agents may say is dropped. */
export function toRecord(request: Request, startedAt: number): ProxyRequest {
  const { method, headers: native } = request;
  const { scheme, authority, path, query } = splitUrl(request.url);
  const cf = (request.cf ?? {}) as CfFacts;
  const headers = fromHeaders(native);
  headers.delete('Host');
  dropEdgewayFields(headers);
  // Both choose the version of a gradual deployment: the operator's, not the client's, matter.
  headers.delete('Cloudflare-Workers-Version-Key');
  headers.delete('Cloudflare-Workers-Version-Overrides');
  // The runtime put its own in the place of the client's.
  if (cf.clientAcceptEncoding) headers.set('Accept-Encoding', cf.clientAcceptEncoding);
  else headers.delete('Accept-Encoding');
  const facts = createFacts(startedAt);
  nativeRequests.set(facts, request);
  return {
    method,
    path,
    query,
    host: sentHost(native.get('Host'), authority),
    protocol: protocolOf(cf.httpProtocol),
    scheme,
    headers,
    body: request.body === null ? undefined : new StreamBody(request.body, contentLength(native), 'client'),
    clientAddress: native.get('CF-Connecting-IP') ?? '',
    clientPort: 0,
    tls: scheme === 'https' ? tlsFacts(authority.replace(/:\d+$/, ''), cf) : undefined,
    entryPoint: scheme,
    upgrade: native.get('Upgrade') ?? undefined,
    cancellation: new Cancellation(),
    interim: undefined,
    facts,
  };
}

/** As text: `URL` would take an empty query for none. */
function splitUrl(url: string): { scheme: 'http' | 'https'; authority: string; path: string; query: string | undefined } {
  const scheme = url.startsWith('https:') ? 'https' : 'http';
  const rest = url.slice(scheme.length + 3);
  const slash = rest.indexOf('/');
  const target = rest.slice(slash);
  const mark = target.indexOf('?');
  return {
    scheme,
    authority: rest.slice(0, slash),
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? undefined : target.slice(mark + 1),
  };
}

/** The Host field keeps the client's letters and port, the URL decides which host it is. */
function sentHost(field: string | null, authority: string): string {
  const name = (host: string): string => host.toLowerCase().replace(/:\d*$/, '');
  return field !== null && name(field) === name(authority) ? field : authority;
}

/** `HTTP/2` is `HTTP/2.0` in records. */
const protocolOf = (protocol = 'HTTP/1.1'): string => (/^HTTP\/\d$/.test(protocol) ? `${protocol}.0` : protocol);

/** The runtime's Response behind an answer's fields. */
const nativeResponses = new WeakMap<HeaderList, Response>();

export const nativeResponse = (headers: HeaderList): Response | undefined => nativeResponses.get(headers);

/** The record of an answer. Opened by a middleware, the runtime decodes a compressed body, so its fields then say nothing of it. */
export function fromResponse(response: Response): ProxyResponse {
  const headers = fromHeaders(response.headers);
  nativeResponses.set(headers, response);
  const encoded = headers.has('Content-Encoding');
  const length = encoded ? undefined : contentLength(response.headers);
  const body =
    response.body === null
      ? undefined
      : new StreamBody(response.body as ReadableStream<Uint8Array>, length, 'server', encoded ? () => forgetCoding(headers) : undefined);
  return { status: response.status, headers, body, tunnel: response.webSocket == null ? undefined : response };
}

/** Makes the runtime decode the body on its way out. */
export function forgetCoding(headers: HeaderList): void {
  headers.delete('Content-Encoding');
  headers.delete('Content-Length');
}

const NO_BODY = new Set([101, 204, 205, 304]);

export function toResponse({ status, headers, body, tunnel }: ProxyResponse): Response {
  const init: ResponseInit = { status, headers: toHeaders(headers, nativeResponses.get(headers)?.headers, isSkipped) };
  if (status === 101 && tunnel instanceof Response) return new Response(null, { ...init, webSocket: tunnel.webSocket });
  if (NO_BODY.has(status)) {
    body?.discard();
    return new Response(null, init);
  }
  // Bytes of ours are in the coding that the fields name; a stream of the runtime is still in the one in which it came.
  const isOurs = !(body instanceof StreamBody) || body.stream.locked;
  return new Response(toStream(body), isOurs ? { ...init, encodeBody: 'manual' } : init);
}

/** The runtime frames messages itself. */
const isSkipped = (name: string): boolean => name === 'transfer-encoding' || name === 'connection' || name === 'keep-alive';
