import { consulProvider } from './consul.ts';
import { dockerProvider } from './docker.ts';
import { etcdProvider } from './etcd.ts';
import { fileProvider } from './file.ts';
import { httpProvider } from './http.ts';
import type { ProviderDefinition } from './provider.ts';
import { redisProvider } from './redis.ts';
import { restProvider } from './rest.ts';
import { swarmProvider } from './swarm.ts';
import { zooKeeperProvider } from './zookeeper.ts';

/** The catalogue of providers. A new one is its file, a line here, its options in config/static, and a test file. */
export const PROVIDERS: readonly ProviderDefinition[] = [
  fileProvider,
  dockerProvider,
  swarmProvider,
  redisProvider,
  consulProvider,
  etcdProvider,
  zooKeeperProvider,
  httpProvider,
  restProvider,
] as unknown as readonly ProviderDefinition[];
