import { beforeEach, describe, expect, it } from 'vitest';
import { createCode } from '../../../src/config/codes.ts';
import { HUB_PATHS, type HubStatus } from '../../../src/config/hub-protocol.ts';
import { HEALTH_KEY, objectKey, POINTER_KEY } from '../../../src/config/kv-layout.ts';
import { formatPublication } from '../../../src/config/publication.ts';
import { parsePointer } from '../../../src/config/shards.ts';
import type { Snapshot } from '../../../src/config/snapshot.ts';
import { ADMIN_KEY, createMemoryHub, type MemoryHub, until } from '../../support/hub/memory-hub.ts';
import { createPublisherDouble, enrolled, type Target } from '../../support/hub/publisher-double.ts';
import { objectsOf } from '../../support/publications.ts';

let memory: MemoryHub;
let target: Target;
beforeEach(async () => {
  memory = await createMemoryHub();
  target = { url: 'https://control.test', fetch: memory.fetch, now: memory.clock.now };
});

const app = (host = 'a.test', name = 'app'): string => `
http:
  routers: { ${name}: { rule: "Host(\`${host}\`)", service: ${name} } }
  services: { ${name}: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
`;
const snapshot = (): Snapshot => parsePointer(memory.kv.values.get(POINTER_KEY)!).pointer.snapshot!;
const codeFor = (name?: string, replace = false, lifetimeMs = 60_000) =>
  createCode(ADMIN_KEY, { purpose: 'enrol', now: memory.clock.now(), lifetimeMs, name, replace });
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing',
    (error: { code: string }) => error.code,
  );

