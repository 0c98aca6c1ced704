import { createHash } from 'node:crypto';
import type { RedisOptions as ClientOptions, Cluster, Redis } from 'ioredis';
import type { RedisOptions, RedisScripts } from '../middlewares/middleware.ts';

/**
 * Scripts in Redis by hash, the text only where the server does not know it yet. Equal options share one connection (a cluster with
 * several endpoints), made at the first use; requests on it do not wait for each other. While the store is away every call rejects.
 */
export function createRedisScripts(): { of(options: RedisOptions): RedisScripts; close(): void } {
  const clients = new Map<string, RedisScripts & { close(): void }>();
  return {
    of(options) {
      const key = JSON.stringify(options);
      let client = clients.get(key);
      if (client === undefined) clients.set(key, (client = createClient(options)));
      return client;
    },
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

function createClient(options: RedisOptions): RedisScripts & { close(): void } {
  let connecting: Promise<Redis | Cluster> | undefined;
  const hashes = new Map<string, string>();
  return {
    async evaluate(script, keys, args) {
      const redis = await (connecting ??= connect(options));
      let hash = hashes.get(script);
      if (hash === undefined) hashes.set(script, (hash = createHash('sha1').update(script).digest('hex')));
      try {
        return await redis.evalsha(hash, keys.length, ...keys, ...args);
      } catch (error) {
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
        return redis.eval(script, keys.length, ...keys, ...args);
      }
    },
    close: () => void connecting?.then((redis) => redis.disconnect()),
  };
}

async function connect(options: RedisOptions): Promise<Redis | Cluster> {
  // Only where somebody asks for Redis: reading the client takes every thread long at its start.
  const client = await import('ioredis');
  const { endpoints, tls, username, password, db, readTimeout, writeTimeout, dialTimeout } = options;
  const common: ClientOptions = {
    username: username || undefined,
    password: password || undefined,
    tls: tls === undefined ? undefined : { ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: !tls.insecureSkipVerify },
    connectTimeout: dialTimeout,
    commandTimeout: Math.max(readTimeout, writeTimeout) || undefined,
    // A request is answered 500 rather than kept waiting for a store that is away.
    enableOfflineQueue: true,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(2_000, 50 * attempt),
  };
  const servers = endpoints.map(parseEndpoint);
  const redis =
    servers.length === 1
      ? new client.Redis({ ...common, ...servers[0], db: Number(db ?? 0) })
      : new client.Cluster(servers, { redisOptions: common });
  // The error of each call tells enough.
  redis.on('error', () => {});
  return redis;
}

/** `host:port`, `[::1]:6379`; the port is Redis' own when absent. */
function parseEndpoint(endpoint: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(endpoint);
  return { host: match?.[1] ?? match?.[2] ?? endpoint, port: Number(match?.[3] ?? 6379) };
}
