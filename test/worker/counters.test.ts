import { describe, expect, it } from 'vitest';
import { createFacts, createRequest } from '../../src/base/message.ts';
import { observe } from '../../src/proxy/observation.ts';
import { type CountedExchange, createCounters, GATHER_MS } from '../../src/worker/counters.ts';
import { createTestPlatform } from '../support/platform.ts';

function exchange(router: string, status = 200, method = 'GET'): CountedExchange {
  const request = createRequest({ method, scheme: 'https', facts: createFacts(1000) });
  observe(request, undefined);
  request.facts.routerName = router;
  request.facts.site = 'berlin';
  request.facts.retryAttempts = 1;
  return { request, observation: request.facts.observation!, outcome: { status, sentBytes: 10 }, endedAt: 1002 };
}

function start() {
  const { clock, advance } = createTestPlatform();
  const points: { indexes?: unknown[]; blobs?: unknown[]; doubles?: number[] }[] = [];
  const counters = createCounters({ writeDataPoint: (point: object) => void points.push(point) }, clock);
  const kept: Promise<unknown>[] = [];
  return {
    points,
    kept,
    count: (one: CountedExchange) => counters.count(one, (promise) => void kept.push(promise)),
    async gathered() {
      advance(GATHER_MS);
      await Promise.all(kept.splice(0));
    },
  };
}

describe('createCounters', () => {
  it('gathers, and keeps the isolate until the numbers have left, once', async () => {
    const { points, kept, count, gathered } = start();
    count(exchange('app@docker'));
    count(exchange('app@docker'));
    count(exchange('app@docker', 503));
    expect([kept.length, points.length]).toEqual([1, 0]);
    await gathered();
    expect(points).toEqual([
      { indexes: ['app@docker'], blobs: ['app@docker', '', 'berlin', '200', 'GET', 'https'], doubles: [2, 4, 20, 2] },
      { indexes: ['app@docker'], blobs: ['app@docker', '', 'berlin', '503', 'GET', 'https'], doubles: [1, 2, 10, 1] },
    ]);
    count(exchange('app@docker'));
    await gathered();
    expect(points[2]!.doubles).toEqual([1, 2, 10, 1]);
  });

  it('sends 25 points at a time, the busiest first, and the others next time', async () => {
    const { points, count, gathered } = start();
    for (let i = 0; i < 30; i++) for (let n = 0; n <= i; n++) count(exchange(`r${i}`));
    await gathered();
    expect(points.map(({ doubles }) => doubles![0])).toEqual(Array.from({ length: 25 }, (_, i) => 30 - i));
    count(exchange('r0'));
    await gathered();
    expect(points.slice(25).map(({ indexes }) => indexes![0])).toEqual(['r4', 'r3', 'r2', 'r0', 'r1']);
  });

  it('lets nobody fill the memory, and cuts an index at a whole character', async () => {
    const { points, count, gathered } = start();
    for (let i = 0; i < 1100; i++) count(exchange('r', 200 + i));
    for (let i = 0; i < 200; i++) count(exchange('r', 200, `M${i}`));
    await gathered();
    expect(points[0]).toMatchObject({ indexes: [''], doubles: [300, 600, 3000, 300] } satisfies object);
    expect(points.find(({ blobs }) => blobs![4] === 'EXTENSION_METHOD')).toBeUndefined();
    const long = start();
    long.count(exchange(`${'x'.repeat(95)}ü`));
    await long.gathered();
    expect(long.points[0]!.indexes).toEqual(['x'.repeat(95)]);
  });
});
