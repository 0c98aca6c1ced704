import { redis } from '../config/static/stores.ts';
import { openStore } from './clients/open-store.ts';
import { storeSource } from './clients/store-source.ts';
import { defineProvider } from './provider.ts';
import { followStore } from './store.ts';

export const redisProvider = defineProvider({
  kind: 'redis',
  suffix: 'redis',
  summary: 'Keys of a Redis or Valkey: a server, a cluster, or a master behind sentinels.',
  options: redis,
  sourceOf: (options) => storeSource('redis', options),
  async *watch(options, context) {
    yield* followStore(await openStore('redis', options, context), options.rootKey, context);
  },
});
