import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import { openStore } from '../../../src/providers/clients/open-store.ts';
import { type OpenedStore, StoreError } from '../../../src/providers/clients/store.ts';
import { parseStoreUrl } from '../../../src/providers/clients/store-url.ts';
import { realClock } from '../../support/provider.ts';
import { findServer, type RunningServer, startRedis } from '../../support/servers.ts';
import { consulName, startConsul } from '../../support/stores/consul.ts';
import { etcdPath, startEtcd } from '../../support/stores/etcd.ts';
import { startRedisCluster } from '../../support/stores/redis-cluster.ts';
import { createRedisWorld } from '../../support/stores/redis-world.ts';
import { syncTo } from '../../support/stores/syncing.ts';
import { startZooKeeper, zooKeeperPath } from '../../support/stores/zookeeper.ts';

const redisPath = findServer('redis-server');
interface Server extends RunningServer {
  remove?(): void;
}
async function startCluster(): Promise<Server> {
  const world = createRedisWorld();
  const [first] = await startRedisCluster(world);
  return { port: first!.port, stop: world.end };
}

/** More keys than a transaction of etcd takes. */
const COUNT = 60;

const keysOf = (count: number, host = 'x'): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `traefik/http/routers/r${i}/rule,Host(\`${i === 7 ? host : i}\`)\ntraefik/http/routers/r${i}/service,s${i}\ntraefik/http/services/s${i}/loadBalancer/servers/0/url,http://s${i}\n`,
  ).join('');

// Last: whether 210 keys are more than the store writes at once.
describe.each([
  ['Redis (redis-server)', 'redis', redisPath, () => startRedis(redisPath!), false],
  ['a cluster of Redis (redis-server)', 'redis', redisPath, () => startCluster(), true],
  ['etcd (etcd)', 'etcd', etcdPath, () => startEtcd(), true],
  [`Consul (${consulName})`, 'consul', 'always here', () => startConsul(), true],
  ['ZooKeeper (zookeeper)', 'zookeeper', zooKeeperPath, () => startZooKeeper(), false],
] as const)('sync to %s', (_, scheme, path, start, isDivided) => {
  describe.skipIf(path === undefined)('from the first key to the last', () => {
    let server: Server;
    let client: OpenedStore;
    let writes: number;
    const clients: OpenedStore[] = [];
    const open = async (): Promise<OpenedStore> => {
      const { kind, options } = parseStoreUrl(`${scheme}://127.0.0.1:${server.port}`);
      const opened = await openStore(kind, options, { clock: realClock, log: silentLogger });
      clients.push(opened);
      return opened;
    };
    beforeAll(async () => {
      server = await start();
    }, 20_000);
    beforeEach(async () => {
      client = await open();
    });
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((opened) => opened.close()));
    });
    afterAll(async () => {
      await server.stop();
      server.remove?.();
    });

    async function run(text: string, { writer = 'sync', root = 'traefik', on = client, waitMs = 10_000 } = {}) {
      writes = 0;
      const counting: OpenedStore = Object.create(on, {
        write: {
          value: (...args: Parameters<OpenedStore['write']>) => {
            writes += args[0].filter(({ key }) => key.startsWith(`${root}/`)).length;
            return on.write(...args);
          },
        },
      });
      const { said, ...result } = await syncTo({ client: counting, root, writer, waitMs, source: text });
      return { ...result, said: said.join('') };
    }
    const keys = async (root = 'traefik'): Promise<string[]> =>
      (await client.read(`${root}/`)).filter(([, value]) => value !== '').map(([key]) => key);

    it('writes all, then the keys of one object, then removes what left', async () => {
      expect(await run(keysOf(COUNT))).toMatchObject({ isWell: true, complaints: [] });
      expect(await keys()).toHaveLength(3 * COUNT);
      expect(await client.get('traefik/http/routers/r7/rule')).toBe('Host(`x`)');
      expect(await run(keysOf(COUNT, 'y'))).toMatchObject({ isWell: true });
      expect(writes).toBe(1);
      expect(await run(keysOf(COUNT, 'y'))).toMatchObject({ said: 'Nothing to do.\n' });
      await run(keysOf(10, 'y'));
      expect(await keys()).toHaveLength(30);
      expect(await run(keysOf(10, 'y'))).toMatchObject({ isWell: true, said: 'Nothing to do.\n', complaints: [] });
    }, 20_000);

    it('lets two write at once, one after the other', async () => {
      const other = (text: string): string => text.replaceAll(/\/(r|s)(?=\d)/g, '/other-$1').replaceAll(/,s(?=\d)/g, ',other-s');
      const [mine, theirs] = await Promise.all([
        run(keysOf(40), { root: 'both', writer: 'one' }),
        run(other(keysOf(40)), { root: 'both', writer: 'two', on: await open() }),
      ]);
      expect([mine.isWell, theirs.isWell, (await keys('both')).length]).toEqual([true, true, 240]);
      const { revision, state } = JSON.parse((await client.get('edgeway/both/revision'))!);
      expect([revision, state]).toEqual([2, 'written']);
    }, 20_000);

    const itIfDivided = isDivided ? it : () => {};
    itIfDivided(
      'finishes what a run left that lost its store',
      async () => {
        const text = keysOf(70);
        let left = 2;
        const dying: OpenedStore = Object.create(client, {
          write: {
            value: async (...args: Parameters<OpenedStore['write']>) => {
              if (left-- === 0) throw new StoreError('unreachable', 'The network is gone');
              await client.write(...args);
            },
          },
        });
        const state = async () => JSON.parse((await client.get('edgeway/died/revision'))!).state;
        expect(await run(text, { root: 'died', on: dying })).toMatchObject({ isWell: false, complaints: ['The network is gone'] });
        expect(await state()).toBe('writing');
        expect(await run(text, { root: 'died' })).toMatchObject({
          isWell: true,
          said: expect.stringContaining('was interrupted; this run finishes'),
        });
        expect([await state(), (await keys('died')).length]).toEqual(['written', 210]);
      },
      20_000,
    );

    it('refuses to write what somebody else is writing, when it may not wait', async () => {
      const lock = (await client.lock('edgeway/busy/lock', 'me', 5_000))!;
      const { isWell, complaints } = await run(keysOf(1), { root: 'busy', waitMs: 0, on: await open() });
      expect([isWell, complaints, await keys('busy')]).toEqual([false, [expect.stringContaining('Another sync is writing')], []]);
      await lock.release();
    });
  });
});
