import { expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import { ConfigError, UpstreamError } from '../../../src/base/errors.ts';
import { type Handler, HeaderList, type ProxyRequest, type ProxyResponse, requestTarget, whenFinished } from '../../../src/base/message.ts';
import { errors } from '../../../src/middlewares/http/errors.ts';
import { type Ask, build, makeRequest, refusal } from '../../support/middleware-harness.ts';

interface Page {
  line: string;
  request: ProxyRequest;
}

/** The word before a server that answers the status in the path, and a service of pages. */
function make(options: object, page: Handler = async () => textResponse(200, 'page', { headers: ['X-Page', '1'] })) {
  const pages: Page[] = [];
  let discarded = 0;
  const service = (name: string): Handler => {
    if (name !== 'err') throw new ConfigError('config.reference', `the service '${name}' does not exist`);
    return (request) => {
      pages.push({ line: `${request.method} ${requestTarget(request)}`, request });
      return page(request);
    };
  };
  const server = async (request: ProxyRequest): Promise<ProxyResponse> => {
    const response = textResponse(Number(request.path.slice(1)) || 200, 'own', { headers: ['X-Own', '1'] });
    response.body!.discard = () => void discarded++;
    return response;
  };
  return { pages, discarded: () => discarded, ...build(errors, { service: 'err', ...options }, { service, server }) };
}

it.each([
  ['/404', 404, 'page'],
  ['/500', 500, 'page'],
  ['/599', 599, 'page'],
  ['/418', 418, 'own'],
  ['/', 200, 'own'],
])('%s is %i %s', async (path, status, body) => {
  const { ask, pages, discarded } = make({ status: ['404', ' 500-599 '], query: '/{status}.html' });
  const answer = await ask({ path });
  expect(answer).toMatchObject({ status, body });
  expect(answer.header('X-Own')).toBe(body === 'own' ? '1' : undefined);
  expect([pages.length, discarded()]).toEqual(body === 'own' ? [0, 0] : [1, 1]);
});

it.each([
  ['/{status}-{originalStatus}', '/410-404'],
  ['p.html', '/p.html'],
  ['', '/'],
  ['/p?u={url}&s={status}', '/p?u=http%3A%2F%2Fx.test%3A81%2F404%3Fa%3Db%26c&s=410'],
  ['/a b', '/a%20b'],
])('the query %s becomes %s', async (query, expected) => {
  const { ask, pages } = make({ status: ['404'], statusRewrites: { 404: 410 }, query });
  await ask({ path: '/404', query: 'a=b&c', host: 'x.test:81' });
  expect(pages[0]!.line).toBe(`GET ${expected}`);
});

it('asks for the page with a GET that no client sent', async () => {
  const { ask, pages } = make({ status: ['500'] });
  const headers: Ask['headers'] = [
    ['Cookie', 'k=v'],
    ['X-Forwarded-For', '9.9.9.9'],
    ['Content-Length', '4'],
    ['Transfer-Encoding', 'x'],
  ];
  await ask({ method: 'POST', path: '/500', host: 'x.test:81', body: 'data', headers, upgrade: 'websocket' });
  const { request } = pages[0]!;
  expect(request).toMatchObject({ method: 'GET', host: 'x.test:81', body: undefined, clientAddress: '', upgrade: undefined });
  expect([...request.headers]).toEqual([
    ['Cookie', 'k=v'],
    ['X-Forwarded-For', '9.9.9.9'],
  ]);
});

it.each([
  [['cookie', 'X-None'], [['Cookie', 'k=v']]],
  [['X-None'], []],
])('passes only %j', async (errorRequestHeaders, expected) => {
  const { ask, pages } = make({ status: ['500'], errorRequestHeaders });
  await ask({
    path: '/500',
    headers: [
      ['Cookie', 'k=v'],
      ['X-A', '1'],
    ],
  });
  expect([...pages[0]!.request.headers]).toEqual(expected);
});

it.each([
  ['/404', 410],
  ['/500', 200],
  ['/503', 299],
  ['/418', 418],
])('%s is rewritten to %i', async (path, status) => {
  const { ask } = make({ status: ['400-599'], statusRewrites: { '500-599': 200, '404': 410, '502-504': 298, '503': 299 } });
  expect((await ask({ path })).status).toBe(status);
});

it('catches what the proxy answers itself, and hides that from retries', async () => {
  const failure = new UpstreamError('upstream.refused', 'down', { sent: false });
  const service = (): Handler => async () => ({ status: 502, headers: new HeaderList(), body: undefined, failure });
  const server = async (): Promise<ProxyResponse> => ({ ...textResponse(502, 'Bad Gateway'), failure });
  const response = await build(errors, { service: 'err', status: ['502'], statusRewrites: { 502: 500 } }, { service, server }).run(
    makeRequest(),
  );
  expect([response.status, response.failure]).toEqual([500, undefined]);
});

it('ends the request whose answer it drops before it asks for the page', async () => {
  const events: string[] = [];
  const service = (): Handler => async () => {
    events.push('page');
    return textResponse(200, 'page');
  };
  const server = async ({ facts }: ProxyRequest): Promise<ProxyResponse> => {
    whenFinished(facts, () => events.push('end'));
    return textResponse(500, 'own');
  };
  await build(errors, { service: 'err', status: ['500'] }, { service, server }).run(makeRequest());
  expect(events).toEqual(['end', 'page']);
});

it('says the status in words where the host makes no URL', async () => {
  expect(await make({ status: ['404'] }).ask({ path: '/404', host: 'x y' })).toMatchObject({ status: 404, body: 'Not Found\n' });
});

it.each([
  [{ status: ['5xx'], service: 'err' }, "'5xx' in 'status' is no status and no range of statuses; write 404 or 500-599"],
  [{ status: ['599-500'], service: 'err' }, "'599-500' in 'status' is no status and no range of statuses; write 404 or 500-599"],
  [
    { status: ['404'], statusRewrites: { x: 1 }, service: 'err' },
    "'x' in 'statusRewrites' is no status and no range of statuses; write 404 or 500-599",
  ],
  [{ status: ['404'], service: 'nope' }, "the service 'nope' does not exist"],
])('refuses %j', (options, message) => {
  const service = (name: string): Handler => {
    if (name === 'err') return async () => textResponse(200, '');
    throw new ConfigError('config.reference', `the service '${name}' does not exist`);
  };
  expect(refusal(errors, options, { service })).toBe(message);
});
