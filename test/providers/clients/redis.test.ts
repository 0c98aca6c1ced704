import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger, type LogLine, silentLogger } from '../../../src/base/log.ts';
import { openStore } from '../../../src/providers/clients/open-store.ts';
import type { RedisStoreOptions } from '../../../src/providers/clients/redis.ts';
import { missingFlags } from '../../../src/providers/clients/redis-watch.ts';
import type { OpenedStore, StoreError } from '../../../src/providers/clients/store.ts';
import { followStore } from '../../../src/providers/store.ts';
import { until } from '../../support/agent-process.ts';
import { realClock } from '../../support/provider.ts';
import { findServer, freePort, type RunningServer, startRedis } from '../../support/servers.ts';
import { describeStore, follow } from '../../support/stores/contract.ts';

const redisPath = findServer('redis-server');

it.each([
  ['', 'Kg$xe'],
  ['Kg$xe', ''],
  ['KA', ''],
  ['A', 'K'],
  ['El', 'Kg$xe'],
  ['Kx', 'g$e'],
])('to the flags %j it adds %j', (flags, missing) => expect(missingFlags(flags)).toBe(missing));

it('closes at once before a server that takes connections and never answers', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const client = await openStore('redis', { endpoints: [`127.0.0.1:${port}`] }, { clock: realClock, log: silentLogger });
  const answer = client.read('traefik/').catch((error: StoreError) => error.code);
  await until(() => sockets[0]);
  const ended = new Promise((resolve) => sockets[0]!.resume().once('close', resolve));
  await client.close();
  expect(await answer).toBe('unreachable');
  await ended;
  silent.close();
}, 5_000);

