import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger, type LogLine } from '../../src/base/log.ts';
import { createCode } from '../../src/config/codes.ts';
import type { PublishAnswer } from '../../src/config/hub-protocol.ts';
import { POINTER_KEY } from '../../src/config/kv-layout.ts';
import { parsePointer } from '../../src/config/shards.ts';
import { createPublisher, type Publisher, type PublisherOptions } from '../../src/kv-sync/publisher.ts';
import { ADMIN_KEY, advanceUntil, createMemoryHub, type MemoryHub } from '../support/hub/memory-hub.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { runtimeOf } from '../support/runtime.ts';
import { until } from '../support/until.ts';

let memory: MemoryHub;
let clock: ManualClock;
let folder: string;
let lines: LogLine[];
const publishers: Publisher[] = [];

beforeEach(async () => {
  memory = await createMemoryHub();
  clock = createManualClock();
  folder = mkdtempSync(join(tmpdir(), 'edgeway-publisher-'));
  lines = [];
});
afterEach(async () => {
  for (const publisher of publishers.splice(0)) await publisher.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = async (change: Partial<PublisherOptions> = {}): Promise<Publisher> => {
  const publisher = await createPublisher({
    hubUrl: 'https://control.test',
    stateDirectory: join(folder, 'state'),
    name: 'berlin',
    kind: 'agent',
    code: await createCode(ADMIN_KEY, { purpose: 'enrol', now: memory.clock.now(), lifetimeMs: 60_000 }),
    link: { type: 'https', address: 'https://berlin.example.com' },
    forgetAfterMs: 86_400_000,
    entryPoints: { web: 'http' },
    clock,
    log: createLogger((line) => lines.push(line), 'DEBUG'),
    fetch: memory.fetch,
    ...change,
  });
  publishers.push(publisher);
  return publisher;
};
const app = (host = 'a.test') =>
  runtimeOf(`
http:
  routers: { app: { rule: "Host(\`${host}\`)", service: app } }
  services: { app: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
`);
const rule = (): string | undefined => parsePointer(memory.kv.values.get(POINTER_KEY)!).pointer.snapshot!.http.routers['app@file']?.rule;
const said = (message: string) => lines.filter((line) => line.message === message);

describe('at the first start', () => {
  it('makes a key pair that only the owner can read, enrols and publishes', async () => {
    const publisher = await open();
    publisher.publish(app());
    expect(await publisher.whenPublished()).toMatchObject({ revision: 1, state: 'written' });
    const path = join(folder, 'state', 'publisher.json');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      enrolment: { name: 'berlin', keys: { grantKeys: [{ kid: 'grant-1' }] } },
    });
    expect(publisher.grantKeys()).toMatchObject([{ kid: 'grant-1' }]);
    expect(said('Public at the edge')).toMatchObject([{ fields: { hosts: ['a.test'] } }]);
    expect(rule()).toBe('Host(`a.test`)');
  });

  it('says what to do when it has no code', async () => {
    const publisher = await open({ code: undefined });
    publisher.publish(app());
    expect(await publisher.whenPublished()).toBeUndefined();
    expect(said('Not published')).toMatchObject([
      { level: 'ERROR', fields: { error: expect.stringContaining("make a code with 'edgeway edge codes'") } },
    ]);
  });

  it('refuses an identity that cannot be read', async () => {
    writeFileSync(join(folder, 'publisher.json'), 'garbage');
    await expect(open({ stateDirectory: folder })).rejects.toThrow('restore it, or remove it and enrol again');
  });
});

describe('at the next start', () => {
  it('needs no code, knows the keys while the hub is away, and writes nothing when nothing changed', async () => {
    const first = await open();
    first.publish(app());
    await first.whenPublished();
    await first.close();
    memory.away = true;
    const second = await open({ code: undefined });
    expect(second.grantKeys()).toMatchObject([{ kid: 'grant-1' }]);
    second.publish(app());
    memory.away = false;
    let answer: PublishAnswer | undefined;
    void second.whenPublished().then((got) => (answer = got));
    await advanceUntil(clock, () => answer !== undefined);
    expect(answer).toMatchObject({ revision: 1, state: 'unchanged' });
    expect(memory.kv.writes).toEqual([POINTER_KEY]);
  });
});