describe('enrolment', () => {
  const enrol = async (name: string, code: string, change: object = {}, publisher = createPublisherDouble(target, name)) => {
    const double = await publisher;
    const { status, body } = await double.send('POST', HUB_PATHS.enrol, { code, name, kind: 'agent', key: double.key, ...change });
    return { status, code: (body as { code?: string }).code, body };
  };

  it('pins the key and gives what the publisher pins', async () => {
    const { status, body } = await enrol('berlin', await codeFor());
    expect(status).toBe(200);
    expect(body).toMatchObject({
      grantKeys: [{ kid: 'grant-1', x: memory.grantKey.x }],
      sealKey: expect.any(String),
      id: expect.any(String),
    });
  });

  it('takes a code once', async () => {
    const code = await codeFor();
    expect(await enrol('berlin', code)).toMatchObject({ status: 200 });
    expect(await enrol('paris', code)).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it.each([
    ['a code of another key', async () => createCode('A'.repeat(43), { purpose: 'enrol', now: memory.clock.now(), lifetimeMs: 60_000 })],
    ['a session', async () => createCode(ADMIN_KEY, { purpose: 'session', now: memory.clock.now(), lifetimeMs: 60_000 })],
    ['an old code', async () => createCode(ADMIN_KEY, { purpose: 'enrol', now: memory.clock.now() - 120_000, lifetimeMs: 60_000 })],
    ['a code for another name', async () => codeFor('paris')],
    ['no code', async () => ''],
  ])('refuses %s', async (_, code) => {
    expect(await enrol('berlin', await code())).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it.each([
    ['a name with capitals', { name: 'Berlin' }, 'malformed'],
    ['a key of another kind', { key: { kty: 'EC', crv: 'P-256', x: 'x' } }, 'malformed'],
    ['a kind that nobody knows', { kind: 'god' }, 'malformed'],
  ])('refuses %s', async (_, change, code) => {
    expect(await enrol('berlin', await codeFor(), change)).toMatchObject({ code });
  });

  it('wants the request signed with the key that it names', async () => {
    const other = await createPublisherDouble(target, 'paris');
    expect(await enrol('berlin', await codeFor(), { key: other.key })).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('keeps a name for its key, until a code says otherwise', async () => {
    await enrol('berlin', await codeFor());
    expect(await enrol('berlin', await codeFor())).toMatchObject({ status: 409, code: 'taken' });
    expect(await enrol('berlin', await codeFor('berlin', true))).toMatchObject({ status: 200 });
  });
});

describe('a signed request', () => {
  it('counts once', async () => {
    const seen: [string, RequestInit][] = [];
    const tapped = (async (url: string, init: RequestInit) => {
      seen.push([url, init]);
      return target.fetch(url, init);
    }) as typeof fetch;
    const paris = await enrolled({ ...target, fetch: tapped }, 'paris');
    expect((await paris.ping()).status).toBe(200);
    const [url, init] = seen.at(-1)!;
    const replay = await target.fetch(url, init);
    expect(replay.status).toBe(401);
    expect(await replay.json()).toMatchObject({ code: 'replay' });
    expect(replay.headers.get('edgeway-time')).toBe(String(memory.clock.now()));
  });

  it('counts once after the hub was thrown out of memory too', async () => {
    const berlin = await enrolled(target, 'berlin');
    const time = memory.clock.now() + 5;
    expect((await berlin.send('POST', HUB_PATHS.ping, { down: [] }, { time })).status).toBe(200);
    memory.evict();
    expect((await berlin.send('POST', HUB_PATHS.ping, { down: [] }, { time })).body).toMatchObject({ code: 'replay' });
  });

  it.each([
    ['for another path', { path: '/hub/keys' }, 'unauthorized'],
    ['for another method', { method: 'PUT' }, 'unauthorized'],
    ['for another body', { body: 'x' }, 'unauthorized'],
    ['of another publisher', { iss: 'nobody' }, 'unknown-publisher'],
    ['from the future', { time: 9e15 }, 'clock'],
    ['of no time', { time: Number.NaN }, 'unauthorized'],
  ])('%s is refused', async (_, change, code) => {
    const berlin = await enrolled(target, 'berlin');
    expect(await berlin.send('POST', HUB_PATHS.ping, { down: [] }, change)).toMatchObject({ status: 401, body: { code } });
  });

  it('with the key of another publisher is refused', async () => {
    await enrolled(target, 'berlin');
    const paris = await enrolled(target, 'paris');
    expect((await paris.send('POST', HUB_PATHS.ping, { down: [] }, { iss: 'berlin' })).body).toMatchObject({ code: 'unauthorized' });
  });

  it('tells the time to a publisher whose clock is wrong', async () => {
    const berlin = await enrolled(target, 'berlin');
    expect((await berlin.send('POST', HUB_PATHS.ping, { down: [] }, { time: memory.clock.now() - 61_000 })).body).toMatchObject({
      code: 'clock',
    });
  });
});

describe('publishing', () => {
  it('writes the pointer once, and nothing when the same comes again', async () => {
    const berlin = await enrolled(target, 'berlin');
    const objects = await objectsOf(app());
    expect(await berlin.publish(objects)).toEqual({ revision: 1, state: 'written', problems: [], conflicts: [] });
    expect(memory.kv.writes).toEqual([POINTER_KEY]);
    expect(snapshot()).toMatchObject({
      revision: 1,
      sites: { berlin: { agent: 'berlin' } },
      http: { routers: { 'app@file': { rule: 'Host(`a.test`)' } } },
    });
    for (let i = 0; i < 3; i++) expect(await berlin.publish(objects)).toMatchObject({ revision: 1, state: 'unchanged' });
    memory.evict();
    expect(await berlin.publish(objects)).toMatchObject({ revision: 1, state: 'unchanged' });
    await memory.advance(120_000);
    expect(memory.kv.writes.filter((key) => key === POINTER_KEY)).toHaveLength(1);
  });

  it('uploads only shards that the hub lacks', async () => {
    const berlin = await enrolled(target, 'berlin');
    const paris = await enrolled(target, 'paris');
    const objects = await objectsOf(app());
    const { manifest } = await formatPublication(objects, { publisher: 'paris', revision: 1, forgetAfterMs: 0 });
    await berlin.publish(objects);
    // Paris says the same: all its shards are there already.
    expect((await paris.send('PUT', HUB_PATHS.publication, { ...manifest, link: { type: 'https', address: 'https://p' } })).status).toBe(
      200,
    );
  });

  it('merges publishers, and takes a second within a pause of KV', async () => {
    const berlin = await enrolled(target, 'berlin');
    const paris = await enrolled(target, 'paris');
    const objects = await objectsOf(app());
    await berlin.publish(objects);
    await paris.publish(objects);
    await paris.publish(await objectsOf(app('b.test', 'other')));
    expect(snapshot().revision).toBe(3);
    expect(Object.keys(snapshot().http.routers)).toEqual(['app@file', 'other@file']);
    expect(memory.kv.writes).toEqual([POINTER_KEY, POINTER_KEY, POINTER_KEY]);
  });

  it('writes objects before the pointer, and those that are known not again', async () => {
    const berlin = await enrolled(target, 'berlin');
    const routers = (count: number): string =>
      `http:\n  routers:\n${Array.from({ length: count }, (_, i) => `    r${i}: { rule: "Host(\`host-${i}.example.com\`) && PathPrefix(\`/${'x'.repeat(200)}\`)", service: s }`).join('\n')}
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }\n`;
    await berlin.publish(await objectsOf(routers(700)));
    const { pointer } = parsePointer(memory.kv.values.get(POINTER_KEY)!);
    expect(pointer.manifest).toMatch(/^[0-9a-f]{64}$/);
    expect(memory.kv.writes.at(-1)).toBe(POINTER_KEY);
    expect(memory.kv.writes).toContain(objectKey(pointer.manifest!));
    expect(await memory.hub.readObject(pointer.manifest!)).toBe(memory.kv.values.get(objectKey(pointer.manifest!)));
    const before = memory.kv.writes.length;
    await berlin.publish(await objectsOf(routers(701)));
    // One shard, the manifest, the pointer.
    expect(memory.kv.writes.length - before).toBeLessThanOrEqual(4);
  });

  it('takes a publication without any router', async () => {
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()));
    await berlin.publish({ routers: {}, services: {}, middlewares: {}, serversTransports: {} });
    expect(snapshot().http.routers).toEqual({});
  });

  it('refuses 10,001 routers', async () => {
    const berlin = await enrolled(target, 'berlin');
    const { manifest } = await formatPublication(await objectsOf(app()), { publisher: 'berlin', revision: 1, forgetAfterMs: 0 });
    const { status, body } = await berlin.send('PUT', HUB_PATHS.publication, { ...manifest, routers: 10_001 });
    expect({ status, body }).toMatchObject({ status: 413, body: { code: 'limit', message: expect.stringContaining('10001 routers') } });
    // One that lies about the number is counted.
    const routers = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`r${i}@file`, { config: {} }]));
    const many = { routers, services: {}, middlewares: {}, serversTransports: {} };
    const text = JSON.stringify(many);
    const hash = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');
    expect((await berlin.send('POST', HUB_PATHS.shards, { [hash]: text })).status).toBe(200);
    expect(await berlin.send('PUT', HUB_PATHS.publication, { ...manifest, revision: 2, shards: { 0: hash } })).toMatchObject({
      status: 413,
      body: { code: 'limit' },
    });
    expect(memory.kv.writes).toEqual([]);
  });

  it.each([
    ['as somebody else', { publisher: 'paris' }, 'malformed'],
    ['in another format', { format: 9 }, 'malformed'],
  ])('%s is refused', async (_, change, code) => {
    const berlin = await enrolled(target, 'berlin');
    expect(await rejection(berlin.publish(await objectsOf(app()), change))).toBe(code);
  });

  it('refuses a shard whose text is not what its hash says, and a body that is too large', async () => {
    const berlin = await enrolled(target, 'berlin');
    expect((await berlin.send('POST', HUB_PATHS.shards, { ['a'.repeat(64)]: '{}' })).body).toMatchObject({ code: 'malformed' });
    expect((await berlin.send('POST', HUB_PATHS.shards, { x: 'x'.repeat(4 * 1024 * 1024) })).body).toMatchObject({ code: 'limit' });
  });

  it('refuses an older revision, and says which one is here', async () => {
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()), { revision: 10 });
    expect(
      (await berlin.send('PUT', HUB_PATHS.publication, { format: 1, publisher: 'berlin', revision: 9, routers: 0, shards: {} })).body,
    ).toMatchObject({
      code: 'stale',
      revision: 10,
    });
  });

  it('tells a publisher of its problems and conflicts', async () => {
    const berlin = await enrolled(target, 'berlin');
    const paris = await enrolled(target, 'paris');
    await berlin.publish(await objectsOf(app()));
    const objects = await objectsOf(app('a.test', 'other'));
    const answer = await paris.publish({
      ...objects,
      routers: { ...objects.routers, 'z@file': { config: { rule: 'Hots(`z`)', entryPoints: ['http'] } } },
    });
    expect(answer.problems).toEqual([{ publisher: 'paris', object: 'http.routers.z@file', message: expect.stringContaining('Hots') }]);
    expect(answer.conflicts).toMatchObject([{ winner: { router: 'other@file', publishers: ['paris'] }, losers: [{ router: 'app@file' }] }]);
    expect(Object.keys(snapshot().http.routers)).toEqual(['other@file']);
    // What changed last wins: berlin changes its service's cookie, its router stays as it was.
    await berlin.publish(
      await objectsOf(app('a.test', 'app').replace('service: app }', 'service: app, observability: { metrics: false } }')),
    );
    expect(Object.keys(snapshot().http.routers)).toEqual(['app@file']);
  });
});

