import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultsOf } from '../../src/base/decode.ts';
import { silentLogger } from '../../src/base/log.ts';
import { zooKeeper as zooKeeperOptions } from '../../src/config/static/stores.ts';
import { openStore } from '../../src/providers/clients/open-store.ts';
import { zooKeeperProvider } from '../../src/providers/zookeeper.ts';
import { realClock, watch } from '../support/provider.ts';
import { describeProvider } from '../support/stores/provider-contract.ts';
import { type StartedZooKeeper, startZooKeeper, zooKeeperPath } from '../support/stores/zookeeper.ts';

describe.skipIf(zooKeeperPath === undefined)('ZooKeeper (zookeeper)', () => {
  let server: StartedZooKeeper;
  beforeAll(async () => {
    server = await startZooKeeper();
  });
  afterAll(async () => {
    await server.stop();
    server.remove();
  });
  const options = () => ({ ...defaultsOf(zooKeeperOptions), endpoints: [`127.0.0.1:${server.port}`] });

  it('is named as in Traefik', () => expect([zooKeeperProvider.kind, zooKeeperProvider.suffix]).toEqual(['zooKeeper', 'zookeeper']));

  describeProvider({
    start: () => watch((context) => zooKeeperProvider.watch(options(), context)),
    open: () => openStore('zooKeeper', options(), { clock: realClock, log: silentLogger }),
    stop: () => server.stop(),
    restart: async () => {
      server = await startZooKeeper(server);
    },
  });
});