describe.skipIf(redisPath === undefined)('one server (redis-server)', () => {
  let server: RunningServer;
  let admin: Redis;
  const clients: OpenedStore[] = [];
  const lines: LogLine[] = [];
  const open = async (options: Partial<RedisStoreOptions> = {}): Promise<OpenedStore> => {
    const log = createLogger((line) => lines.push(line));
    const client = await openStore('redis', { endpoints: [`127.0.0.1:${server.port}`], ...options }, { clock: realClock, log });
    clients.push(client);
    return client;
  };
  beforeAll(async () => {
    server = await startRedis(redisPath!);
    admin = new Redis(server.port);
  });
  afterEach(async () => {
    lines.length = 0;
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  describeStore({ open: () => open(), isAtomic: true, largestValue: 10 * 1024 * 1024, tellsKeys: true });

  it('switches notifications on and keeps what others had set', async () => {
    await admin.config('SET', 'notify-keyspace-events', 'El');
    const watched = follow(await open(), ['flags/']);
    await watched.step();
    expect([...((await admin.config('GET', 'notify-keyspace-events')) as string[])[1]!].sort().join('')).toBe('$EKeglx');
    await watched.stop();
  });

  it('passes keys over that hold no text', async () => {
    await admin.hset('types/hash', 'a', '1');
    await admin.rpush('types/list', 'a');
    await admin.set('types/text', 'a');
    expect(await (await open()).read('types/')).toEqual([['types/text', 'a']]);
  });

  it('survives bytes that are no text', async () => {
    await admin.set('bytes/a', Buffer.from([0xff, 0xfe, 0x00, 0x61]));
    expect(await (await open()).read('bytes/')).toEqual([['bytes/a', '\ufffd\ufffd\0a']]);
  });

  it('reads many keys among more of others', async () => {
    const pipeline = admin.pipeline();
    for (let i = 0; i < 5_000; i++) pipeline.set(`many/${i}`, `${i}`).set(`foreign/${i}`, 'x');
    await pipeline.exec();
    const pairs = await (await open()).read('many/');
    expect(new Set(pairs.map(([key]) => key)).size).toBe(5_000);
    expect(pairs.length).toBe(5_000);
  });

  it('works in the database that is named', async () => {
    const client = await open({ db: 3 });
    const watched = follow(client, ['db/']);
    await watched.step();
    await admin.set('db/a', 'in 0');
    expect(await watched.stepsWithin(150)).toBe(false);
    const third = new Redis({ port: server.port, db: 3 });
    await third.set('db/a', 'in 3');
    expect(await watched.stepsWithin(5_000)).toBe(true);
    expect(await client.read('db/')).toEqual([['db/a', 'in 3']]);
    await watched.stop();
    third.disconnect();
  });

  it('looks for changes itself where it may not switch notifications on, and says what to write', async () => {
    await admin.config('SET', 'notify-keyspace-events', '');
    await admin.call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '&*', '+@read', '+@connection', '+subscribe', '+psubscribe');
    const client = await open({ username: 'reader', password: 'secret' });
    const watched = follow(client, ['poll/']);
    await watched.step();
    await admin.set('poll/a', '1');
    expect(await watched.stepsWithin(5_000)).toBe(true);
    await watched.stop();
    const again = follow(client, ['poll/']);
    await again.step();
    await again.stop();
    expect(lines.map(({ message }) => message)).toEqual(['Redis does not tell of changes, looking for them']);
    expect(String(lines[0]!.fields.reason)).toContain("write 'notify-keyspace-events Kg$xe' into redis.conf");
    expect(JSON.stringify(lines)).not.toContain('secret');
    const refused = await open({ username: 'reader', password: 'wrong' });
    await expect(refused.read('')).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('WRONGPASS') });
  });

  it('needs no more rights than docs/stores.md says', async () => {
    const page = readFileSync('docs/stores.md', 'utf8');
    const users = [...page.matchAll(/^ACL SETUSER (.*)$/gm)].map(([, rest]) => rest!.split(' '));
    expect(users.map(([name]) => name)).toEqual(['agent', 'agent', 'sync']);
    await admin.call('ACL', 'SETUSER', ...users[0]!);
    await admin.call('ACL', 'SETUSER', ...users[2]!);
    await admin.config('SET', 'notify-keyspace-events', '');
    const [agent, sync] = [await open({ username: 'agent', password: 'password' }), await open({ username: 'sync', password: 'password' })];
    const watched = follow(agent, ['traefik/', 'edgeway/traefik/revision']);
    await watched.step();
    const lock = (await sync.lock('edgeway/traefik/lock', 'me', 5_000))!;
    await sync.write([{ key: 'traefik/a', value: '1' }], lock);
    expect(await watched.stepsWithin(5_000)).toBe(true);
    expect(await agent.read('traefik/')).toEqual([['traefik/a', '1']]);
    expect(await sync.get('edgeway/traefik/lock')).toContain('me');
    await sync.write([{ key: 'traefik/a', value: undefined }], lock);
    await lock.release();
    await watched.stop();
    await expect(agent.announce('edgeway/traefik/nodes/a', 'x', 5_000)).rejects.toMatchObject({ code: 'refused' });
    await admin.call('ACL', 'SETUSER', ...users[1]!);
    await agent.announce('edgeway/traefik/nodes/a', 'x', 5_000);
    await expect(sync.get('foreign/key')).rejects.toMatchObject({ code: 'refused' });
    expect(lines).toEqual([]);
  });

  it('a user made for Traefik, who may read its keys only, is served', async () => {
    await admin.call('ACL', 'SETUSER', 'traefik', 'on', '>secret', '~traefik/*', '&*', '+@read', '+@connection', '+@pubsub');
    await admin.set('traefik/http/routers/r/rule', 'Path(`/`)');
    const store = await open({ username: 'traefik', password: 'secret' });
    const abort = new AbortController();
    const log = createLogger((line) => lines.push(line), 'DEBUG');
    for await (const { configuration } of followStore(store, 'traefik', { clock: realClock, log, signal: abort.signal, environment: {} })) {
      expect(configuration.http?.routers?.r?.rule).toBe('Path(`/`)');
      abort.abort();
    }
    expect(lines.map(({ message }) => message)).toContainEqual(expect.stringContaining('may not read what edgeway sync notes'));
    await admin.del('traefik/http/routers/r/rule');
  });

  it('a lock of a process that died ends by itself', async () => {
    const [dead, next] = [await open(), await open()];
    const lock = (await dead.lock('dead/lock', 'dead', 300))!;
    await dead.close();
    await expect.poll(() => next.lock('dead/lock', 'next', 300), { timeout: 5_000, interval: 50 }).toBeDefined();
    expect(lock.isHeld()).toBe(false);
  });

  it('a lock that is held outlives its time', async () => {
    const [holder, other] = [await open(), await open()];
    const lock = (await holder.lock('long/lock', 'holder', 300))!;
    // Renewed after the end that it had first.
    const end = async () => Number((await admin.get('long/lock'))!.split(' ')[1]);
    const first = await end();
    await until(async () => (await end()) > first + 300);
    expect(lock.isHeld()).toBe(true);
    expect(await other.lock('long/lock', 'other', 300)).toBeUndefined();
    await lock.release();
  });
});

describe.skipIf(redisPath === undefined)('a server that goes and comes back (redis-server)', () => {
  it('ends the watch, fails calls with the reason, and is used again', async () => {
    let server = await startRedis(redisPath!);
    const client = await openStore('redis', { endpoints: [`127.0.0.1:${server.port}`] }, { clock: realClock, log: silentLogger });
    const watched = follow(client, ['a/']);
    await watched.step();
    const ended = expect(watched.step()).rejects.toMatchObject({ code: 'unreachable' });
    await server.stop();
    await ended;
    // The first call may still find the old connection closing.
    await expect(client.read('a/')).rejects.toMatchObject({ code: 'unreachable' });
    await expect(client.read('a/')).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    server = await startRedis(redisPath!, [], server.port);
    expect(await client.read('a/')).toEqual([]);
    const again = follow(client, ['a/']);
    await again.step();
    await again.stop();
    await client.close();
    await server.stop();
  });

  it('says so when nobody listens', async () => {
    const client = await openStore('redis', { endpoints: [`127.0.0.1:${await freePort()}`] }, { clock: realClock, log: silentLogger });
    await expect(client.get('a')).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    await expect(follow(client, ['a']).step()).rejects.toMatchObject({ code: 'unreachable' });
    await client.close();
  });
});