describe('KV that fails', () => {
  it('is tried again until it is written, and the publisher knows', async () => {
    const berlin = await enrolled(target, 'berlin');
    memory.kv.fails = () => true;
    expect(await berlin.publish(await objectsOf(app()))).toMatchObject({ revision: 1, state: 'queued' });
    expect(memory.hub.status()).toMatchObject({ revision: 0, pending: { revision: 1, error: expect.stringContaining('503') } });
    await memory.advance(10_000);
    memory.kv.fails = () => false;
    await memory.advance(30_000);
    expect(snapshot().revision).toBe(1);
    expect(memory.hub.status()).toMatchObject({ revision: 1, pending: null });
  });

  it('in the middle of objects leaves the pointer alone', async () => {
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()));
    const large = `http:\n  routers:\n${Array.from({ length: 700 }, (_, i) => `    r${i}: { rule: "Host(\`host-${i}.example.com\`) && PathPrefix(\`/${'x'.repeat(200)}\`)", service: s }`).join('\n')}
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }\n`;
    let count = 0;
    memory.kv.fails = (key) => key.includes('objects/') && ++count > 1;
    expect(await berlin.publish(await objectsOf(large))).toMatchObject({ state: 'queued' });
    expect(snapshot().revision).toBe(1);
    memory.kv.fails = () => false;
    await memory.advance(10_000);
    expect(parsePointer(memory.kv.values.get(POINTER_KEY)!).pointer).toMatchObject({ revision: 2, manifest: expect.any(String) });
  });
});

