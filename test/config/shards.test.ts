import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/bytes.ts';
import { INLINE_LIMIT_BYTES, type Manifest } from '../../src/config/kv-layout.ts';
import { closeOver, routersByParent } from '../../src/config/references.ts';
import { joinSnapshot, parsePointer, parseShard, requestHostKey, shardOf, splitSnapshot } from '../../src/config/shards.ts';
import { canonicalJson, type ProxyConfiguration, type ProxyRouter, type Snapshot } from '../../src/config/snapshot.ts';

/** A router of one host, or of any (`*`). */
const router = (host: string, service: string, extra: Partial<ProxyRouter> = {}): ProxyRouter =>
  ({
    entryPoints: ['https'],
    middlewares: [],
    rule: '',
    ...(host === '*' ? {} : { hosts: [host] }),
    service,
    priority: 1,
    ...extra,
  }) as ProxyRouter;

/** `count` routers of a host each, every one with a service and a middleware of about `bytes`. */
function snapshotOf(count: number, bytes: number, revision = 1): Snapshot {
  const http = { routers: {}, services: {}, middlewares: {}, serversTransports: {} } as Record<
    keyof ProxyConfiguration,
    Record<string, unknown>
  >;
  for (let i = 0; i < count; i++) {
    http.routers[`r${i}@file`] = router(i % 50 === 0 ? '*' : `h${i}.example.com`, `s${i % 40}@file`, { middlewares: [`m${i}@file`] });
    http.middlewares[`m${i}@file`] = { headers: { customRequestHeaders: { 'X-Fill': 'x'.repeat(bytes) } } };
    http.services[`s${i % 40}@file`] = { sites: { sites: { 'agent-1': { name: `s${i % 40}@file`, weight: 1 } } } };
  }
  return {
    schema: 1,
    revision,
    sites: { 'agent-1': { agent: 'agent-1', link: { type: 'https', address: 'https://a' } } },
    http: http as never,
  };
}

const reader = (objects: ReadonlyMap<string, string>) => async (hash: string) => {
  const text = objects.get(hash);
  if (text === undefined) throw new Error(`no object ${hash}`);
  return text;
};

describe('splitSnapshot', () => {
  it('puts a small snapshot into the pointer, with the hash of its own text', async () => {
    const snapshot = snapshotOf(3, 10);
    const { pointerText, objects } = await splitSnapshot(snapshot, 5);
    const { pointer, inlineText } = parsePointer(pointerText);
    expect(objects.size).toBe(0);
    expect(inlineText).toBe(canonicalJson(snapshot));
    expect(await sha256Hex(inlineText!)).toBe(pointer.hash);
    expect(pointer).toEqual({ schema: 1, revision: 1, hash: pointer.hash, createdAt: 5, snapshot });
  });

  it('cuts a large one into shards within the limit, and join gives it back', async () => {
    const snapshot = snapshotOf(1000, 1500);
    const { pointer, objects } = await splitSnapshot(snapshot, 5);
    expect(pointer.snapshot).toBeUndefined();
    for (const [hash, text] of objects) {
      expect(await sha256Hex(text)).toBe(hash);
      expect(text.length).toBeLessThanOrEqual(INLINE_LIMIT_BYTES);
    }
    expect(canonicalJson(await joinSnapshot(pointer, reader(objects)))).toBe(canonicalJson(snapshot));
  });

  it('rewrites one shard and the manifest for one more router', async () => {
    const before = snapshotOf(1000, 1500);
    const routers = { ...before.http.routers, 'new@file': router('new.example.com', 's1@file') };
    const after: Snapshot = { ...before, revision: 2, http: { ...before.http, routers } };
    const [first, second] = await Promise.all([splitSnapshot(before, 5), splitSnapshot(after, 6)]);
    const written = [...second.objects.keys()].filter((hash) => !first.objects.has(hash));
    const { shards } = JSON.parse(second.objects.get(second.pointer.manifest!)!) as Manifest;
    expect(written.sort()).toEqual([second.pointer.manifest!, shards[shardOf('new.example.com', shards.length)]!].sort());
  });

  it('keeps priorities beyond 2⁵³', async () => {
    const small = snapshotOf(2, 10);
    const routers = { 'r@file': router('a', 's0@file', { priority: (2n ** 60n) as never }) };
    const { pointerText } = await splitSnapshot({ ...small, http: { ...small.http, routers } }, 5);
    expect(parsePointer(pointerText).pointer.snapshot!.http.routers['r@file']!.priority).toBe(2n ** 60n);
    expect(parseShard(canonicalJson({ ...small.http, routers })).routers['r@file']!.priority).toBe(2n ** 60n);
  });

  it('is the same for the same snapshot in any order of its objects, and every shard stands alone', async () => {
    const names = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 200, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(names, fc.integer(), async (hosts, seed) => {
        const routers: [string, ProxyRouter][] = hosts.map((host, i) => [
          `r${i}@file`,
          router(host === 0 ? '*' : `h${host}.example.com`, `s${host % 7}@file`, { middlewares: [`m${host % 5}@file`] }),
        ]);
        const services = Object.fromEntries(
          Array.from({ length: 7 }, (_, i) => [
            `s${i}@file`,
            i === 0 ? { weighted: { services: [{ name: 's1' }] } } : { loadBalancer: { passHostHeader: true } },
          ]),
        );
        const middlewares = Object.fromEntries(
          Array.from({ length: 5 }, (_, i) => [
            `m${i}@file`,
            i === 0 ? { chain: { middlewares: ['m1'] } } : { headers: { customRequestHeaders: { 'X-Fill': 'x'.repeat(60_000) } } },
          ]),
        );
        const of = (entries: [string, ProxyRouter][]): Snapshot =>
          ({
            schema: 1,
            revision: 1,
            sites: {},
            http: { routers: Object.fromEntries(entries), services, middlewares, serversTransports: {} },
          }) as never;
        const shuffled = routers.map((entry, i) => [(i * 7919 + seed) % 104_729, entry] as const).sort(([a], [b]) => a - b);
        const first = await splitSnapshot(of(routers), 1);
        const second = await splitSnapshot(of(shuffled.map(([, entry]) => entry)), 1);
        expect(second.pointerText).toBe(first.pointerText);
        expect(second.objects).toEqual(first.objects);
        for (const [hash, text] of first.objects) {
          if (hash === first.pointer.manifest) continue;
          const shard = parseShard(text);
          const again = closeOver(shard, Object.keys(shard.routers), routersByParent(shard.routers));
          expect(again).toEqual(shard);
          for (const { service, middlewares: used } of Object.values(shard.routers)) {
            expect(shard.services).toHaveProperty([service]);
            for (const name of used) expect(shard.middlewares).toHaveProperty([name]);
          }
        }
        const all = await joinSnapshot(first.pointer, reader(first.objects));
        expect(all.http.routers).toEqual(of(routers).http.routers);
      }),
      { numRuns: 8 },
    );
  });
});

