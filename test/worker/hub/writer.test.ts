import { beforeEach, describe, expect, it } from 'vitest';
import { POINTER_KEY } from '../../../src/config/kv-layout.ts';
import { parsePointer } from '../../../src/config/shards.ts';
import { createMemoryHub, type MemoryHub } from '../../support/hub/memory-hub.ts';
import { enrolled } from '../../support/hub/publisher-double.ts';
import { manyRouters, objectsOf, oneRouter } from '../../support/publications.ts';
import { until } from '../../support/until.ts';

let memory: MemoryHub;
beforeEach(async () => {
  memory = await createMemoryHub();
});

describe('KV that fails', () => {
  it('is tried again until it is written, and the publisher knows', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    memory.kv.fails = () => true;
    expect(await berlin.publish(await objectsOf(oneRouter()))).toMatchObject({ revision: 1, state: 'queued' });
    expect(memory.hub.status()).toMatchObject({ revision: 0, pending: { revision: 1, error: expect.stringContaining('503') } });
    await memory.advance(10_000);
    memory.kv.fails = () => false;
    await memory.advance(30_000);
    expect(memory.snapshot().revision).toBe(1);
    expect(memory.hub.status()).toMatchObject({ revision: 1, pending: null });
  });

  it('in the middle of objects leaves the pointer alone', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()));
    let count = 0;
    memory.kv.fails = (key) => key.includes('objects/') && ++count > 1;
    expect(await berlin.publish(await objectsOf(manyRouters(700)))).toMatchObject({ state: 'queued' });
    expect(memory.snapshot().revision).toBe(1);
    memory.kv.fails = () => false;
    await memory.advance(10_000);
    expect(parsePointer(memory.kv.values.get(POINTER_KEY)!).pointer).toMatchObject({ revision: 2, manifest: expect.any(String) });
  });
});

describe('a hub that is thrown out of memory', () => {
  it('in the middle of a publication finishes it when it wakes', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const objects = await objectsOf(oneRouter());
    memory.kv.hold = () => new Promise(() => {});
    void berlin.publish(objects).catch(() => {});
    await until(() => memory.hub.history(1).length === 1);
    expect(memory.kv.writes).toEqual([]);
    memory.evict();
    memory.kv.hold = undefined;
    await memory.advance(10_000);
    expect(memory.snapshot().revision).toBe(1);
    expect(memory.kv.writes.filter((key) => key === POINTER_KEY)).toHaveLength(1);
  });

  it('after it took a publication, before it compiled, brings it into force', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const objects = await objectsOf(oneRouter());
    await berlin.publish(objects);
    let release = (): void => {};
    memory.kv.hold = () => new Promise((resolve) => (release = resolve));
    await memory.advance(2_000);
    void berlin.publish(await objectsOf(oneRouter('b.test'))).catch(() => {});
    await until(() => memory.hub.history(1)[0]!.revision === 2);
    // The turn of this one does not begin: the one before waits for KV.
    const revision = memory.hub.publication('berlin')!.revision;
    void berlin.publish(await objectsOf(oneRouter('c.test'))).catch(() => {});
    await until(() => memory.hub.publication('berlin')!.revision > revision);
    memory.evict();
    memory.kv.hold = undefined;
    release();
    await memory.advance(10_000);
    expect(memory.snapshot().http.routers['app@file']!.rule).toBe('Host(`c.test`)');
  });

  it('that lost its storage goes on above the revision in KV', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    memory.kv.values.set(POINTER_KEY, JSON.stringify({ schema: 1, revision: 41 }));
    expect(await berlin.publish(await objectsOf(oneRouter()))).toMatchObject({ revision: 42, state: 'written' });
  });
});