describe('a hub that is thrown out of memory', () => {
  it('in the middle of a publication finishes it when it wakes', async () => {
    const berlin = await enrolled(target, 'berlin');
    const objects = await objectsOf(app());
    memory.kv.hold = () => new Promise(() => {});
    void berlin.publish(objects).catch(() => {});
    await until(() => memory.hub.history(1).length === 1);
    expect(memory.kv.writes).toEqual([]);
    memory.evict();
    memory.kv.hold = undefined;
    await memory.advance(10_000);
    expect(snapshot().revision).toBe(1);
    expect(memory.kv.writes.filter((key) => key === POINTER_KEY)).toHaveLength(1);
  });

  it('after it took a publication, before it compiled, brings it into force', async () => {
    const berlin = await enrolled(target, 'berlin');
    const objects = await objectsOf(app());
    await berlin.publish(objects);
    let release = (): void => {};
    memory.kv.hold = () => new Promise((resolve) => (release = resolve));
    await memory.advance(2_000);
    void berlin.publish(await objectsOf(app('b.test'))).catch(() => {});
    await until(() => memory.hub.history(1)[0]!.revision === 2);
    // The turn of this one does not begin: the one before waits for KV.
    const revision = memory.hub.publication('berlin')!.revision;
    void berlin.publish(await objectsOf(app('c.test'))).catch(() => {});
    await until(() => memory.hub.publication('berlin')!.revision > revision);
    memory.evict();
    memory.kv.hold = undefined;
    release();
    await memory.advance(10_000);
    expect(snapshot().http.routers['app@file']!.rule).toBe('Host(`c.test`)');
  });

  it('that lost its storage goes on above the revision in KV', async () => {
    const berlin = await enrolled(target, 'berlin');
    memory.kv.values.set(POINTER_KEY, JSON.stringify({ schema: 1, revision: 41 }));
    expect(await berlin.publish(await objectsOf(app()))).toMatchObject({ revision: 42, state: 'written' });
  });
});

