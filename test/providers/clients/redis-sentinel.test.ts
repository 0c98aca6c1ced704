import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RedisStoreOptions } from '../../../src/providers/clients/redis.ts';
import { freePort, type RunningServer, startServer } from '../../support/servers.ts';
import { follow } from '../../support/stores/contract.ts';
import { createRedisWorld, redisPath } from '../../support/stores/redis-world.ts';

const { folder, file, run, open, tell, servers, closeClients, end } = createRedisWorld();
const WAIT = { timeout: 20_000, interval: 100 };
afterEach(closeClients);
afterAll(end);

describe.skipIf(redisPath === undefined)('behind Sentinel (redis-server)', () => {
  let sentinel: RunningServer;
  let master: RunningServer;
  let replica: RunningServer;
  const options = (): RedisStoreOptions => ({
    endpoints: ['127.0.0.1:1', `127.0.0.1:${sentinel.port}`],
    password: 'data',
    sentinel: { masterName: 'main', username: 'watcher', password: 'guard' },
  });
  beforeAll(async () => {
    const login = ['--requirepass', 'data', '--masterauth', 'data'];
    master = await run(...login);
    replica = await run(...login, '--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0');
    // Sentinel asks its master for replicas every ten seconds only.
    await vi.waitFor(
      async () => expect(await tell({ ...master, password: 'data' }, 'INFO', 'replication')).toContain('state=online'),
      WAIT,
    );
    const port = await freePort();
    const text = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel auth-pass main data',
      'sentinel down-after-milliseconds main 600',
      'sentinel failover-timeout main 2000',
      'user default off',
      'user watcher on >guard ~* &* +@all',
    ].join('\n');
    sentinel = await startServer(redisPath!, [file('sentinel.conf', `${text}\n`), '--sentinel'], port, /monitor master/);
    servers.push(sentinel);
    // Sentinel looks for replicas every ten seconds; the first look may come before the replica was there.
    await tell({ port, username: 'watcher', password: 'guard' }, 'SENTINEL', 'DEBUG', 'info-period', '200');
    const known = () => tell({ port, username: 'watcher', password: 'guard' }, 'SENTINEL', 'REPLICAS', 'main');
    await vi.waitFor(async () => expect(String(await known())).toMatch(/slave-repl-offset,[1-9]/), WAIT);
  });

  it.each<[string, NonNullable<RedisStoreOptions['sentinel']>]>([
    ['the master', {}],
    ['a replica', { replicaStrategy: true }],
    ['any of them', { randomStrategy: true }],
    ['the fastest', { latencyStrategy: true }],
    ['a replica, also one that lost its master', { replicaStrategy: true, useDisconnectedReplicas: true }],
  ])('reads from %s', async (_, strategy) => {
    const client = await open({ ...options(), sentinel: { ...options().sentinel, ...strategy } });
    const watched = follow(client, ['sentinel/']);
    await watched.step();
    const lock = (await client.lock('l', 'me', 5_000))!;
    const value = crypto.randomUUID();
    await client.write([{ key: 'sentinel/a', value }], lock);
    expect(await watched.stepsWithin(5_000)).toBe(true);
    expect(await client.read('sentinel/')).toEqual([['sentinel/a', value]]);
    await watched.stop();
    await lock.release();
  });

  it.each([
    ['no name', { masterName: undefined }, 'wants the name of the master'],
    ['two strategies', { randomStrategy: true, replicaStrategy: true }, 'keep one'],
  ])('refuses %s', async (_, wrong, message) => {
    await expect(open({ ...options(), sentinel: { ...options().sentinel, ...wrong } })).rejects.toThrow(message);
  });

  it('knows a wrong password and a wrong name', async () => {
    const stranger = await open({ ...options(), sentinel: { ...options().sentinel, password: 'wrong' } });
    await expect(stranger.get('a')).rejects.toThrow(/WRONGPASS|sentinels/);
    const misnamed = await open({ ...options(), sentinel: { ...options().sentinel, masterName: 'other' } });
    await expect(misnamed.get('a')).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('follows the master to its replica', async () => {
    const client = await open(options());
    const watched = follow(client, ['sentinel/']);
    await watched.step();
    const ended = expect(watched.step()).rejects.toMatchObject({ code: 'unreachable' });
    await master.stop();
    await ended;
    await vi.waitFor(async () => expect(await client.get('sentinel/a')).toBeTypeOf('string'), WAIT);
    expect(await tell({ ...replica, password: 'data' }, 'ROLE')).toContain('master');
  });
});
