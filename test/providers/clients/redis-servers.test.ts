import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RedisStoreOptions } from '../../../src/providers/clients/redis.ts';
import { createAuthority } from '../../support/edge/certificates.ts';
import { findServer, freePort, type RunningServer } from '../../support/servers.ts';
import { describeStore, follow } from '../../support/stores/contract.ts';
import { startRedisCluster } from '../../support/stores/redis-cluster.ts';
import { createRedisWorld, redisPath } from '../../support/stores/redis-world.ts';

const world = createRedisWorld();
const { file, run, open, closeClients, end } = world;
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

describe.skipIf(redisPath === undefined)('a cluster (redis-server)', () => {
  let nodes: RunningServer[];
  beforeAll(async () => {
    nodes = await startRedisCluster(world);
  });

  describeStore({
    open: () => open({ endpoints: nodes.map(({ port }) => `127.0.0.1:${port}`) }),
    isAtomic: false,
    tellsKeys: true,
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