describe('leases', () => {
  const health = (): unknown => JSON.parse(memory.kv.values.get(HEALTH_KEY) ?? '{}');

  it('lapse after 60 s without a ping: the site is the last choice, its routers stay', async () => {
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()));
    await memory.advance(59_000);
    expect(health()).toEqual({});
    await memory.advance(1_100);
    expect(health()).toEqual({ berlin: { lapsed: true } });
    expect(snapshot()).toMatchObject({ revision: 1, http: { routers: { 'app@file': {} } } });
    expect(memory.hub.status().publishers).toMatchObject([{ name: 'berlin', lease: 'lapsed' }]);
    await berlin.ping();
    await memory.advance(5_000);
    expect(health()).toEqual({});
    expect(memory.kv.writes.filter((key) => key === POINTER_KEY)).toHaveLength(1);
  });

  it('are renewed by pings', async () => {
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()));
    for (let i = 0; i < 10; i++) {
      await memory.advance(25_000);
      expect((await berlin.ping()).body).toMatchObject({ leaseMs: 60_000, revision: 1, keysId: expect.any(String) });
    }
    expect(memory.kv.writes).toEqual([POINTER_KEY]);
  });

  it('of others lapse while one pings, though the hub is thrown out of memory between pings', async () => {
    const berlin = await enrolled(target, 'berlin');
    const paris = await enrolled(target, 'paris');
    await berlin.publish(await objectsOf(app()));
    await paris.publish(await objectsOf(app()));
    for (let i = 0; i < 4; i++) {
      await memory.advance(20_000);
      memory.evict();
      await paris.ping();
    }
    expect(health()).toEqual({ berlin: { lapsed: true } });
  });

  it('a hub that was away grants everyone a full lease first', async () => {
    const berlin = await enrolled(target, 'berlin');
    const paris = await enrolled(target, 'paris');
    await berlin.publish(await objectsOf(app()));
    await paris.publish(await objectsOf(app()));
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
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()), { forgetAfterMs: 3_600_000 });
    await memory.advance(3_599_000);
    expect(Object.keys(snapshot().http.routers)).toEqual(['app@file']);
    await memory.advance(10_000);
    expect(snapshot().http.routers).toEqual({});
    expect(memory.hub.history(1)).toMatchObject([
      { kind: 'forget', who: ['berlin'], changes: { removed: expect.arrayContaining(['routers/app@file']) } },
    ]);
    // Its key stays, and it is told that the hub has nothing of it.
    expect((await berlin.ping()).body).not.toHaveProperty('revision');
    expect(await berlin.publish(await objectsOf(app()))).toMatchObject({ state: 'written' });
  });

  it('a hub that was away for days forgets nobody who comes back in time', async () => {
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()), { forgetAfterMs: 3_600_000 });
    await memory.advance(120_000);
    memory.away = true;
    memory.evict();
    await memory.advance(3 * 86_400_000);
    memory.away = false;
    await memory.advance(1_000);
    expect((await berlin.ping()).body).toHaveProperty('revision');
    await memory.advance(30_000);
    expect(Object.keys(snapshot().http.routers)).toEqual(['app@file']);
  });

  it('a publisher without an agent has none, and is never forgotten', async () => {
    const ci = await enrolled(target, 'ci');
    await ci.publish(await objectsOf(app().replace('http://10.0.0.1', 'https://a.example.com'), { agent: false }), { link: undefined });
    await memory.advance(10 * 86_400_000);
    expect(memory.hub.status().publishers).toMatchObject([{ name: 'ci', lease: 'none' }]);
    expect(Object.keys(snapshot().http.routers)).toEqual(['app@file']);
    expect(memory.kv.writes).toEqual([POINTER_KEY]);
  });
});