describe('closeOver', () => {
  const http = {
    routers: {
      'parent@file': router('a', 's@file', { middlewares: ['chain@file'] }),
      'child@file': router('*', 'deep@file', { parentRefs: ['parent@file'] }),
      'away@file': router('b', 'other@file', { handOver: { 'agent-1': 'away@file' }, middlewares: ['h@file'] }),
    },
    services: {
      's@file': { middlewares: ['onService'], failover: { service: 'a', fallback: 'b' } },
      'a@file': { mirroring: { service: 'c', mirrors: [{ name: 'd' }] } },
      'b@file': { loadBalancer: { serversTransport: 't' } },
      'c@file': {},
      'd@file': {},
      'deep@file': {},
      'other@file': {},
      'pages@file': {},
    },
    middlewares: {
      'chain@file': { chain: { middlewares: ['errors', 'h@docker'] } },
      'errors@file': { errors: { service: 'pages' } },
      'h@docker': { headers: {} },
      'h@file': { headers: {} },
      'onService@file': { headers: {} },
    },
    serversTransports: { 't@file': {}, 'u@file': {} },
  } as never as ProxyConfiguration;
  const names = (part: ProxyConfiguration) => Object.values(part).flatMap((objects) => Object.keys(objects));

  it.each([
    [
      'parent@file',
      [
        'child@file',
        'parent@file',
        'a@file',
        'b@file',
        'c@file',
        'd@file',
        'deep@file',
        'pages@file',
        's@file',
        'chain@file',
        'errors@file',
        'h@docker',
        'onService@file',
        't@file',
      ],
    ],
    ['away@file', ['away@file']],
    ['missing@file', []],
  ])('%s needs these', (root, expected) => {
    expect(names(closeOver(http, [root], routersByParent(http.routers)))).toEqual(expected);
  });
});

describe('requestHostKey', () => {
  it.each([
    ['A.Example.com', 'a.example.com'],
    ['a.example.com:8443', 'a.example.com'],
    ['a.example.com.', 'a.example.com'],
    ['[::1]:80', '::1'],
    ['[::1]', '::1'],
  ])('%s is found under %s', (host, key) => {
    expect(requestHostKey(host)).toBe(key);
  });
});
