import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createBody, textResponse } from '../../../src/base/body.ts';
import { decodeText } from '../../../src/base/bytes.ts';
import { UpstreamError } from '../../../src/base/errors.ts';
import { Cancellation, HeaderList, type ProxyRequest, type ProxyResponse, requestTarget } from '../../../src/base/message.ts';
import { forwardAuth } from '../../../src/middlewares/http/forward-auth.ts';
import type { FetchTransport } from '../../../src/middlewares/middleware.ts';
import { createMiddlewarePlatform } from '../../../src/origin-agent/middleware-platform.ts';
import { type Ask, build, makeRequest, refusal } from '../../support/middleware-harness.ts';

interface Asked {
  url: string;
  line: string;
  host: string;
  headers: Record<string, string>;
  body: string | undefined;
  transport: FetchTransport | undefined;
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n';
const tls = { serverName: 'x.test', version: '1.3', cipher: '', clientCertificates: [], options: 'default' };
const answer =
  (status: number, text = '', headers: string[] = []) =>
  async () =>
    textResponse(status, text, { headers });

/** The word in front of an auth server that answers so. */
function withServer(options: object, respond: (request: ProxyRequest) => Promise<ProxyResponse> = answer(200)) {
  const asked: Asked[] = [];
  const fetch = async (url: string, request: ProxyRequest, transport?: FetchTransport): Promise<ProxyResponse> => {
    const headers: Record<string, string> = {};
    for (const [name, value] of request.headers) headers[name] = name in headers ? `${headers[name]} | ${value}` : value;
    const body = request.body === undefined ? undefined : decodeText(await request.body.bytes(1e6));
    asked.push({ url, line: `${request.method} ${requestTarget(request)}`, host: request.host, headers, body, transport });
    return respond(request);
  };
  return { asked, ...build(forwardAuth, { address: 'http://au.test:81/ok?s=1', ...options }, { fetch }) };
}

const forged: [string, string][] = [
  ['X-Forwarded-For', '9.9.9.9'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'h.test'],
  ['X-Forwarded-Uri', '/forged'],
  ['X-Forwarded-Method', 'PURGE'],
  ['X-Forwarded-Port', '1'],
  ['X-Forwarded-Prefix', '/p'],
  ['X_Forwarded_Prefix', '/p'],
  ['X-Real-Ip', '8.8.8.8'],
  ['Cookie', 'c=1'],
];
const ours = {
  'X-Forwarded-For': '127.0.0.1',
  'X-Forwarded-Host': 'x.test',
  'X-Forwarded-Method': 'GET',
  'X-Forwarded-Proto': 'http',
  'X-Forwarded-Uri': '/u?v',
};
const theirs = Object.fromEntries(forged);

describe('the question', () => {
  it('is a GET to the address without body and hop-by-hop fields', async () => {
    const { ask, asked, seen } = withServer({});
    await ask({
      method: 'POST',
      path: '/%2Fp',
      query: 'q=1',
      host: 'x.test:8080',
      body: 'hello',
      headers: [
        ['Accept', 'a'],
        ['Connection', 'X-Hop, close'],
        ['X-Hop', '1'],
        ['Te', 'trailers'],
        ['Content-Length', '5'],
        ['Content-Type', 'text/x'],
        ['Proxy-Authorization', 'p'],
      ],
    });
    expect(asked).toEqual([
      {
        url: 'http://au.test:81/ok?s=1',
        line: 'GET /ok?s=1',
        host: 'au.test:81',
        headers: {
          Accept: 'a',
          'Content-Type': 'text/x',
          'Proxy-Authorization': 'p',
          'X-Forwarded-For': '127.0.0.1',
          'X-Forwarded-Host': 'x.test:8080',
          'X-Forwarded-Method': 'POST',
          'X-Forwarded-Proto': 'http',
          'X-Forwarded-Uri': '/%2Fp?q=1',
          'User-Agent': 'Go-http-client/1.1',
        },
        body: undefined,
        transport: { timeoutMs: 30_000 },
      },
    ]);
    expect(seen[0]).toMatchObject({ line: 'POST /%2Fp?q=1', body: 'hello' });
  });

  it.each<[string, object, Ask, Record<string, string>]>([
    ['unset', {}, {}, { ...theirs, ...ours, 'User-Agent': 'Go-http-client/1.1' }],
    ['false', { trustForwardHeader: false }, {}, { Cookie: 'c=1', ...ours, 'X-Forwarded-Port': '80' }],
    [
      'false by TLS',
      { trustForwardHeader: false },
      { tls },
      { Cookie: 'c=1', ...ours, 'X-Forwarded-Proto': 'https', 'X-Forwarded-Port': '443' },
    ],
    [
      'false with a port',
      { trustForwardHeader: false },
      { host: 'x.test:99' },
      { Cookie: 'c=1', ...ours, 'X-Forwarded-Host': 'x.test:99', 'X-Forwarded-Port': '99' },
    ],
    ['true', { trustForwardHeader: true }, {}, { ...theirs, 'X-Forwarded-For': '9.9.9.9, 127.0.0.1' }],
    [
      'true with an allow list',
      { trustForwardHeader: true, authRequestHeaders: ['cookie'] },
      {},
      {
        ...theirs,
        X_Forwarded_Prefix: undefined as unknown as string,
        'X-Forwarded-For': '9.9.9.9, 127.0.0.1',
        'User-Agent': 'Go-http-client/1.1',
      },
    ],
    ['an allow list', { authRequestHeaders: ['COOKIE', 'X-None'] }, {}, { Cookie: 'c=1', ...ours, 'User-Agent': 'Go-http-client/1.1' }],
  ])('carries the fields of trustForwardHeader %s', async (_, options, request, expected) => {
    const { ask, asked } = withServer(options);
    await ask({ path: '/u', query: 'v', headers: forged, ...request });
    expect(asked[0]!.headers).toEqual(JSON.parse(JSON.stringify(expected)));
  });

  it('keeps the client’s User-Agent', async () => {
    const { ask, asked } = withServer({});
    await ask({ headers: [['user-agent', 'me']] });
    expect(asked[0]!.headers).toMatchObject({ 'user-agent': 'me' });
    expect(asked[0]!.headers).not.toHaveProperty('User-Agent');
  });

  it('has the method and the body where that is asked for', async () => {
    const { ask, asked, seen } = withServer({ preserveRequestMethod: true, forwardBody: true });
    await ask({ method: 'PUT', body: 'hello' });
    expect(asked[0]).toMatchObject({ line: 'PUT /ok?s=1', body: 'hello' });
    expect(seen[0]!.body).toBe('hello');
  });

  it.each([
    ['four', 200],
    ['five!', 401],
    [undefined, 200],
  ])('with maxBodySize 4 a body of "%s" is %i', async (body, status) => {
    const { ask, asked } = withServer({ forwardBody: true, maxBodySize: 4 });
    expect((await ask({ method: 'POST', body })).status).toBe(status);
    expect(asked).toHaveLength(status === 200 ? 1 : 0);
  });

  it('goes by TLS as the options say', async () => {
    const { ask, asked } = withServer({
      address: 'https://au.test/',
      tls: { ca: CERTIFICATE, cert: CERTIFICATE, key: KEY, insecureSkipVerify: true },
    });
    await ask();
    expect(asked[0]!.transport).toEqual({
      timeoutMs: 30_000,
      ca: CERTIFICATE,
      cert: CERTIFICATE,
      key: KEY,
      insecureSkipVerify: true,
    });
  });
});

describe('a positive answer', () => {
  const yes = answer(200, '', ['X-User', 'bob', 'X-Role', 'admin', 'X-Role', 'dev', 'X-Secret', 's', 'Remote-Name', 'n']);
  it.each<[string, object, [string, string][], [string, string][]]>([
    ['nothing', {}, [['X-User', 'forged']], [['X-User', 'forged']]],
    [
      'named fields',
      { authResponseHeaders: ['x-user', 'X-Role', 'X-Absent'] },
      [
        ['X-User', 'forged'],
        ['X-Absent', 'forged'],
        ['X-Secret', 'mine'],
      ],
      [
        ['X-Secret', 'mine'],
        ['x-user', 'bob'],
        ['X-Role', 'admin'],
        ['X-Role', 'dev'],
      ],
    ],
    [
      'fields that match',
      { authResponseHeadersRegex: '^X-|^Remote' },
      [
        ['x-user', 'forged'],
        ['X-Client', 'mine'],
        ['Remote-Id', 'mine'],
        ['Accept', 'a'],
      ],
      [
        ['Accept', 'a'],
        ['X-User', 'bob'],
        ['X-Role', 'admin'],
        ['X-Role', 'dev'],
        ['X-Secret', 's'],
        ['Remote-Name', 'n'],
      ],
    ],
  ])('carries over %s', async (_, options, headers, expected) => {
    const { ask, seen } = withServer(options, yes);
    expect((await ask({ headers })).status).toBe(200);
    expect(seen[0]!.headers).toEqual(expected);
  });

  it.each([200, 201, 204, 299])('of status %i passes', async (status) => {
    expect((await withServer({}, answer(status)).ask()).body).toBe('from a');
  });

  it('names the user for the log', async () => {
    const { run } = withServer({ headerField: 'x-user' }, yes);
    const request = makeRequest();
    await run(request);
    expect(request.facts.clientUsername).toBe('bob');
  });

  it('sets its cookies on the response', async () => {
    const fetch = answer(200, '', ['Set-Cookie', 'sess=1; Path=/', 'Set-Cookie', 'other=2']);
    const server = answer(200, '', ['Set-Cookie', 'sess=backend', 'Set-Cookie', 'keep=1']);
    const { ask } = build(forwardAuth, { address: 'http://a', addAuthCookiesToResponse: ['sess'] }, { fetch, server });
    expect((await ask()).headers.filter(([name]) => name === 'Set-Cookie')).toEqual([
      ['Set-Cookie', 'keep=1'],
      ['Set-Cookie', 'sess=1; Path=/'],
    ]);
  });
});

describe('a negative answer', () => {
  it('goes to the client', async () => {
    const { ask, seen } = withServer(
      {},
      answer(403, 'go away', ['X-Why', 'because', 'Set-Cookie', 'd=1', 'Connection', 'close', 'Keep-Alive', 'x']),
    );
    expect(await ask()).toMatchObject({
      status: 403,
      body: 'go away',
      headers: [
        ['X-Why', 'because'],
        ['Set-Cookie', 'd=1'],
      ],
    });
    expect(seen).toEqual([]);
  });

  it.each([
    [{}, '/signin?x=1', 'http://au.test:81/signin?x=1'],
    [{}, 'signin', 'http://au.test:81/signin'],
    [{}, 'https://idp.test/x', 'https://idp.test/x'],
    [{ preserveLocationHeader: true }, '/signin?x=1', '/signin?x=1'],
  ])('%j with Location %s leads to %s', async (options, location, expected) => {
    const { ask } = withServer(options, answer(302, '', ['Location', location]));
    const response = await ask();
    expect([response.status, response.header('Location')]).toEqual([302, expected]);
  });

  it('of 304 loses its type', async () => {
    const { ask } = withServer({}, answer(304, '', ['Content-Type', 'text/plain', 'ETag', '"e"']));
    expect(await ask()).toMatchObject({ status: 304, headers: [['ETag', '"e"']] });
  });

  it.each([
    [401, 302],
    [403, 403],
  ])('%i with authSigninURL is %i', async (status, expected) => {
    const response = await withServer({ authSigninURL: 'https://signin.test/start' }, answer(status, 'who?')).ask();
    expect([response.status, response.header('Location')]).toEqual([expected, expected === 302 ? 'https://signin.test/start' : undefined]);
  });

  it.each([
    [100, 401],
    [5000, 200],
    [-1, 200],
  ])('longer than maxResponseBodySize %i is %i', async (maxResponseBodySize, status) => {
    expect((await withServer({ maxResponseBodySize }, answer(200, 'x'.repeat(5000))).ask()).status).toBe(status);
  });
});

describe('no answer', () => {
  const down = async (): Promise<never> => {
    throw new UpstreamError('upstream.refused', 'down', { sent: false });
  };
  it('is 500', async () => {
    const { ask, seen } = withServer({}, down);
    expect(await ask()).toMatchObject({ status: 500, body: '' });
    expect(seen).toEqual([]);
  });

  it('is 499 when the client went away', async () => {
    const cancellation = new Cancellation();
    cancellation.cancel();
    expect((await withServer({}, down).run({ ...makeRequest(), cancellation })).status).toBe(499);
  });

  it.each(['', '::bad', 'au.test/x', 'ftp://au.test/', 'http:///x'])('can come from "%s", so all requests are 500', async (address) => {
    const { ask, asked } = withServer({ address });
    expect((await ask()).status).toBe(500);
    expect(asked).toEqual([]);
  });
});

it('asks for gzip in the client’s stead and unpacks the answer', async () => {
  const fetch = async (_: string, request: ProxyRequest): Promise<ProxyResponse> => ({
    status: 403,
    headers: HeaderList.from([
      ['Content-Encoding', 'gzip'],
      ['X-Asked', request.headers.get('Accept-Encoding') ?? ''],
    ]),
    body: createBody(new Uint8Array(gzipSync('go away'))),
  });
  const { ask } = build(forwardAuth, { address: 'http://a' }, { fetch, platform: createMiddlewarePlatform() });
  expect(await ask()).toMatchObject({ body: 'go away', headers: [['X-Asked', 'gzip']] });
  expect((await ask({ headers: [['Accept-Encoding', 'br']] })).headers).toContainEqual(['Content-Encoding', 'gzip']);
});

it.each([
  [{ address: 'http://a', authResponseHeadersRegex: '(' }, /^The expression '\(' is not valid RE2/],
  [{ address: 'https://a', tls: { cert: CERTIFICATE } }, /^'tls' has 'cert' alone; write 'cert' and 'key'$/],
  [{ address: 'https://a', tls: { ca: 'nonsense' } }, /^'tls.ca' is neither PEM nor a file that can be read$/],
  [{ address: 'http://a', tls: {} }, /^tls wants options below it/],
])('refuses %j', (options, message) => {
  expect(refusal(forwardAuth, options)).toMatch(message);
});
