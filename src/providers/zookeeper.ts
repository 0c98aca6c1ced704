import { zooKeeper } from '../config/static/stores.ts';
import { openStore } from './clients/open-store.ts';
import { storeSource } from './clients/store-source.ts';
import { defineProvider } from './provider.ts';
import { followStore } from './store.ts';

export const zooKeeperProvider = defineProvider({
  kind: 'zooKeeper',
  suffix: 'zookeeper',
  summary: 'Nodes of a ZooKeeper.',
  options: zooKeeper,
  sourceOf: (options) => storeSource('zooKeeper', options),
  async *watch(options, context) {
    yield* followStore(await openStore('zooKeeper', options, context), options.rootKey, context);
  },
});
