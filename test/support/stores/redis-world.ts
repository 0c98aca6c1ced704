import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { silentLogger } from '../../../src/base/log.ts';
import { openStore } from '../../../src/providers/clients/open-store.ts';
import type { RedisStoreOptions } from '../../../src/providers/clients/redis.ts';
import type { OpenedStore } from '../../../src/providers/clients/store.ts';
import { realClock } from '../provider.ts';
import { findServer, type RunningServer, startRedis } from '../servers.ts';

export const redisPath = findServer('redis-server');

/** Servers, clients and files of one test file, and their end. */
export function createRedisWorld() {
  const servers: RunningServer[] = [];
  const clients: OpenedStore[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-redis-'));
  return {
    folder,
    servers,
    file(name: string, text: string): string {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    async run(...extra: string[]): Promise<RunningServer> {
      const server = await startRedis(redisPath!, extra);
      servers.push(server);
      return server;
    },
    async open(options: RedisStoreOptions): Promise<OpenedStore> {
      const client = await openStore('redis', options, { clock: realClock, log: silentLogger });
      clients.push(client);
      return client;
    },
    /** One command on a server. */
    async tell(connection: { port: number; username?: string; password?: string }, ...command: [string, ...string[]]): Promise<unknown> {
      const redis = new Redis(connection);
      try {
        return await redis.call(...command);
      } finally {
        redis.disconnect();
      }
    },
    closeClients: () => Promise.all(clients.splice(0).map((client) => client.close())),
    async end() {
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
