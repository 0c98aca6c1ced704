import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { RedisOptions, RedisScripts } from '../middlewares/middleware.ts';
import { createRedis } from '../providers/clients/redis-connect.ts';

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

const connect = (options: RedisOptions): Promise<Redis | Cluster> => {
  const { tls, readTimeout, writeTimeout, dialTimeout } = options;
  return createRedis(
    { ...options, tls: tls && { ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: !tls.insecureSkipVerify } },
    {
      connectTimeout: dialTimeout,
      commandTimeout: Math.max(readTimeout, writeTimeout) || undefined,
      // A request is answered 500 rather than kept waiting for a store that is away.
      enableOfflineQueue: true,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(2_000, 50 * attempt),
    },
  );
};
