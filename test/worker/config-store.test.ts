import { describe, expect, it } from 'vitest';
import { HEALTH_KEY, POINTER_KEY } from '../../src/config/kv-layout.ts';
import { shardOf, splitSnapshot } from '../../src/config/shards.ts';
import type { ProxyConfiguration, ProxyRouter, Snapshot } from '../../src/config/snapshot.ts';
import type { ProxyChanges } from '../../src/proxy/proxy.ts';
import { createConfigStore } from '../../src/worker/config-store.ts';
import { createSnapshotReader, type SnapshotReader } from '../../src/worker/snapshot-reader.ts';
import { createTestPlatform } from '../support/platform.ts';

const router = (host: string, fill = ''): ProxyRouter =>
  ({
    entryPoints: ['http'],
    middlewares: [],
    ...(host === '*' ? {} : { hosts: [host] }),
    service: `s@file${fill}`,
    priority: 1,
  }) as ProxyRouter;

function snapshotOf(revision: number, routers: ProxyConfiguration['routers']): Snapshot {
  const http = { routers, services: {}, middlewares: {}, serversTransports: {} };
  return {
    schema: 1,
    revision,
    sites: { 'agent-1': { agent: 'agent-1', link: { type: 'https', address: `https://r${revision}` } } },
    http,
  };
}

