import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/base/log.ts';
import { createCode } from '../../../src/config/codes.ts';
import { HUB_PATHS, type HubStatus } from '../../../src/config/hub-protocol.ts';
import { HEALTH_KEY, objectKey, POINTER_KEY } from '../../../src/config/kv-layout.ts';
import { parsePointer } from '../../../src/config/shards.ts';
import { createPublisher } from '../../../src/kv-sync/publisher.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { type LocalHub, startLocalHub } from '../../support/hub/local-hub.ts';
import { ADMIN_KEY } from '../../support/hub/memory-hub.ts';
import { enrolled, type PublisherDouble } from '../../support/hub/publisher-double.ts';
import { manyRouters, objectsOf, oneRouter } from '../../support/publications.ts';
import { runtimeOf } from '../../support/runtime.ts';
import { until } from '../../support/until.ts';

let local: LocalHub;
let berlin: PublisherDouble;
let session: string;

beforeAll(async () => {
  local = await startLocalHub();
  berlin = await enrolled(local.target, 'berlin');
  const code = await createCode(ADMIN_KEY, { purpose: 'admin', now: local.target.now(), lifetimeMs: 60_000 });
  session = ((await operate('POST', HUB_PATHS.session, { code })) as { session: string }).session;
});
afterAll(() => local?.stop());

