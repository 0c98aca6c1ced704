import type { Cluster, Redis } from 'ioredis';
import { createRedis, type RedisBehaviour, type RedisServer } from './redis-connect.ts';
import { chooseReader, type ReadStrategy } from './redis-replica.ts';
import { StoreError } from './store.ts';

/** Connections to a Redis that live until one of them is lost. */
export interface RedisSession {
  readonly main: Redis | Cluster;
  /** Where keys are read: the server, a replica of it, or every master of a cluster. */
  readers(): Redis[];
  /** Whose notifications tell of every change: replicas of a cluster too, since one of them may be the master next. */
  watched(): Redis[];
  isCluster: boolean;
  close(): void;
}

const BEHAVIOUR: RedisBehaviour = {
  connectTimeout: 5_000,
  commandTimeout: 15_000,
  // A lost connection ends the session; the next call opens another, and tells its error.
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  // It asks by INFO, which a user need not have; a server that is loading says so to the first command.
  enableReadyCheck: false,
  lazyConnect: true,
  connectionName: 'edgeway',
};

/** Opens what the options describe; one endpoint of a cluster stands for the cluster. The signal ends it. Throws StoreError. */
export async function openRedisSession(
  server: RedisServer,
  strategy: ReadStrategy,
  onEnd: () => void,
  signal: AbortSignal,
): Promise<RedisSession> {
  let main = await connect(server, signal);
  if (server.endpoints.length === 1 && server.sentinel === undefined && (await isClusterNode(main as Redis))) {
    main.disconnect();
    main = await connectCluster(server, signal);
  }
  let reader: Redis | undefined;
  try {
    reader = server.sentinel && (await chooseReader(server, strategy, main as Redis, BEHAVIOUR));
  } catch (error) {
    main.disconnect();
    throw toStoreError(error);
  }
  const isCluster = 'nodes' in main;
  const session: RedisSession = {
    main,
    isCluster,
    readers: () => (isCluster ? (main as Cluster).nodes('master') : [reader ?? (main as Redis)]),
    watched: () => (isCluster ? (main as Cluster).nodes('all') : [reader ?? (main as Redis)]),
    close() {
      main.disconnect();
      reader?.disconnect();
    },
  };
  main.once('end', onEnd);
  reader?.once('end', onEnd);
  return session;
}

const connectCluster = (server: RedisServer, signal: AbortSignal): Promise<Redis | Cluster> =>
  // A second name for the same server makes the list that of a cluster.
  connect({ ...server, endpoints: [server.endpoints[0]!, server.endpoints[0]!] }, signal);

/** Connects and logs in. Throws StoreError with the reason that the client hides behind 'Connection is closed'. */
async function connect(server: RedisServer, signal: AbortSignal): Promise<Redis | Cluster> {
  const redis = await createRedis(server, BEHAVIOUR);
  const giveUp = (): void => redis.disconnect();
  signal.addEventListener('abort', giveUp);
  redis.once('end', () => signal.removeEventListener('abort', giveUp));
  let reason: unknown;
  redis.on('error', (error: Error & { lastNodeError?: Error }) => {
    reason = error.lastNodeError ?? error;
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    if (redis.status !== 'end') redis.disconnect();
    throw toStoreError(reason ?? error);
  }
}

async function isClusterNode(redis: Redis): Promise<boolean> {
  try {
    return /cluster_enabled:1/.test(await redis.info('cluster'));
  } catch {
    // A user without the right to ask: then it is told by the first key that lives elsewhere.
    return false;
  }
}

/** A server's own words begin with a code in capitals: WRONGPASS, NOPERM, READONLY, MISCONF … */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const cause = error as Error & { lastNodeError?: Error };
  const message = cause.lastNodeError?.message ?? cause.message;
  const isAnswer = /^[A-Z]{3,} /.test(message) && !/^(CLUSTERDOWN|LOADING|MASTERDOWN|TRYAGAIN) /.test(message);
  return new StoreError(isAnswer ? 'refused' : 'unreachable', message);
}