/** Routers of many hosts, too large for one value. */
function manyRouters(mark: string): Record<string, ProxyRouter> {
  const entries = Array.from({ length: 300 }, (_, i) => [`r${i}@file`, router(`h${i}.test`, 'x'.repeat(2000) + mark)] as const);
  return { ...Object.fromEntries(entries), 'any@file': router('*', mark) };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A store over KV and hub in memory. `gate` holds every read of KV back until it is opened. */
function createSetup({ freshnessMs = 60_000 } = {}) {
  const platform = createTestPlatform();
  const kv = new Map<string, string>();
  const hub = { pointer: null as string | null, objects: new Map<string, string>(), away: false, asked: 0 };
  const control = { gate: Promise.resolve(), failing: false, reads: [] as string[][] };
  const ask = <T>(value: T): T => {
    hub.asked++;
    if (hub.away) throw new Error('away');
    return value;
  };
  const env = {
    EDGEWAY_KV: {
      async get(keys: string[]) {
        control.reads.push(keys);
        await control.gate;
        if (control.failing) throw new Error('KV is away');
        return new Map(keys.map((key) => [key, kv.get(key) ?? null]));
      },
    },
    HUB: {
      getByName: () => ({
        readPointer: async () => ask(hub.pointer),
        readObject: async (hash: string) => ask(hub.objects.get(hash) ?? null),
      }),
    },
  } as unknown as Parameters<typeof createSnapshotReader>[0];
  const reader: SnapshotReader = createSnapshotReader(env, platform.log);
  const updates: ProxyChanges[] = [];
  const inForce = new Map<string, ProxyRouter>();
  const store = createConfigStore({
    reader,
    proxy: {
      update(changes) {
        updates.push(changes);
        for (const [name, object] of Object.entries(changes.routers ?? {})) {
          if (object === null) inForce.delete(name);
          else inForce.set(name, object);
        }
      },
    },
    open: async (part) => part,
    clock: platform.clock,
    log: platform.log,
    freshnessMs,
  });
  const behind: Promise<unknown>[] = [];
  const prepare = (host = 'a.test') => store.prepare(host, (promise) => void behind.push(promise));
  async function publish(snapshot: Snapshot, { objects = true, atHub = true } = {}) {
    const parts = await splitSnapshot(snapshot, 0);
    if (objects) for (const [hash, text] of parts.objects) kv.set(`edgeway/objects/${hash}`, text);
    if (atHub) {
      hub.pointer = parts.pointerText;
      for (const [hash, text] of parts.objects) hub.objects.set(hash, text);
    }
    kv.set(POINTER_KEY, parts.pointerText);
    return parts;
  }
  const hold = (): (() => void) => {
    let open = (): void => {};
    control.gate = new Promise((resolve) => void (open = resolve));
    return () => {
      open();
      control.gate = Promise.resolve();
    };
  };
  return { platform, store, kv, hub, control, updates, inForce, prepare, publish, hold, behind };
}

const A = { 'a@file': router('a.test') };
const B = { 'b@file': router('a.test') };

describe('freshness', () => {
  it('uses a copy without asking while it is young, refreshes it behind requests, checks it first when it is old', async () => {
    const { platform, prepare, publish, control, inForce, hold, behind } = createSetup();
    await publish(snapshotOf(1, A));
    expect(await prepare()).toBe(true);
    expect(control.reads).toHaveLength(1);

    await publish(snapshotOf(2, B));
    platform.advance(29_999);
    await prepare();
    expect(control.reads).toHaveLength(1);

    platform.advance(1);
    const open = hold();
    expect(await prepare()).toBe(true);
    expect([...inForce.keys()]).toEqual(['a@file']);
    open();
    await Promise.all(behind);
    expect([...inForce.keys()]).toEqual(['b@file']);

    await publish(snapshotOf(3, A));
    platform.advance(60_000);
    expect(await prepare()).toBe(true);
    expect([...inForce.keys()]).toEqual(['a@file']);
  });

  it('waits for one second at most, then uses what it has, and does not make the next request wait again', async () => {
    const { platform, prepare, publish, control, hold } = createSetup();
    await publish(snapshotOf(1, A));
    await prepare();
    platform.advance(60_000);
    hold();
    let answered = false;
    const waiting = prepare().then((ready) => {
      answered = true;
      return ready;
    });
    await settle();
    platform.advance(999);
    await settle();
    expect(answered).toBe(false);
    platform.advance(1);
    expect(await waiting).toBe(true);
    const reads = control.reads.length;
    expect(await prepare()).toBe(true);
    expect(control.reads).toHaveLength(reads);
  });

  it('lets a request that joined a check of another go on when that one never ends', async () => {
    const { platform, prepare, publish, hold, control } = createSetup();
    await publish(snapshotOf(1, A));
    hold();
    const cutOff = prepare();
    await settle();
    const second = prepare();
    await settle();
    control.gate = Promise.resolve();
    platform.advance(1000);
    await settle();
    expect(await second).toBe(true);
    platform.advance(4000);
    await cutOff;
  });
});

describe('what is kept', () => {
  it.each<[string, (setup: ReturnType<typeof createSetup>) => Promise<void>]>([
    ['an older revision', async ({ publish }) => void (await publish(snapshotOf(1, B)))],
    ['a text that is no pointer', async ({ kv }) => void kv.set(POINTER_KEY, '{"schema":')],
    [
      'a snapshot that does not have its hash',
      async ({ kv, publish }) => {
        const { pointerText } = await publish(snapshotOf(3, B));
        kv.set(POINTER_KEY, pointerText.replace('b@file', 'c@file'));
      },
    ],
    ['no pointer any more', async ({ kv }) => void kv.delete(POINTER_KEY)],
    ['a KV that fails', async ({ control }) => void (control.failing = true)],
    [
      'a manifest that is nowhere',
      async ({ publish, hub }) => {
        await publish(snapshotOf(3, manyRouters('')), { objects: false, atHub: false });
        hub.away = true;
      },
    ],
  ])('%s changes nothing', async (_, change) => {
    const setup = createSetup();
    await setup.publish(snapshotOf(2, A));
    await setup.prepare();
    await change(setup);
    setup.platform.advance(60_000);
    expect(await setup.prepare()).toBe(true);
    expect([...setup.inForce.keys()]).toEqual(['a@file']);
    expect(setup.store.site('agent-1')!.link.address).toBe('https://r2');
    expect(setup.updates).toHaveLength(1);
  });

  it('with nothing at all there is nothing to answer with, and the next try comes a second later', async () => {
    const { prepare, platform, control } = createSetup();
    expect(await prepare()).toBe(false);
    expect(await prepare()).toBe(false);
    expect(control.reads).toHaveLength(1);
    platform.advance(1000);
    expect(await prepare()).toBe(false);
    expect(control.reads).toHaveLength(2);
  });
});

describe('objects', () => {
  it('are read for the host that is asked for and the common one only: three reads', async () => {
    const { prepare, publish, control, inForce } = createSetup();
    const { objects } = await publish(snapshotOf(1, manyRouters('')));
    expect(objects.size).toBeGreaterThan(3);
    expect(await prepare('h7.test')).toBe(true);
    expect(control.reads.map((keys) => keys.length)).toEqual([2, 1, 2]);
    expect(inForce.has('r7@file')).toBe(true);
    expect(inForce.has('any@file')).toBe(true);
    expect(inForce.size).toBeLessThan(300);

    const shards = objects.size - 2;
    const elsewhere = Array.from({ length: 300 }, (_, i) => `h${i}.test`).find(
      (host) => shardOf(host, shards) !== shardOf('h7.test', shards),
    )!;
    expect(await prepare(elsewhere)).toBe(true);
    expect(control.reads).toHaveLength(4);
    expect(await prepare('unknown.test')).toBe(true);
  });

  it('come from the hub while KV has the pointer only', async () => {
    const { prepare, publish, hub, inForce } = createSetup();
    await publish(snapshotOf(1, manyRouters('')), { objects: false });
    expect(await prepare('h7.test')).toBe(true);
    expect(hub.asked).toBe(3);
    expect(inForce.has('r7@file')).toBe(true);
  });

  it('that do not have the hash that names them are not taken from KV', async () => {
    const { prepare, publish, kv, hub, inForce } = createSetup();
    const { objects } = await publish(snapshotOf(1, manyRouters('')));
    for (const hash of objects.keys()) kv.set(`edgeway/objects/${hash}`, '{}');
    expect(await prepare('h7.test')).toBe(true);
    expect(hub.asked).toBe(3);
    expect(inForce.has('r7@file')).toBe(true);
  });

  it('of all hosts that were asked for change at once', async () => {
    const { prepare, publish, platform, updates } = createSetup();
    await publish(snapshotOf(1, manyRouters('')));
    for (let i = 0; i < 300; i++) await prepare(`h${i}.test`);
    const before = updates.length;
    await publish(snapshotOf(2, manyRouters('y')));
    platform.advance(60_000);
    await prepare('h7.test');
    expect(updates).toHaveLength(before + 1);
    expect(Object.keys(updates.at(-1)!.routers!)).toHaveLength(301);
  });

  it('of a host nobody asked for yet make its requests wait, and fail alone', async () => {
    const { prepare, publish, kv, hub } = createSetup();
    const { objects } = await publish(snapshotOf(1, manyRouters('')));
    await prepare('h7.test');
    for (const hash of objects.keys()) kv.delete(`edgeway/objects/${hash}`);
    hub.away = true;
    const ready = new Map<string, boolean>();
    for (let i = 0; i < 300; i++) ready.set(`h${i}.test`, await prepare(`h${i}.test`));
    expect(ready.get('h7.test')).toBe(true);
    expect([...ready.values()].filter((value) => !value).length).toBeGreaterThan(0);
    hub.away = false;
    for (const host of ready.keys()) expect(await prepare(host)).toBe(true);
  });
});

describe('health', () => {
  it('comes with the pointer, and a broken one keeps no configuration away', async () => {
    const { prepare, publish, kv, platform, store, inForce } = createSetup();
    await publish(snapshotOf(1, A));
    kv.set(HEALTH_KEY, '{"agent-1":{"lapsed":true}}');
    await prepare();
    expect(store.health()).toEqual({ 'agent-1': { lapsed: true } });
    kv.set(HEALTH_KEY, '{');
    await publish(snapshotOf(2, B));
    platform.advance(60_000);
    await prepare();
    expect(store.health()).toEqual({ 'agent-1': { lapsed: true } });
    expect([...inForce.keys()]).toEqual(['b@file']);
  });
});

describe('the hub', () => {
  it('is asked for the pointer when the isolate has nothing and KV has none either', async () => {
    const { prepare, publish, kv, hub, inForce } = createSetup();
    await publish(snapshotOf(1, A));
    kv.clear();
    expect(await prepare()).toBe(true);
    expect([...inForce.keys()]).toEqual(['a@file']);
    expect(hub.asked).toBe(1);
  });

  it('that is away disturbs nobody who has something', async () => {
    const { prepare, publish, hub, platform } = createSetup();
    await publish(snapshotOf(1, A));
    hub.away = true;
    expect(await prepare()).toBe(true);
    platform.advance(60_000);
    expect(await prepare()).toBe(true);
    expect(hub.asked).toBe(0);
  });
});
