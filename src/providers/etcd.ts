import { etcd } from '../config/static/stores.ts';
import { openStore } from './clients/open-store.ts';
import { storeSource } from './clients/store-source.ts';
import { defineProvider } from './provider.ts';
import { followStore } from './store.ts';

export const etcdProvider = defineProvider({
  kind: 'etcd',
  suffix: 'etcd',
  summary: 'Keys of an etcd.',
  options: etcd,
  sourceOf: (options) => storeSource('etcd', options),
  async *watch(options, context) {
    yield* followStore(await openStore('etcd', options, context), options.rootKey, context);
  },
});