describe('health', () => {
  it('is written when a service loses its last server or gets its first back, at most every 5 s', async () => {
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()));
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
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()));
    memory.kv.fails = (key) => key === HEALTH_KEY;
    await berlin.ping(['app@file']);
    memory.kv.fails = () => false;
    await memory.advance(20_000);
    expect(JSON.parse(memory.kv.values.get(HEALTH_KEY)!)).toEqual({ berlin: { down: ['app@file'] } });
  });
});

describe('history', () => {
  const publishHosts = async (...hosts: string[]) => {
    const berlin = await enrolled(target, 'berlin');
    for (const host of hosts) await berlin.publish(await objectsOf(app(host)));
    return berlin;
  };

  it('tells who changed what, and when', async () => {
    const startedAt = memory.clock.now();
    await publishHosts('a.test', 'b.test');
    const list = memory.hub.history(10);
    expect(list).toMatchObject([
      { revision: 2, kind: 'publish', who: ['berlin'], changes: { added: [], changed: ['routers/app@file'], removed: [], count: 1 } },
      { revision: 1, kind: 'publish', who: ['berlin'], changes: { added: ['routers/app@file', 'services/app@file', 'sites/berlin'] } },
    ]);
    expect(list[1]!.at).toBeGreaterThanOrEqual(startedAt);
    expect((await memory.hub.diff(1, 2)).changes).toMatchObject([
      { object: 'routers/app@file', before: { rule: 'Host(`a.test`)' }, after: { rule: 'Host(`b.test`)' } },
    ]);
  });

  it('a roll-back pins its revision until it is released', async () => {
    const berlin = await publishHosts('a.test', 'b.test');
    const rolledBack = memory.hub.rollback(1, 'ann');
    await memory.advance(1_000);
    await rolledBack;
    expect(snapshot()).toMatchObject({ revision: 3, http: { routers: { 'app@file': { rule: 'Host(`a.test`)' } } } });
    expect(memory.hub.status().pinned).toMatchObject({ revision: 1, by: 'ann' });
    await memory.advance(1_000);
    expect(await berlin.publish(await objectsOf(app('c.test')))).toMatchObject({ revision: 3, state: 'pinned' });
    memory.evict();
    await memory.advance(60_000);
    expect(snapshot().revision).toBe(3);
    const status = await memory.hub.release('ben');
    expect(status).toMatchObject({ revision: 4, pinned: null });
    expect(snapshot().http.routers['app@file']!.rule).toBe('Host(`c.test`)');
    expect(memory.hub.history(2)).toMatchObject([
      { revision: 4, kind: 'release', who: expect.arrayContaining(['berlin', 'ben']) },
      { revision: 3, kind: 'rollback', who: ['ann'] },
    ]);
  });

  it('keeps the texts of 50 revisions', async () => {
    const berlin = await enrolled(target, 'berlin');
    for (let i = 0; i < 55; i++) {
      await berlin.publish(await objectsOf(app(`h${i}.test`)));
      await memory.clock.advance(60_000);
      await berlin.ping();
    }
    expect(memory.hub.history(100)).toHaveLength(50);
    await expect(memory.hub.rollback(5, 'ann')).rejects.toThrow('is not kept');
    expect(snapshot().revision).toBe(55);
  });
});

