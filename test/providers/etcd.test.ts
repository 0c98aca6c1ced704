import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultsOf } from '../../src/base/decode.ts';
import { silentLogger } from '../../src/base/log.ts';
import { etcd as etcdOptions } from '../../src/config/static/stores.ts';
import { openStore } from '../../src/providers/clients/open-store.ts';
import { etcdProvider } from '../../src/providers/etcd.ts';
import { realClock, watch } from '../support/provider.ts';
import { etcdPath, type StartedEtcd, startEtcd } from '../support/stores/etcd.ts';
import { describeProvider } from '../support/stores/provider-contract.ts';

describe.skipIf(etcdPath === undefined)('etcd (etcd)', () => {
  let server: StartedEtcd;
  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(async () => {
    await server.stop();
    server.remove();
  });
  const options = () => ({ ...defaultsOf(etcdOptions), endpoints: [`127.0.0.1:${server.port}`] });

  it('is named as in Traefik', () => expect([etcdProvider.kind, etcdProvider.suffix]).toEqual(['etcd', 'etcd']));

  describeProvider({
    start: () => watch((context) => etcdProvider.watch(options(), context)),
    open: () => openStore('etcd', options(), { clock: realClock, log: silentLogger }),
    stop: () => server.stop(),
    restart: async () => {
      server = await startEtcd(undefined, server);
    },
  });
});
