import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions as ClientOptions, Cluster, Redis } from 'ioredis';
import { parseEndpoint } from './endpoint.ts';

export interface RedisServer {
  /** `host:port`; several are a cluster, or with `sentinel` its sentinels. */
  readonly endpoints: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: ConnectionOptions;
  readonly sentinel?: { readonly masterName?: string; readonly username?: string; readonly password?: string };
}

export type RedisBehaviour = Pick<
  ClientOptions,
  | 'connectTimeout'
  | 'commandTimeout'
  | 'retryStrategy'
  | 'maxRetriesPerRequest'
  | 'enableOfflineQueue'
  | 'enableReadyCheck'
  | 'lazyConnect'
  | 'connectionName'
>;

/** The client for these servers, connecting unless `lazyConnect`. Errors of its connections are those of the calls that they fail. */
export async function createRedis(server: RedisServer, behaviour: RedisBehaviour): Promise<Redis | Cluster> {
  // Only where somebody asks for Redis: reading the client takes every thread long at its start.
  const client = await import('ioredis');
  const redis = construct(client, server, behaviour);
  redis.on('error', () => {});
  return redis;
}

type Client = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>;

function construct(client: Client, server: RedisServer, behaviour: RedisBehaviour): Redis | Cluster {
  const { endpoints, tls, username, password, db, sentinel } = server;
  const login = { username: username || undefined, password: password || undefined, tls };
  if (sentinel !== undefined) {
    return new client.Redis({
      ...behaviour,
      ...login,
      db: Number(db ?? 0),
      sentinels: endpoints.map((endpoint) => parseEndpoint(endpoint, 26_379)),
      name: sentinel.masterName ?? '',
      sentinelUsername: sentinel.username || undefined,
      sentinelPassword: sentinel.password || undefined,
      ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      // One round over all of them; who asks again decides when.
      ...(behaviour.retryStrategy?.(1) === null && { sentinelRetryStrategy: () => null }),
    });
  }
  const servers = endpoints.map((endpoint) => parseEndpoint(endpoint, 6379));
  if (servers.length === 1) return new client.Redis({ ...behaviour, ...login, ...servers[0], db: Number(db ?? 0) });
  return createCluster(client, servers, login, behaviour);
}

function createCluster(
  client: Client,
  servers: { host: string; port: number }[],
  login: Pick<ClientOptions, 'username' | 'password' | 'tls'>,
  { lazyConnect, enableOfflineQueue, enableReadyCheck, retryStrategy, ...rest }: RedisBehaviour,
): Cluster {
  return new client.Cluster(servers, {
    redisOptions: { ...rest, ...login },
    ...(lazyConnect !== undefined && { lazyConnect }),
    ...(enableOfflineQueue !== undefined && { enableOfflineQueue }),
    ...(enableReadyCheck !== undefined && { enableReadyCheck }),
    ...(retryStrategy && { clusterRetryStrategy: retryStrategy }),
  });
}