describe('operators', () => {
  const call = async (method: string, path: string, session: string, body?: unknown) => {
    const response = await memory.fetch(`https://control.test${path}`, {
      method,
      headers: { Authorization: `Bearer ${session}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as never };
  };
  const login = async (): Promise<string> => {
    const code = await createCode(ADMIN_KEY, { purpose: 'admin', now: memory.clock.now(), lifetimeMs: 60_000 });
    const { body } = await call('POST', HUB_PATHS.session, '', { code, name: 'ann' });
    return (body as { session: string }).session;
  };

  it('open a session with a token that counts once', async () => {
    const code = await createCode(ADMIN_KEY, { purpose: 'admin', now: memory.clock.now(), lifetimeMs: 60_000 });
    expect(await call('POST', HUB_PATHS.session, '', { code })).toMatchObject({ status: 200, body: { session: expect.any(String) } });
    expect(await call('POST', HUB_PATHS.session, '', { code })).toMatchObject({
      status: 401,
      body: { message: expect.stringContaining('used already') },
    });
  });

  it.each([
    ['GET', HUB_PATHS.status],
    ['GET', HUB_PATHS.history],
    ['GET', `${HUB_PATHS.diff}?from=1&to=2`],
    ['POST', HUB_PATHS.rollback],
    ['POST', HUB_PATHS.release],
    ['POST', HUB_PATHS.codes],
    ['DELETE', `${HUB_PATHS.publishers}/berlin`],
  ])('%s %s is for sessions only', async (method, path) => {
    const code = await createCode(ADMIN_KEY, { purpose: 'enrol', now: memory.clock.now(), lifetimeMs: 60_000 });
    for (const session of [
      '',
      'x',
      code,
      await createCode('B'.repeat(43), { purpose: 'session', now: memory.clock.now(), lifetimeMs: 60_000 }),
    ])
      expect(await call(method, path, session)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });

  it('see, undo and make codes', async () => {
    const session = await login();
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()));
    await memory.clock.advance(1_000);
    await berlin.publish(await objectsOf(app('b.test')));
    await memory.clock.advance(1_000);
    const status = (await call('GET', HUB_PATHS.status, session)).body as HubStatus;
    expect(status).toMatchObject({ revision: 2, publishers: [{ name: 'berlin', kind: 'agent', lease: 'active', routers: 1 }] });
    expect((await call('GET', HUB_PATHS.history, session)).body).toHaveLength(2);
    expect((await call('POST', HUB_PATHS.rollback, session, { revision: 1 })).body).toMatchObject({ pinned: { revision: 1, by: 'ann' } });
    await memory.clock.advance(1_000);
    expect((await call('POST', HUB_PATHS.release, session)).body).toMatchObject({ pinned: null, revision: 4 });
    const { codes } = (await call('POST', HUB_PATHS.codes, session, { count: 2, name: 'paris' })).body as { codes: string[] };
    expect(codes).toHaveLength(2);
    const paris = await createPublisherDouble(target, 'paris');
    expect((await paris.send('POST', HUB_PATHS.enrol, { code: codes[0], name: 'paris', kind: 'sync', key: paris.key })).status).toBe(200);
  });

  it('remove a publisher with its key', async () => {
    const session = await login();
    const berlin = await enrolled(target, 'berlin');
    await berlin.publish(await objectsOf(app()));
    await memory.clock.advance(1_000);
    expect((await call('DELETE', `${HUB_PATHS.publishers}/berlin`, session)).body).toMatchObject({ publishers: [] });
    expect(snapshot().http.routers).toEqual({});
    expect(memory.hub.history(1)).toMatchObject([{ kind: 'remove', who: ['ann'] }]);
    expect((await berlin.ping()).body).toMatchObject({ code: 'unknown-publisher' });
  });
});

describe('what nobody may read', () => {
  it('is neither in KV nor in the history', async () => {
    const berlin = await enrolled(target, 'berlin');
    const yaml = `
http:
  routers:
    app: { rule: "Host(\`a.test\`)", service: app, middlewares: [auth, few] }
    direct: { rule: "Host(\`d.test\`)", service: direct }
  services:
    app: { loadBalancer: { servers: [{ url: "http://10.11.12.13:8081" }, { url: "http://planted-host:80" }], healthCheck: { path: /up, headers: { X-Key: planted-key } } } }
    direct: { edge: { direct: true }, loadBalancer: { servers: [{ url: "http://10.99.98.97" }] } }
  middlewares:
    auth: { basicAuth: { users: ["planted-user:{SHA}planted-hash"] } }
    few: { inFlightReq: { amount: 4711 } }
`;
    await berlin.publish(await objectsOf(yaml));
    expect(Object.keys(snapshot().http.routers)).toEqual(['app@file']);
    const everything = [...memory.kv.values.values(), JSON.stringify(memory.hub.history(9)), JSON.stringify(memory.hub.status())].join(
      '\n',
    );
    expect(everything).toContain('a.test');
    expect(everything).not.toMatch(/10\.11\.12|10\.99|planted|4711/);
  });
});
