import { expect, it } from 'vitest';
import { UpstreamError } from '../../../src/base/errors.ts';
import { createRequest, finish } from '../../../src/base/message.ts';
import { createProxy, type ProxyChanges } from '../../../src/proxy/proxy.ts';
import { candidateState } from '../../../src/proxy/services/candidate-state.ts';
import { answer, createTestPlatform } from '../../support/platform.ts';

const MAIN = 'http://10.0.0.1:80';
const OTHER = 'http://10.0.0.2:80';
const loadBalancer = (...urls: string[]) => ({
  loadBalancer: {
    servers: urls.map((url) => ({ url })),
    passHostHeader: true,
    strategy: 'leasttime' as const,
    responseForwarding: { flushInterval: 100 },
  },
});

function start(services: object, serve: Parameters<typeof createTestPlatform>[0]) {
  const platform = createTestPlatform(serve);
  const proxy = createProxy({ platform, entryPoints: { web: {} }, hostname: 'edge-test' });
  const routers = { 'r@file': { rule: 'PathPrefix(`/`)', service: 's@file', entryPoints: ['web'], middlewares: [], priority: 1 } };
  proxy.update({ routers, services } as unknown as ProxyChanges);
  const inFlight = (service: string, url: string): number => candidateState(platform.cells, service, url).inFlight();
  return { platform, proxy, inFlight };
}

it('has done with the main service when it turns to the fallback, whose answer is still under way', async () => {
  const { proxy, inFlight, platform } = start(
    {
      's@file': { failover: { service: 'main', fallback: 'other', errors: { status: ['500-599'] } } },
      'main@file': loadBalancer(MAIN),
      'other@file': loadBalancer(OTHER),
    },
    ({ url }) => answer(url, url === MAIN ? 500 : 200)(),
  );
  const request = createRequest({ host: 'a.test', entryPoint: 'web' });
  expect((await proxy.handle(request)).status).toBe(200);
  expect(platform.sent.map(({ url }) => url)).toEqual([MAIN, OTHER]);
  expect([inFlight('main@file', MAIN), inFlight('other@file', OTHER)]).toEqual([0, 1]);
  finish(request.facts);
  expect(inFlight('other@file', OTHER)).toBe(0);
});

it('has done with a server that refused the connection', async () => {
  const refused = new UpstreamError('upstream.refused', 'refused', { sent: false });
  const { proxy, inFlight } = start({ 's@file': loadBalancer(MAIN, OTHER) }, ({ url }) => (url === MAIN ? refused : answer('ok')()));
  for (let i = 0; i < 4; i++) {
    const request = createRequest({ host: 'a.test', entryPoint: 'web' });
    expect((await proxy.handle(request)).status).toBe(200);
    expect(inFlight('s@file', MAIN)).toBe(0);
    finish(request.facts);
  }
});
