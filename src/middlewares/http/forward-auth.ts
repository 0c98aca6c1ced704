import { createBody, textResponse } from '../../base/body.ts';
import { EMPTY, fromByteText } from '../../base/bytes.ts';
import { ClientError } from '../../base/errors.ts';
import type { Body, ProxyResponse } from '../../base/message.ts';
import { boolean, type Infer, integer, list, object, string } from '../../base/schema.ts';
import { formatUrl, type GoUrl, parseUrl, resolveUrl } from '../../base/url.ts';
import { createAuthRequest, createAuthResult } from '../auth-request.ts';
import { clientTlsFields, readClientTls } from '../client-tls.ts';
import { replaceCookies } from '../cookies.ts';
import { askForGzip, unpackGzip } from '../gzip-answer.ts';
import { defineMiddleware, type FetchTransport } from '../middleware.ts';

/** How long the auth server may take. */
const TIMEOUT_MS = 30_000;

const fieldNames = (summary: string) => list(string('A field name.'), summary);

const options = object(
  {
    address: string('URL of the auth server. Required.'),
    tls: object(
      { ...clientTlsFields, caOptional: boolean('Without effect.', { deprecated: 'a server decides on client certificates.' }) },
      'TLS towards the auth server.',
    ),
    trustForwardHeader: boolean(
      'True passes the request’s X-Forwarded-* fields on, false drops them all; absent overwrites Method, Proto, Host, Uri and For only.',
    ),
    authResponseHeaders: fieldNames('Fields of the auth server’s answer that replace those of the request.'),
    authResponseHeadersRegex: string('The same for all fields that match this RE2 expression.'),
    authRequestHeaders: fieldNames('Fields of the request that the auth server gets; all when empty.'),
    maxResponseBodySize: integer('A longer answer of the auth server is 401; -1 has no limit.'),
    addAuthCookiesToResponse: list(string('A cookie.'), 'Cookies of the auth server’s answer that are set on the response.'),
    headerField: string('Field of the auth server’s answer that names the user, for logs.'),
    forwardBody: boolean('Sends the body to the auth server too.'),
    maxBodySize: integer('A longer body with forwardBody is 401; -1 has no limit.', { default: -1 }),
    preserveLocationHeader: boolean('Leaves a relative Location of the auth server as it is.'),
    preserveRequestMethod: boolean('Asks with the request’s method instead of GET.'),
    authSigninURL: string('Redirects to this URL where the auth server says 401.'),
  },
  'forwardAuth',
);

export const forwardAuth = defineMiddleware({
  kind: 'forwardAuth',
  summary: 'Asks an auth server about every request: 2xx lets it pass, any other answer goes to the client.',
  options,
  edge: 'the auth server may be private to the agent',
  create(settings, context) {
    const { headerField = '', authSigninURL = '', forwardBody = false } = settings;
    const address = parseAddress(settings.address ?? '');
    if (typeof address === 'string')
      context.log.error('The address of the auth server is no URL, so all requests are answered 500', {
        address: settings.address,
        problem: address,
      });
    if (forwardBody && settings.maxBodySize < 0)
      context.log.warn('forwardBody holds whole requests in memory, and maxBodySize sets no limit');
    const transport: FetchTransport = {
      timeoutMs: TIMEOUT_MS,
      ...(settings.tls && readClientTls(settings.tls, 'tls', context.platform)),
    };
    const toAuthRequest = createAuthRequest(settings);
    const applyResult = createAuthResult(settings);
    const cookieNames = new Set(settings.addAuthCookiesToResponse);
    return async (request, next) => {
      if (typeof address === 'string') return textResponse(500, '');
      const body = forwardBody ? await takeBody(request.body, settings.maxBodySize) : undefined;
      if (typeof body === 'number') return textResponse(body, '');
      if (body !== undefined) request.body = createBody(body, request.body!.trailers());

      let answer: ProxyResponse;
      let content: Uint8Array | number | undefined;
      try {
        const question = toAuthRequest(request, address, body);
        const packed = askForGzip(question, context.platform);
        answer = await context.fetch(formatUrl(address), question, transport);
        if (packed) unpackGzip(answer, context.platform);
        content = await takeBody(answer.body, settings.maxResponseBodySize ?? -1);
      } catch (error) {
        context.log.error('Error calling the auth server', { address: settings.address, error });
        return textResponse(request.cancellation.cancelled ? 499 : 500, '');
      }
      if (typeof content === 'number') return textResponse(content, '');

      const user = headerField === '' ? undefined : answer.headers.get(headerField);
      if (user !== undefined) request.facts.clientUsername = fromByteText(user);
      if (answer.status === 401 && authSigninURL !== '') return textResponse(302, '', { headers: ['Location', authSigninURL] });
      if (answer.status < 200 || answer.status >= 300) return toRefusal(answer, content, address, settings);

      applyResult(request.headers, answer.headers);
      const response = await next(request);
      const cookies = answer.headers.getAll('Set-Cookie');
      if (cookies.length > 0) replaceCookies(response.headers, cookies, cookieNames);
      return response;
    };
  },
});

/** The address, or what is wrong with it. */
function parseAddress(text: string): GoUrl | string {
  if (text === '') return "'address' is empty";
  const url = parseUrl(text);
  if (typeof url === 'string') return url;
  if (url.scheme !== 'http' && url.scheme !== 'https') return `unsupported protocol scheme "${url.scheme}"`;
  return url.host === '' ? 'no Host in request URL' : url;
}

/** The whole body; 401 when it is larger than `limit` (-1 has none). */
async function takeBody(body: Body | undefined, limit: number): Promise<Uint8Array | 401 | undefined> {
  if (body === undefined) return undefined;
  try {
    return await body.bytes(limit < 0 ? Number.MAX_SAFE_INTEGER : limit);
  } catch (error) {
    if (error instanceof ClientError && error.code === 'client.too-large') return 401;
    throw error;
  }
}

const HOP_BY_HOP = /^(?:connection|keep-alive|te|trailers?|transfer-encoding|upgrade|content-length)$/i;

/** The auth server's own words. A relative Location is seen from its address, unless it is to stay. */
function toRefusal(
  answer: ProxyResponse,
  content: Uint8Array | undefined,
  address: GoUrl,
  { preserveLocationHeader = false }: Infer<typeof options>,
): ProxyResponse {
  const headers = answer.headers.clone();
  headers.filter((name) => !HOP_BY_HOP.test(name));
  // A 304 says nothing of a content that it does not have (RFC 9110 §15.4.5).
  if (answer.status === 304) headers.delete('Content-Type');
  const location = headers.get('Location') ?? '';
  if (location !== '') {
    const url = parseUrl(location);
    if (typeof url === 'string') return textResponse(500, '');
    headers.set('Location', formatUrl(preserveLocationHeader ? url : resolveUrl(address, url)));
  }
  return { status: answer.status, headers, body: createBody(content ?? EMPTY) };
}
