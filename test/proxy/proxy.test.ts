import { beforeEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../src/base/errors.ts';
import { createRequest, finish, HeaderList, type ProxyRequest } from '../../src/base/message.ts';
import { createProxy, type HttpProxy, type ProxyChanges } from '../../src/proxy/proxy.ts';
import { answer, bodyText, createTestPlatform, type TestPlatform } from '../support/platform.ts';

const loadBalancer = (...urls: string[]) => ({
  loadBalancer: {
    servers: urls.map((url) => ({ url })),
    passHostHeader: true,
    strategy: 'wrr' as const,
    responseForwarding: { flushInterval: 100 },
  },
});
const router = (rule: string, service: string, more: object = {}) => ({
  rule,
  service,
  entryPoints: ['web'],
  middlewares: [],
  priority: rule.length,
  ...more,
});

let platform: TestPlatform;
let proxy: HttpProxy;
const start = (changes: object, serve?: Parameters<typeof createTestPlatform>[0]): void => {
  platform = createTestPlatform(serve ?? (({ url }) => answer(`from ${url}`)()));
  proxy = createProxy({ platform, entryPoints: { web: {}, other: {} }, hostname: 'edge-test' });
  proxy.update(changes as ProxyChanges);
};
const get = async (host: string, path = '/', init: Partial<ProxyRequest> = {}) => {
  const request = createRequest({ host, path, entryPoint: 'web', ...init });
  const response = await proxy.handle(request);
  const text = await bodyText(response);
  finish(request.facts);
  return { status: response.status, text, headers: response.headers, facts: request.facts };
};

describe('the path of a request', () => {
  beforeEach(() =>
    start({
      routers: {
        'a@file': router('Host(`a.test`)', 's@file'),
        'b@file': router('Host(`a.test`) && PathPrefix(`/b`)', 't@file', { middlewares: ['strip@file', 'mark@file'] }),
        'tls@file': router('Host(`a.test`)', 't@file', { tls: {} }),
        'bad@file': router('Host(`bad.test`)', 'missing@file'),
      },
      services: { 's@file': loadBalancer('http://10.0.0.1:80'), 't@file': loadBalancer('http://10.0.0.2:80') },
      middlewares: {
        'strip@file': { stripPrefix: { prefixes: ['/b'] } },
        'mark@file': { headers: { customResponseHeaders: { 'X-Mark': 'yes' } } },
      },
    }),
  );

  it('goes to the service of the router that matches', async () => {
    expect(await get('a.test')).toMatchObject({
      status: 200,
      text: 'from http://10.0.0.1:80',
      facts: { routerName: 'a@file', serviceName: 's@file' },
    });
  });

  it('runs the chain, first middleware first', async () => {
    const { text, headers } = await get('a.test', '/b/c');
    expect(text).toBe('from http://10.0.0.2:80');
    expect(headers.get('X-Mark')).toBe('yes');
    expect(platform.sent[0]!.request).toMatchObject({ path: '/c', host: 'a.test' });
    expect(platform.sent[0]!.request.headers.get('X-Forwarded-Prefix')).toBe('/b');
  });

  it('knows routers with TLS only on TLS connections', async () => {
    const tls = { serverName: 'a.test', version: '1.3', cipher: '', clientCertificates: [], options: 'default' };
    expect((await get('a.test', '/', { tls, scheme: 'https' })).text).toBe('from http://10.0.0.2:80');
  });

  it('answers 404 when none matches', async () => {
    expect(await get('b.test')).toMatchObject({ status: 404, text: '404 page not found\n' });
    expect((await get('a.test', '/', { entryPoint: 'other' })).status).toBe(404);
  });

  it('answers 500 and says why when a chain cannot be built', async () => {
    expect((await get('bad.test')).status).toBe(500);
    expect(platform.lines.map(({ fields }) => String(fields.error)).join()).toContain("There is no service 'missing@file'");
  });

  it('sends on what the client sent, without the fields of its connection', async () => {
    const raw = [
      'Accept',
      'a',
      'X-Twice',
      '1',
      'x-twice',
      '2',
      'Connection',
      'keep-alive, X-Hop',
      'X-Hop',
      '1',
      'Keep-Alive',
      'timeout=5',
      'TE',
      'trailers',
      'Trailer',
      'X-Sum',
      'X-Forwarded-For',
      '9.9.9.9',
    ];
    await get('a.test', '/x', { query: 'a=%20b', headers: new HeaderList(raw), clientAddress: '192.0.2.1' });
    const { request } = platform.sent[0]!;
    expect(request.query).toBe('a=%20b');
    expect(request.headers.getAll('X-Twice')).toEqual(['1', '2']);
    expect(request.headers.get('X-Hop')).toBeUndefined();
    expect(request.headers.get('Keep-Alive')).toBeUndefined();
    expect(request.headers.get('TE')).toBe('trailers');
    expect(request.headers.get('Trailer')).toBeUndefined();
    expect(request.headers.get('X-Forwarded-For')).toBe('192.0.2.1');
  });
});

describe('an update', () => {
  it('takes effect for the objects it names and leaves the others alone', async () => {
    start({
      routers: { 'a@file': router('Host(`a.test`)', 's@file'), 'b@file': router('Host(`b.test`)', 's@file') },
      services: { 's@file': loadBalancer('http://10.0.0.1:80') },
    });
    await get('a.test');
    proxy.update({ services: { 's@file': loadBalancer('http://10.0.0.9:80') } } as unknown as ProxyChanges);
    expect((await get('a.test')).text).toBe('from http://10.0.0.9:80');
    proxy.update({ routers: { 'a@file': null } });
    expect((await get('a.test')).status).toBe(404);
    expect((await get('b.test')).status).toBe(200);
    proxy.update({ routers: { 'b@file': router('Host(`c.test`)', 's@file') } } as unknown as ProxyChanges);
    expect((await get('b.test')).status).toBe(404);
    expect((await get('c.test')).status).toBe(200);
  });

  it('does not forget what was counted', async () => {
    const limited = router('Host(`a.test`)', 's@file', { middlewares: ['limit@file'] });
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    start(
      {
        routers: { 'a@file': limited },
        services: { 's@file': loadBalancer('http://10.0.0.1:80') },
        middlewares: { 'limit@file': { inFlightReq: { amount: 1 } } },
      },
      () => held.then(() => answer('late')()),
    );
    const first = get('a.test');
    proxy.update({ routers: { 'a@file': { ...limited, priority: 1 } } } as unknown as ProxyChanges);
    expect((await get('a.test')).status).toBe(429);
    release();
    expect((await first).status).toBe(200);
  });
});

describe('parent routers', () => {
  it('run their middlewares, then their children match', async () => {
    start({
      routers: {
        'parent@file': router('Host(`a.test`)', '', { middlewares: ['mark@file'] }),
        'child@file': router('PathPrefix(`/child`)', 's@file', { parentRefs: ['parent@file'], entryPoints: [] }),
      },
      services: { 's@file': loadBalancer('http://10.0.0.1:80') },
      middlewares: { 'mark@file': { headers: { customResponseHeaders: { 'X-Mark': 'yes' } } } },
    });
    const { status, headers, facts } = await get('a.test', '/child');
    expect([status, headers.get('X-Mark'), facts.routerName]).toEqual([200, 'yes', 'child@file']);
    expect((await get('a.test', '/none')).status).toBe(404);
  });
});

describe('servers that fail', () => {
  const failing = (code: UpstreamError['code'], sent: boolean) => new UpstreamError(code, 'no', { sent });
  const one = { routers: { 'a@file': router('Host(`a.test`)', 's@file') }, services: { 's@file': loadBalancer('http://10.0.0.1:80') } };
  const two = { ...one, services: { 's@file': loadBalancer('http://10.0.0.1:80', 'http://10.0.0.2:80') } };

  it.each([
    ['upstream.refused', 502, 'Bad Gateway'],
    ['upstream.closed', 502, 'Bad Gateway'],
    ['upstream.timeout', 504, 'Gateway Timeout'],
    ['upstream.aborted', 499, 'Client Closed Request'],
    ['upstream.malformed', 500, 'Internal Server Error'],
  ] as const)('%s is answered %i', async (code, status, text) => {
    start(one, () => failing(code, true));
    expect(await get('a.test')).toMatchObject({ status, text });
  });

  it('a refused connection goes to another server, whatever the method', async () => {
    start(two, ({ url }) => (url.endsWith('1:80') ? failing('upstream.refused', false) : answer('fine')()));
    for (let i = 0; i < 10; i++) expect(await get('a.test', '/', { method: 'POST' })).toMatchObject({ status: 200, text: 'fine' });
  });

  it('nothing is sent twice once a byte was sent', async () => {
    start(two, ({ url }) => (url.endsWith('1:80') ? failing('upstream.closed', true) : answer('fine')()));
    const statuses = new Set<number>();
    for (let i = 0; i < 4; i++) statuses.add((await get('a.test')).status);
    expect(statuses).toEqual(new Set([200, 502]));
    expect(platform.sent).toHaveLength(4);
  });

  it('no server is 503', async () => {
    start({ ...one, services: { 's@file': loadBalancer() } });
    expect(await get('a.test')).toMatchObject({ status: 503, text: 'no available server\n' });
  });

  it('a server on its way out gets new requests only where there is no other', async () => {
    const fenced = (...flags: boolean[]) => {
      const { loadBalancer: config } = loadBalancer('http://10.0.0.1:80', 'http://10.0.0.2:80');
      return { loadBalancer: { ...config, servers: config.servers.map((server, i) => ({ ...server, fenced: flags[i] })) } };
    };
    start({ ...one, services: { 's@file': fenced(true, false) } });
    for (let i = 0; i < 4; i++) expect((await get('a.test')).text).toBe('from http://10.0.0.2:80');
    start({ ...one, services: { 's@file': fenced(true, true) } });
    expect((await get('a.test')).status).toBe(200);
  });
});
