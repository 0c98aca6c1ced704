import { errorText } from '../../base/body.ts';
import { finishMark, finishSince, HeaderList, type ProxyRequest, requestTarget } from '../../base/message.ts';
import { integer, list, map, object, string } from '../../base/schema.ts';
import { STATUS_TEXT } from '../../base/status-text.ts';
import { escapeQuery, type GoUrl, parseUrl } from '../../base/url.ts';
import { defineMiddleware } from '../middleware.ts';
import { createStatusTest, parseStatusRange } from '../status-ranges.ts';

export const errors = defineMiddleware({
  kind: 'errors',
  summary: 'Replaces responses of certain statuses by pages of a service.',
  options: object(
    {
      status: list(string('A status (404) or a range (500-599).'), 'Statuses that are replaced.'),
      statusRewrites: map(
        integer('The status that the client gets.'),
        'Statuses or ranges whose answers get another status; the narrowest counts.',
      ),
      service: string('The service that has the pages.'),
      query: string('Path of the page, with {status}, {originalStatus} and {url}.'),
      errorRequestHeaders: list(string('A field name.'), 'Fields of the request that the service gets; all when absent.'),
    },
    'errors',
  ),
  edge: true,
  create({ status = [], statusRewrites = {}, service = '', query = '', errorRequestHeaders }, context) {
    const isCaught = createStatusTest(status, 'status');
    const rewrite = createRewrites(statusRewrites);
    const serve = context.service(service);
    const passed = errorRequestHeaders && new Set(errorRequestHeaders.map((name) => name.toLowerCase()));
    return async (request, next) => {
      const mark = finishMark(request.facts);
      const response = await next(request);
      if (!isCaught(response.status)) return response;
      response.body?.discard();
      finishSince(request.facts, mark);
      const code = rewrite(response.status);
      const url = parseUrl(`http://${request.host}${pageTarget(query, code, response.status, request)}`);
      if (typeof url === 'string') {
        context.log.error('The URL of an error page is none', { problem: url });
        return errorText(code, STATUS_TEXT[code] ?? '');
      }
      const page = await serve(pageRequest(request, url, passed));
      page.status = code;
      page.failure = undefined;
      return page;
    };
  },
});

/** Of ranges that overlap the narrowest counts; Traefik takes any of them. */
function createRewrites(rewrites: Readonly<Record<string, number>>): (status: number) => number {
  const ranges = Object.entries(rewrites)
    .map(([text, to]) => ({ ...parseStatusRange(text, 'statusRewrites'), to: Number(to) }))
    .sort((a, b) => a.high - a.low - (b.high - b.low));
  return (status) => ranges.find(({ low, high }) => low <= status && status <= high)?.to ?? status;
}

/** Path and query of the page; empty without `query`. */
function pageTarget(query: string, code: number, originalStatus: number, request: ProxyRequest): string {
  if (query === '') return '';
  const scheme = request.tls === undefined ? 'http' : 'https';
  const path = `/${query.replace(/^\//, '')}`;
  return path
    .replaceAll('{status}', String(code))
    .replaceAll('{originalStatus}', String(originalStatus))
    .replaceAll('{url}', escapeQuery(`${scheme}://${request.host}${requestTarget(request)}`));
}

const BODY_FIELDS = /^(?:content-length|transfer-encoding|connection|upgrade)$/i;

/** A GET that no client sent, at the host of the request. */
function pageRequest(request: ProxyRequest, url: GoUrl, passed: ReadonlySet<string> | undefined): ProxyRequest {
  const headers = new HeaderList(request.headers.raw.slice());
  headers.filter((name) => (passed === undefined ? !BODY_FIELDS.test(name) : passed.has(name.toLowerCase())));
  return {
    ...request,
    method: 'GET',
    host: url.host,
    path: url.path,
    query: url.query,
    headers,
    body: undefined,
    upgrade: undefined,
    clientAddress: '',
    clientPort: 0,
    tls: undefined,
  };
}
