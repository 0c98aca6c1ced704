import { beforeEach, describe, expect, it } from 'vitest';
import { HUB_PATHS } from '../../../src/config/hub-protocol.ts';
import { objectKey, POINTER_KEY } from '../../../src/config/kv-layout.ts';
import { formatPublication } from '../../../src/config/publication.ts';
import { parsePointer } from '../../../src/config/shards.ts';
import { createMemoryHub, type MemoryHub } from '../../support/hub/memory-hub.ts';
import { enrolled } from '../../support/hub/publisher-double.ts';
import { manyRouters, objectsOf, oneRouter } from '../../support/publications.ts';

let memory: MemoryHub;
beforeEach(async () => {
  memory = await createMemoryHub();
});

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing',
    (error: { code: string }) => error.code,
  );

describe('publishing', () => {
  it('writes the pointer once, and nothing when the same comes again', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const objects = await objectsOf(oneRouter());
    expect(await berlin.publish(objects)).toEqual({ revision: 1, state: 'written', problems: [], conflicts: [] });
    expect(memory.kv.writes).toEqual([POINTER_KEY]);
    expect(memory.snapshot()).toMatchObject({
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
    const berlin = await enrolled(memory.target, 'berlin');
    const paris = await enrolled(memory.target, 'paris');
    const objects = await objectsOf(oneRouter());
    const { manifest } = await formatPublication(objects, { publisher: 'paris', revision: 1, forgetAfterMs: 0 });
    await berlin.publish(objects);
    // Paris says the same: all its shards are there already.
    expect((await paris.send('PUT', HUB_PATHS.publication, { ...manifest, link: { type: 'https', address: 'https://p' } })).status).toBe(
      200,
    );
  });

  it('merges publishers, and takes a second within a pause of KV', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const paris = await enrolled(memory.target, 'paris');
    const objects = await objectsOf(oneRouter());
    await berlin.publish(objects);
    await paris.publish(objects);
    await paris.publish(await objectsOf(oneRouter('b.test', 'other')));
    expect(memory.snapshot().revision).toBe(3);
    expect(Object.keys(memory.snapshot().http.routers)).toEqual(['app@file', 'other@file']);
    expect(memory.kv.writes).toEqual([POINTER_KEY, POINTER_KEY, POINTER_KEY]);
  });

  it('writes objects before the pointer, and those that are known not again', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(manyRouters(700)));
    const { pointer } = parsePointer(memory.kv.values.get(POINTER_KEY)!);
    expect(pointer.manifest).toMatch(/^[0-9a-f]{64}$/);
    expect(memory.kv.writes.at(-1)).toBe(POINTER_KEY);
    expect(memory.kv.writes).toContain(objectKey(pointer.manifest!));
    expect(await memory.hub.readObject(pointer.manifest!)).toBe(memory.kv.values.get(objectKey(pointer.manifest!)));
    const before = memory.kv.writes.length;
    await berlin.publish(await objectsOf(manyRouters(701)));
    // One shard, the manifest, the pointer.
    expect(memory.kv.writes.length - before).toBeLessThanOrEqual(4);
  });

  it('takes a publication without any router', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()));
    await berlin.publish({ routers: {}, services: {}, middlewares: {}, serversTransports: {} });
    expect(memory.snapshot().http.routers).toEqual({});
  });

  it('refuses 10,001 routers', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const { manifest } = await formatPublication(await objectsOf(oneRouter()), { publisher: 'berlin', revision: 1, forgetAfterMs: 0 });
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
    const berlin = await enrolled(memory.target, 'berlin');
    expect(await rejection(berlin.publish(await objectsOf(oneRouter()), change))).toBe(code);
  });

  it('refuses a shard whose text is not what its hash says, and a body that is too large', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    expect((await berlin.send('POST', HUB_PATHS.shards, { ['a'.repeat(64)]: '{}' })).body).toMatchObject({ code: 'malformed' });
    expect((await berlin.send('POST', HUB_PATHS.shards, { x: 'x'.repeat(4 * 1024 * 1024) })).body).toMatchObject({ code: 'limit' });
  });

  it('refuses an older revision, and says which one is here', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()), { revision: 10 });
    expect(
      (await berlin.send('PUT', HUB_PATHS.publication, { format: 1, publisher: 'berlin', revision: 9, routers: 0, shards: {} })).body,
    ).toMatchObject({
      code: 'stale',
      revision: 10,
    });
  });

  it('tells a publisher of its problems and conflicts', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const paris = await enrolled(memory.target, 'paris');
    await berlin.publish(await objectsOf(oneRouter()));
    const objects = await objectsOf(oneRouter('a.test', 'other'));
    const answer = await paris.publish({
      ...objects,
      routers: { ...objects.routers, 'z@file': { config: { rule: 'Hots(`z`)', entryPoints: ['http'] } } },
    });
    expect(answer.problems).toEqual([{ publisher: 'paris', object: 'http.routers.z@file', message: expect.stringContaining('Hots') }]);
    expect(answer.conflicts).toMatchObject([{ winner: { router: 'other@file', publishers: ['paris'] }, losers: [{ router: 'app@file' }] }]);
    expect(Object.keys(memory.snapshot().http.routers)).toEqual(['other@file']);
    // What changed last wins: berlin changes its service's cookie, its router stays as it was.
    await berlin.publish(
      await objectsOf(oneRouter('a.test', 'app').replace('service: app }', 'service: app, observability: { metrics: false } }')),
    );
    expect(Object.keys(memory.snapshot().http.routers)).toEqual(['app@file']);
  });
});

describe('what nobody may read', () => {
  it('is neither in KV nor in the history', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
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
    expect(Object.keys(memory.snapshot().http.routers)).toEqual(['app@file']);
    const everything = [...memory.kv.values.values(), JSON.stringify(memory.hub.history(9)), JSON.stringify(memory.hub.status())].join(
      '\n',
    );
    expect(everything).toContain('a.test');
    expect(everything).not.toMatch(/10\.11\.12|10\.99|planted|4711/);
  });
});