describe('while it runs', () => {
  it('says the newest of several configurations, and nothing twice', async () => {
    const publisher = await open();
    let requests = 0;
    const counted = await open({
      name: 'paris',
      stateDirectory: join(folder, 'paris'),
      fetch: ((url: string, init: RequestInit) => {
        requests++;
        return memory.fetch(url, init);
      }) as typeof fetch,
    });
    for (const host of ['a.test', 'b.test', 'c.test', 'd.test']) publisher.publish(app(host));
    await publisher.whenPublished();
    expect(rule()).toBe('Host(`d.test`)');
    counted.publish(app('d.test'));
    await counted.whenPublished();
    const before = requests;
    counted.publish(app('d.test'));
    await counted.whenPublished();
    expect(requests).toBe(before);
  });

  it('is not disturbed by a hub that is away, and says it all when it is back', async () => {
    const publisher = await open();
    publisher.publish(app());
    await publisher.whenPublished();
    memory.away = true;
    publisher.publish(app('b.test'));
    for (let i = 0; i < 10; i++) await clock.advance(30_000);
    expect(said('The hub cannot be told').filter(({ level }) => level === 'WARN')).toHaveLength(1);
    memory.away = false;
    await memory.clock.advance(300_000);
    await advanceUntil(clock, () => rule() === 'Host(`b.test`)');
    expect(said('The hub is told again')).toHaveLength(1);
  });

  it.each([-3_600_000, 3_600_000])('sets its clock right by the hub (%i ms)', async (offset) => {
    await clock.advance(0);
    await memory.clock.advance(Math.max(0, offset));
    await clock.advance(Math.max(0, -offset));
    const publisher = await open();
    publisher.publish(app());
    expect(await publisher.whenPublished()).toMatchObject({ state: 'written' });
    expect(Math.abs(publisher.hubNow() - memory.clock.now())).toBeLessThan(3_000);
  });

  it('pings every 20 s, and keeps its lease', async () => {
    let underWay = 0;
    const counted = (async (url: string, init: RequestInit) => {
      underWay++;
      return memory.fetch(url, init).finally(() => underWay--);
    }) as typeof fetch;
    const publisher = await open({ fetch: counted });
    publisher.publish(app());
    await publisher.whenPublished();
    for (let i = 0; i < 5; i++) {
      const seen = memory.hub.status().publishers[0]!.seenAt;
      await memory.advance(20_000);
      await clock.advance(20_000);
      // The ping has come, its answer has gone, and the next one waits for its time.
      await until(() => memory.hub.status().publishers[0]!.seenAt !== seen && underWay === 0 && clock.nextAt()! - clock.now() <= 20_000);
    }
    expect(memory.hub.status().publishers).toMatchObject([{ lease: 'active' }]);
    expect(memory.kv.writes).toEqual([POINTER_KEY]);
  });

  it('tells at once when a service has no healthy server', async () => {
    const publisher = await open();
    publisher.publish(app());
    await publisher.whenPublished();
    publisher.health(['app@file']);
    await until(() => memory.hub.status().publishers[0]!.down.length === 1);
    publisher.health([]);
    await until(() => memory.hub.status().publishers[0]!.down.length === 0);
  });

  it('says everything again when the hub has lost it', async () => {
    const publisher = await open();
    publisher.publish(app());
    await publisher.whenPublished();
    await memory.advance(2 * 86_400_000);
    expect(rule()).toBeUndefined();
    await clock.advance(1);
    await publisher.ping();
    await publisher.whenPublished();
    expect(rule()).toBe('Host(`a.test`)');
  });

  it('tells what the hub left out, once', async () => {
    const publisher = await open();
    const runtime = app();
    // An agent that understands a rule which this hub does not.
    Object.assign(runtime.http.routers['app@file']!.config, { rule: 'Tomorrow(`x`)' });
    publisher.publish(runtime);
    await publisher.whenPublished();
    expect(said('The hub leaves an object out')).toMatchObject([
      { fields: { object: 'http.routers.app@file', error: expect.stringContaining('Tomorrow') } },
    ]);
  });

  it('keeps what it published when there are too many routers', async () => {
    const publisher = await open();
    publisher.publish(app());
    await publisher.whenPublished();
    const runtime = app();
    const router = runtime.http.routers['app@file']!;
    const routers = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`r${i}@file`, router]));
    publisher.publish({ ...runtime, http: { ...runtime.http, routers } });
    await publisher.whenPublished();
    expect(said('Not published')).toMatchObject([{ fields: { error: expect.stringContaining('10001 routers') } }]);
    expect(rule()).toBe('Host(`a.test`)');
  });
});