async function operate(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(local.target.url + path, {
    method,
    headers: { Authorization: `Bearer ${session}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return response.json();
}
const status = async (): Promise<HubStatus> => (await operate('GET', HUB_PATHS.status)) as HubStatus;
const kv = async () => (await local.tell({})).kv;
/** Past the second in which neither hub nor KV writes a key again. */
const pass = async (): Promise<void> => {
  await local.tell({ kv: { advanceMs: 1_000 } });
  await local.advance(1_000);
};
const rule = async (): Promise<string | undefined> =>
  parsePointer((await kv()).values[POINTER_KEY]!).pointer.snapshot?.http.routers['app@file']?.rule;

describe('the hub in workerd', () => {
  it('takes a publication, and writes nothing when nothing changed', async () => {
    const objects = await objectsOf(oneRouter('a.test'));
    expect(await berlin.publish(objects)).toEqual({ revision: 1, state: 'written', problems: [], conflicts: [] });
    expect(await rule()).toBe('Host(`a.test`)');
    const { counts } = await kv();
    for (let i = 0; i < 3; i++) expect(await berlin.publish(objects)).toMatchObject({ state: 'unchanged' });
    await berlin.ping();
    await local.evict();
    expect(await berlin.publish(objects)).toMatchObject({ revision: 1, state: 'unchanged' });
    expect((await kv()).counts.writes).toBe(counts.writes);
  });

  it('refuses a token the second time, after an eviction too', async () => {
    const time = local.target.now();
    expect((await berlin.send('POST', HUB_PATHS.ping, { down: [] }, { time })).status).toBe(200);
    await local.evict();
    expect(await berlin.send('POST', HUB_PATHS.ping, { down: [] }, { time })).toMatchObject({ status: 401, body: { code: 'replay' } });
  });

  it('refuses the key of another publisher', async () => {
    const paris = await enrolled(local.target, 'paris');
    expect(await paris.send('POST', HUB_PATHS.ping, { down: [] }, { iss: 'berlin' })).toMatchObject({
      status: 401,
      body: { code: 'unauthorized' },
    });
  });

  it('finishes a publication in the middle of which it was thrown out of memory', async () => {
    await local.tell({ kv: { writeMode: 'hanging' } });
    void berlin.publish(await objectsOf(oneRouter('b.test'))).catch(() => {});
    await until(async () => (await status()).pending?.revision === 2);
    expect(await rule()).toBe('Host(`a.test`)');
    await local.evict();
    await local.tell({ kv: { writeMode: 'well' } });
    // Nobody calls: the alarm of the Durable Object rings five seconds after it was set.
    await until(async () => (await rule()) === 'Host(`b.test`)');
    expect(await status()).toMatchObject({ revision: 2, pending: null });
  });

  it('tries again when KV fails, by its alarm', async () => {
    await local.tell({ kv: { writeMode: 'failing', advanceMs: 5_000 } });
    expect(await berlin.publish(await objectsOf(oneRouter('c.test')))).toMatchObject({ revision: 3, state: 'queued' });
    expect((await status()).pending).toMatchObject({ error: expect.stringContaining('500') });
    await local.tell({ kv: { writeMode: 'well' } });
    // Nobody calls: the alarm of the Durable Object rings after a second.
    await until(async () => (await rule()) === 'Host(`c.test`)');
  });

  it('rolls back, pins, and releases', async () => {
    await pass();
    expect(await operate('POST', HUB_PATHS.rollback, { revision: 1 })).toMatchObject({ pinned: { revision: 1, by: 'operator' } });
    expect(await rule()).toBe('Host(`a.test`)');
    expect(await berlin.publish(await objectsOf(oneRouter('d.test')))).toMatchObject({ state: 'pinned' });
    expect(await rule()).toBe('Host(`a.test`)');
    await pass();
    await operate('POST', HUB_PATHS.release);
    expect(await rule()).toBe('Host(`d.test`)');
    expect(await operate('GET', `${HUB_PATHS.diff}?from=1&to=3`)).toMatchObject({ changes: [{ object: 'routers/app@file' }] });
    expect(await operate('GET', HUB_PATHS.history)).toMatchObject([
      { kind: 'release' },
      { kind: 'rollback' },
      { revision: 3 },
      { revision: 2 },
      { revision: 1 },
    ]);
  });

  it('holds no secret in the clear, no address of a private server, no word that stays at the agent', async () => {
    await pass();
    const yaml = `
http:
  routers:
    local: { rule: "Host(\`a.test\`)", service: app, middlewares: [basic] }
    far: { rule: "Host(\`b.test\`)", service: app, middlewares: [ask] }
  services:
    app: { loadBalancer: { servers: [{ url: "http://10.11.12.13:8081" }, { url: "http://planted-host:80" }] } }
  middlewares:
    basic: { basicAuth: { users: ["planted-user:{SHA}cGxhbnRlZC1oYXNo"] } }
    ask: { forwardAuth: { address: "http://192.168.77.77/planted-path" } }
`;
    await berlin.publish(await objectsOf(yaml));
    const { values } = await kv();
    const { http } = parsePointer(values[POINTER_KEY]!).pointer.snapshot!;
    expect(http.middlewares['basic@file']).toEqual({ basicAuth: { users: [expect.stringMatching(/^sealed:/)] } });
    expect(http.routers['far@file']).toMatchObject({ handOver: { berlin: 'far@file' } });
    const everything = JSON.stringify([values, await status(), await operate('GET', HUB_PATHS.history), local.log]);
    expect(everything).not.toMatch(/10\.11\.12|192\.168|planted|cGxhbnRlZC1oYXNo/);
  });

  it('gives Workers the objects that KV lacks, and publishers with their key', async () => {
    await pass();
    await berlin.publish(await objectsOf(manyRouters(700)));
    const { values } = await kv();
    const { pointer } = parsePointer(values[POINTER_KEY]!);
    const text = values[objectKey(pointer.manifest!)]!;
    expect(await berlin.send('GET', `${HUB_PATHS.objects}/${pointer.manifest}`)).toEqual({ status: 200, body: JSON.parse(text) });
    expect((await fetch(`${local.target.url}${HUB_PATHS.objects}/${pointer.manifest}`)).status).toBe(401);
  });

  it.each(Object.entries(HUB_PATHS))('tells a stranger nothing at %s', async (name, path) => {
    const bodies = [undefined, '', '{}', '[]', '{"code":"x","name":"berlin","kind":"agent","key":{}}', 'x'.repeat(1000)];
    const tries = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'].flatMap((method) =>
      (method === 'GET' || method === 'HEAD' ? [undefined] : bodies).flatMap((body) =>
        [path, `${path}/berlin`].flatMap((at) => [undefined, 'Bearer a.b.c'].map((authorization) => ({ method, body, at, authorization }))),
      ),
    );
    const answers = await Promise.all(
      tries.map(async ({ method, body, at, authorization }) => {
        const response = await fetch(local.target.url + at, {
          method,
          ...(body !== undefined && { body }),
          ...(authorization !== undefined && { headers: { Authorization: authorization } }),
        });
        return { asked: `${method} ${at} ${body}`, method, status: response.status, text: await response.text() };
      }),
    );
    for (const { asked, method, status, text } of answers) {
      // What time it is, anybody may know: a new agent needs it to sign.
      const isClock = name === 'time' && status === 200 && (method === 'HEAD' || /^\{"now":\d+\}$/.test(text));
      expect(isClock || [401, 404].includes(status), `${asked} ${status} ${text}`).toBe(true);
      expect(text).not.toContain('berlin.example');
    }
  });

  it('is what the publisher of agents talks to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgeway-hub-'));
    await pass();
    const publisher = await createPublisher({
      hubUrl: local.target.url,
      stateDirectory: folder,
      name: 'rome',
      kind: 'agent',
      code: await createCode(ADMIN_KEY, { purpose: 'enrol', now: local.target.now(), lifetimeMs: 60_000, name: 'rome' }),
      link: { type: 'https', address: 'https://rome.example.com' },
      forgetAfterMs: 86_400_000,
      entryPoints: { web: 'http' },
      clock: systemClock,
      log: createLogger(() => {}),
    });
    try {
      publisher.publish(runtimeOf(oneRouter('rome.test', 'rome')));
      expect(await publisher.whenPublished()).toMatchObject({ state: 'written' });
      expect(publisher.grantKeys()).toEqual([
        { kty: 'OKP', crv: 'Ed25519', x: local.grantKey.x, kid: 'grant-1', alg: 'EdDSA', use: 'sig' },
      ]);
      expect((await status()).publishers.map(({ name }) => name)).toEqual(['berlin', 'paris', 'rome']);
    } finally {
      await operate('DELETE', `${HUB_PATHS.publishers}/rome`);
      await publisher.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('lets a lease lapse and grants it again', async () => {
    await local.tell({ kv: { advanceMs: 120_000 } });
    const oslo = await enrolled(local.target, 'oslo');
    await oslo.publish(await objectsOf(oneRouter('oslo.test')));
    await berlin.ping();
    // In steps that the hub does not take for an absence of its own.
    for (let i = 0; i < 16; i++) {
      await local.advance(4_000);
      await oslo.ping();
    }
    await until(async () => (await kv()).values[HEALTH_KEY] === '{"berlin":{"lapsed":true}}');
    expect((await status()).publishers.find(({ name }) => name === 'berlin')).toMatchObject({ lease: 'lapsed', routers: 700 });
    expect((await status()).publishers.find(({ name }) => name === 'oslo')).toMatchObject({ lease: 'active' });
    await local.tell({ kv: { advanceMs: 10_000 } });
    await local.advance(6_000);
    await berlin.ping();
    await until(async () => (await kv()).values[HEALTH_KEY] === '{}');
  });

  it('keeps a lease when it is thrown out of memory in the middle of it', async () => {
    const lease = async () => (await status()).publishers.find(({ name }) => name === 'berlin')?.lease;
    await berlin.ping();
    await local.evict();
    expect(await lease()).toBe('active');
    await berlin.ping();
    expect(await lease()).toBe('active');
  });
});
