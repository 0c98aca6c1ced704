import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RedisStoreOptions } from '../../../src/providers/clients/redis.ts';
import { createAuthority } from '../../support/edge/certificates.ts';
import { findServer, freePort, type RunningServer } from '../../support/servers.ts';
import { describeStore, follow } from '../../support/stores/contract.ts';
import { createRedisWorld, redisPath } from '../../support/stores/redis-world.ts';

const { folder, file, run, open, tell, closeClients, end } = createRedisWorld();
const opensslPath = findServer('openssl');
afterEach(closeClients);
afterAll(end);

describe.skipIf(redisPath === undefined || opensslPath === undefined)('behind TLS (redis-server, openssl)', () => {
  let endpoint: string;
  let ca: string;
  let tls: NonNullable<RedisStoreOptions['tls']>;
  beforeAll(async () => {
    const authority = createAuthority();
    const [own, client] = [authority.issue(['localhost', '127.0.0.1']), authority.issue(['client'])];
    ca = file('ca.crt', authority.certificate);
    const port = String(await freePort());
    await run(
      '--tls-port',
      port,
      '--tls-cert-file',
      file('s.crt', own.certificate),
      '--tls-key-file',
      file('s.key', own.key),
      '--tls-ca-cert-file',
      ca,
    );
    endpoint = `localhost:${port}`;
    tls = { ca, cert: client.certificate, key: file('c.key', client.key) };
  });

  it('shows its certificate, checks that of the server, and watches', async () => {
    const client = await open({ endpoints: [endpoint], tls });
    const watched = follow(client, ['tls/']);
    await watched.step();
    const lock = (await client.lock('l', 'me', 5_000))!;
    await client.write([{ key: 'tls/a', value: '1' }], lock);
    expect(await watched.stepsWithin(5_000)).toBe(true);
    expect(await client.read('tls/')).toEqual([['tls/a', '1']]);
    await watched.stop();
    await lock.release();
  });

  it.each([
    ['does not trust a stranger', () => ({ ...tls, ca: undefined }), 'self-signed certificate'],
    ['needs a certificate of its own', () => ({ ca }), ''],
  ])('%s', async (_, options, message) => {
    const client = await open({ endpoints: [endpoint], tls: options() });
    await expect(client.get('a')).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining(message) });
  });

  it('trusts anybody when told so', async () => {
    const client = await open({ endpoints: [endpoint], tls: { ...tls, ca: undefined, insecureSkipVerify: true } });
    expect(await client.get('a')).toBeUndefined();
  });

  it('says which file cannot be read', async () => {
    await expect(open({ endpoints: [endpoint], tls: { ca: '/nothing' } })).rejects.toThrow("tls.ca: cannot read the file '/nothing'");
  });
});

const WAIT = { timeout: 15_000, interval: 50 };

describe.skipIf(redisPath === undefined)('a cluster (redis-server)', () => {
  let nodes: RunningServer[];
  beforeAll(async () => {
    nodes = await Promise.all(
      [0, 1, 2].map(async (index) =>
        run(
          '--cluster-enabled',
          'yes',
          '--cluster-config-file',
          join(folder, `nodes-${index}.conf`),
          '--cluster-port',
          String(await freePort()),
          '--cluster-node-timeout',
          '2000',
        ),
      ),
    );
    for (const [index, { port }] of nodes.entries()) {
      const from = Math.floor((16_384 / 3) * index);
      const to = index === 2 ? 16_383 : Math.floor((16_384 / 3) * (index + 1)) - 1;
      await tell({ port }, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
      await tell({ port }, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    }
    for (const { port } of nodes.slice(1)) {
      const bus = String(((await tell({ port }, 'CONFIG', 'GET', 'cluster-port')) as string[])[1]);
      await tell(nodes[0]!, 'CLUSTER', 'MEET', '127.0.0.1', String(port), bus);
    }
    for (const { port } of nodes)
      await vi.waitFor(
        async () => expect(await tell({ port }, 'CLUSTER', 'INFO')).toMatch(/cluster_state:ok[\s\S]*cluster_known_nodes:3/),
        WAIT,
      );
  });

  describeStore({
    open: () => open({ endpoints: nodes.map(({ port }) => `127.0.0.1:${port}`) }),
    isAtomic: false,
    largestValue: 1024 * 1024,
  });

  it('is found through one of its nodes', async () => {
    const client = await open({ endpoints: [`127.0.0.1:${nodes[1]!.port}`] });
    const lock = (await client.lock('l', 'me', 5_000))!;
    expect(client.atomicChanges).toBe(1);
    const changes = Array.from({ length: 300 }, (_, i) => ({ key: `cluster/${i}`, value: `${i}` }));
    await client.write(changes, lock);
    expect((await client.read('cluster/')).length).toBe(300);
    await lock.release();
  });
});
