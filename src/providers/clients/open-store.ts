import type { Infer } from '../../base/schema.ts';
import type { etcd, redis, zooKeeper } from '../../config/static/stores.ts';
import type { ConsulStoreOptions } from './consul.ts';
import type { OpenedStore, StoreContext } from './store.ts';

/** Options of each kind of store: those of its provider, of which the root key says nothing to a client. */
export interface StoreOptions {
  readonly redis: Omit<Infer<typeof redis>, 'rootKey'>;
  readonly etcd: Omit<Infer<typeof etcd>, 'rootKey'>;
  readonly consul: ConsulStoreOptions;
  readonly zooKeeper: Omit<Infer<typeof zooKeeper>, 'rootKey'>;
}

/** As `providers` names them in the static configuration. */
export type StoreKind = keyof StoreOptions;

type Open<Kind extends StoreKind> = (options: StoreOptions[Kind], context: StoreContext) => Promise<OpenedStore>;

/** Each client is read only where somebody opens such a store. */
const STORES: { readonly [Kind in StoreKind]: Open<Kind> } = {
  redis: async (options, context) => (await import('./redis.ts')).openRedisStore(options, context),
  etcd: async (options, context) => (await import('./etcd.ts')).openEtcdStore(options, context),
  consul: async (options, context) => (await import('./consul.ts')).openConsulStore(options, context),
  zooKeeper: async (options, context) => (await import('./zookeeper.ts')).openZooKeeperStore(options, context),
};

/** The client of a store; it connects at its first call. Throws ConfigError when a TLS file cannot be read. */
export const openStore = <Kind extends StoreKind>(kind: Kind, options: StoreOptions[Kind], context: StoreContext): Promise<OpenedStore> =>
  STORES[kind](options, context);
