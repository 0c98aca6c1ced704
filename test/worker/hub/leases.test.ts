import { beforeEach, describe, expect, it } from 'vitest';
import { HEALTH_KEY, POINTER_KEY } from '../../../src/config/kv-layout.ts';
import { createMemoryHub, type MemoryHub } from '../../support/hub/memory-hub.ts';
import { enrolled } from '../../support/hub/publisher-double.ts';
import { objectsOf, oneRouter } from '../../support/publications.ts';

let memory: MemoryHub;
beforeEach(async () => {
  memory = await createMemoryHub();
});

describe('leases', () => {
  const health = (): unknown => JSON.parse(memory.kv.values.get(HEALTH_KEY) ?? '{}');

  it('lapse after 60 s without a ping: the site is the last choice, its routers stay', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()));
    await memory.advance(59_000);
    expect(health()).toEqual({});
    await memory.advance(1_100);
    expect(health()).toEqual({ berlin: { lapsed: true } });
    expect(memory.snapshot()).toMatchObject({ revision: 1, http: { routers: { 'app@file': {} } } });
    expect(memory.hub.status().publishers).toMatchObject([{ name: 'berlin', lease: 'lapsed' }]);
    await berlin.ping();
    await memory.advance(5_000);
    expect(health()).toEqual({});
    expect(memory.kv.writes.filter((key) => key === POINTER_KEY)).toHaveLength(1);
  });

  it('are renewed by pings', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()));
    for (let i = 0; i < 10; i++) {
      await memory.advance(25_000);
      expect((await berlin.ping()).body).toMatchObject({ leaseMs: 60_000, revision: 1, keysId: expect.any(String) });
    }
    expect(memory.kv.writes).toEqual([POINTER_KEY]);
  });

  it('of others lapse while one pings, though the hub is thrown out of memory between pings', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const paris = await enrolled(memory.target, 'paris');
    await berlin.publish(await objectsOf(oneRouter()));
    await paris.publish(await objectsOf(oneRouter()));
    for (let i = 0; i < 4; i++) {
      await memory.advance(20_000);
      memory.evict();
      await paris.ping();
    }
    expect(health()).toEqual({ berlin: { lapsed: true } });
  });

  it('a hub that was away grants everyone a full lease first', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const paris = await enrolled(memory.target, 'paris');
    await berlin.publish(await objectsOf(oneRouter()));
    await paris.publish(await objectsOf(oneRouter()));
    memory.away = true;
    memory.evict();
    await memory.advance(3_600_000);
    memory.away = false;
    await paris.ping();
    await memory.advance(55_000);
    expect(health()).toEqual({});
    await memory.advance(10_000);
    expect(health()).toEqual({ berlin: { lapsed: true }, paris: { lapsed: true } });
  });

  it('what a silent publisher said is forgotten after a day, not before', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()), { forgetAfterMs: 3_600_000 });
    await memory.advance(3_599_000);
    expect(Object.keys(memory.snapshot().http.routers)).toEqual(['app@file']);
    await memory.advance(10_000);
    expect(memory.snapshot().http.routers).toEqual({});
    expect(memory.hub.history(1)).toMatchObject([
      { kind: 'forget', who: ['berlin'], changes: { removed: expect.arrayContaining(['routers/app@file']) } },
    ]);
    // Its key stays, and it is told that the hub has nothing of it.
    expect((await berlin.ping()).body).not.toHaveProperty('revision');
    expect(await berlin.publish(await objectsOf(oneRouter()))).toMatchObject({ state: 'written' });
  });

  it('a hub that was away for days forgets nobody who comes back in time', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()), { forgetAfterMs: 3_600_000 });
    await memory.advance(120_000);
    memory.away = true;
    memory.evict();
    await memory.advance(3 * 86_400_000);
    memory.away = false;
    await memory.advance(1_000);
    expect((await berlin.ping()).body).toHaveProperty('revision');
    await memory.advance(30_000);
    expect(Object.keys(memory.snapshot().http.routers)).toEqual(['app@file']);
  });

  it('a publisher without an agent has none, and is never forgotten', async () => {
    const ci = await enrolled(memory.target, 'ci');
    await ci.publish(await objectsOf(oneRouter().replace('http://10.0.0.1', 'https://a.example.com'), { agent: false }), {
      link: undefined,
    });
    await memory.advance(10 * 86_400_000);
    expect(memory.hub.status().publishers).toMatchObject([{ name: 'ci', lease: 'none' }]);
    expect(Object.keys(memory.snapshot().http.routers)).toEqual(['app@file']);
    expect(memory.kv.writes).toEqual([POINTER_KEY]);
  });
});

describe('health', () => {
  it('is written when a service loses its last server or gets its first back, at most every 5 s', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()));
    const writes = (): number => memory.kv.writes.filter((key) => key === HEALTH_KEY).length;
    await berlin.ping(['app@file']);
    expect(JSON.parse(memory.kv.values.get(HEALTH_KEY)!)).toEqual({ berlin: { down: ['app@file'] } });
    for (let i = 0; i < 4; i++) await berlin.ping(['app@file']);
    expect(writes()).toBe(1);
    await berlin.ping([]);
    await berlin.ping(['app@file']);
    await berlin.ping([]);
    expect(writes()).toBe(1);
    await memory.advance(5_000);
    expect(writes()).toBe(2);
    expect(JSON.parse(memory.kv.values.get(HEALTH_KEY)!)).toEqual({});
    await memory.advance(20_000);
    expect(writes()).toBe(2);
  });

  it('is written after KV failed', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()));
    memory.kv.fails = (key) => key === HEALTH_KEY;
    await berlin.ping(['app@file']);
    memory.kv.fails = () => false;
    await memory.advance(20_000);
    expect(JSON.parse(memory.kv.values.get(HEALTH_KEY)!)).toEqual({ berlin: { down: ['app@file'] } });
  });
});
