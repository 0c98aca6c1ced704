import { describe, expect, it } from 'vitest';
import { createBody } from '../../../src/base/body.ts';
import { UpstreamError } from '../../../src/base/errors.ts';
import { createRequest, finish, type ProxyRequest } from '../../../src/base/message.ts';
import { createProxy, type ProxyChanges } from '../../../src/proxy/proxy.ts';
import { answer, bodyText, createTestPlatform } from '../../support/platform.ts';

const MAIN = 'http://10.0.0.1:80';
const COPY = 'http://10.0.0.2:80';
const OTHER = 'http://10.0.0.3:80';
const ROUNDS = 10_000;

const loadBalancer = (url: string) => ({
  loadBalancer: { servers: [{ url }], passHostHeader: true, strategy: 'wrr' as const, responseForwarding: { flushInterval: 100 } },
});
const children = { 'main@file': loadBalancer(MAIN), 'copy@file': loadBalancer(COPY), 'other@file': loadBalancer(OTHER) };

function start(service: object, serve?: Parameters<typeof createTestPlatform>[0]) {
  const platform = createTestPlatform(serve ?? (({ url }) => answer(url)()));
  const proxy = createProxy({ platform, entryPoints: { web: {} }, hostname: 'edge-test' });
  const routers = { 'r@file': { rule: 'PathPrefix(`/`)', service: 's@file', entryPoints: ['web'], middlewares: [], priority: 1 } };
  proxy.update({ routers, services: { 's@file': service, ...children } } as unknown as ProxyChanges);
  return {
    platform,
    ask: (init: Partial<ProxyRequest> = {}) => proxy.handle(createRequest({ host: 'a.test', entryPoint: 'web', ...init })),
  };
}

/** Requests by the server they went to; mirrors are asked behind the answer. */
async function tally(service: object): Promise<Record<string, number>> {
  const { platform, ask } = start(service);
  for (let i = 0; i < ROUNDS; i++) {
    const request = createRequest({ host: 'a.test', entryPoint: 'web' });
    await ask(request);
    finish(request.facts);
  }
  await new Promise((resolve) => setImmediate(resolve));
  const counts: Record<string, number> = { [MAIN]: 0, [COPY]: 0, [OTHER]: 0 };
  for (const { url } of platform.sent) counts[url]!++;
  return counts;
}

describe('mirroring', () => {
  it.each([
    [50, 5000],
    [10, 1000],
    [100, ROUNDS],
    [0, 0],
  ])('%i percent of the requests are copied, and all are answered by the main service', async (percent, expected) => {
    const counts = await tally({ mirroring: { service: 'main', mirrors: [{ name: 'copy', percent }] } });
    expect(counts[MAIN]).toBe(ROUNDS);
    expect(Math.abs(counts[COPY]! - expected)).toBeLessThanOrEqual(1);
  });

  it.each<[string, Parameters<typeof createTestPlatform>[0]]>([
    ['never answers', ({ url }) => (url === COPY ? new Promise(() => {}) : answer('main')())],
    ['refuses', ({ url }) => (url === COPY ? new UpstreamError('upstream.refused', 'refused', { sent: false }) : answer('main')())],
    ['says 500', ({ url }) => answer('main', url === COPY ? 500 : 200)()],
  ])('a mirror that %s is nothing to the client', async (_, serve) => {
    const { platform, ask } = start({ mirroring: { service: 'main', mirrors: [{ name: 'copy', percent: 100 }] } }, serve);
    const request = createRequest({ host: 'a.test', entryPoint: 'web' });
    const response = await ask(request);
    expect([response.status, await bodyText(response)]).toEqual([200, 'main']);
    finish(request.facts);
    await new Promise((resolve) => setImmediate(resolve));
    expect(platform.sent.map(({ url }) => url)).toEqual([MAIN, COPY]);
  });

  it.each([
    ['with its body', {}, 'hello'],
    ['without its body', { mirrorBody: false }, undefined],
    ['not at all beyond maxBodySize', { maxBodySize: 3 }, 'no copy'],
  ])('copies a request %s', async (_, options, expected) => {
    const bodies: (string | undefined)[] = [];
    const { platform, ask } = start(
      { mirroring: { service: 'main', mirrors: [{ name: 'copy', percent: 100 }], ...options } },
      async ({ url }, { body }) => {
        const text = body === undefined ? undefined : new TextDecoder().decode(await body.bytes(100));
        if (url === COPY) bodies.push(text);
        return answer('ok')();
      },
    );
    const request = createRequest({ host: 'a.test', entryPoint: 'web', method: 'POST', body: createBody('hello') });
    await ask(request);
    finish(request.facts);
    await new Promise((resolve) => setImmediate(resolve));
    expect(bodies).toEqual(expected === 'no copy' ? [] : [expected]);
    expect(platform.sent[0]!.url).toBe(MAIN);
  });
});

it('weighted services divide 3 : 1 : 0', async () => {
  const services = [
    { name: 'main', weight: 3 },
    { name: 'copy', weight: 1 },
    { name: 'other', weight: 0 },
  ];
  const counts = await tally({ weighted: { services } });
  expect(Math.abs(counts[MAIN]! - 7500)).toBeLessThanOrEqual(1);
  expect(Math.abs(counts[COPY]! - 2500)).toBeLessThanOrEqual(1);
  expect(counts[OTHER]).toBe(0);
});
