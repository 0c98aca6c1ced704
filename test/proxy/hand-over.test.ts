import { expect, it } from 'vitest';
import { createRequest } from '../../src/base/message.ts';
import type { RelayErrand } from '../../src/proxy/platform.ts';
import { createProxy, type ProxyChanges } from '../../src/proxy/proxy.ts';
import { answer, createTestPlatform } from '../support/platform.ts';

it.each([
  ['its sites by name', {}, { weights: [1, 1], stickyCookie: undefined }],
  [
    'weights and cookie of the service there',
    { handOverChoice: { weights: { paris: 3 }, stickyCookie: 'seen~site' } },
    { weights: [1, 3], stickyCookie: 'seen~site' },
  ],
])('a router that is handed over asks with %s', async (_, more, expected) => {
  const errands: RelayErrand[] = [];
  const platform = {
    ...createTestPlatform(),
    relay: (errand: RelayErrand) => {
      errands.push(errand);
      return { handle: async () => answer('from there')(), available: () => true };
    },
  };
  const proxy = createProxy({ platform, entryPoints: { http: {} }, hostname: 'edge-test' });
  const router = { rule: 'PathPrefix(`/`)', service: 's@file', entryPoints: ['http'], middlewares: [], priority: 1 };
  proxy.update({
    routers: { 'r@file': { ...router, handOver: { berlin: 'r@file', paris: 'r@file' }, ...more } },
  } as unknown as ProxyChanges);
  expect((await proxy.handle(createRequest({ host: 'a.test', entryPoint: 'http' }))).status).toBe(200);
  expect(errands).toEqual([
    {
      kind: 'router',
      sites: [
        { site: 'berlin', name: 'r@file', weight: expected.weights[0] },
        { site: 'paris', name: 'r@file', weight: expected.weights[1] },
      ],
      stickyCookie: expected.stickyCookie,
    },
  ]);
});
