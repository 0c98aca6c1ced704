import { ConfigError } from '../base/errors.ts';
import { consul } from '../config/static/stores.ts';
import { openStore } from './clients/open-store.ts';
import { storeSource } from './clients/store-source.ts';
import { defineProvider } from './provider.ts';
import { followStore } from './store.ts';

export const consulProvider = defineProvider({
  kind: 'consul',
  suffix: 'consul',
  summary: 'Keys of a Consul; every namespace that is named is a provider of its own.',
  options: consul,
  sourceOf: ({ namespaces, ...options }) => storeSource('consul', { ...options, namespace: namespaces?.[0] }),
  instances: ({ namespaces = [], ...options }) =>
    namespaces.length === 0
      ? [{ suffix: 'consul', options }]
      : namespaces.map((namespace) => ({ suffix: `consul-${namespace}`, options: { ...options, namespaces: [namespace] } })),
  async *watch({ namespaces, ...options }, context) {
    const namespace = namespaces?.[0];
    if (namespace === '*')
      throw new ConfigError('config.bad-value', "'*' is no namespace; name each of them", { object: 'providers.consul.namespaces' });
    yield* followStore(await openStore('consul', { ...options, namespace }, context), options.rootKey, context);
  },
});
