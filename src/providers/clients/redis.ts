import { ConfigError } from '../../base/errors.ts';
import type { Infer } from '../../base/schema.ts';
import type { redis as redisOptions } from '../../config/static/stores.ts';
import { createAnnouncements } from './announcements.ts';
import { readClientTls } from './client-tls.ts';
import { pollStore } from './poll.ts';
import { type Evaluate, takeRedisLock, writeAtOnce, writeInOrder } from './redis-lock.ts';
import { readPairs } from './redis-read.ts';
import { openRedisSession, type RedisSession, toStoreError } from './redis-session.ts';
import { watchRedis } from './redis-watch.ts';
import { type OpenedStore, type StoreContext, StoreError } from './store.ts';

export type RedisStoreOptions = Omit<Infer<typeof redisOptions>, 'rootKey'>;

/** How often a Redis is looked at that does not tell of changes. */
const POLL_MS = 2_000;

/** A Redis or Valkey: a server, a cluster, or a master behind sentinels. Throws ConfigError when options or TLS files cannot be used. */
export async function openRedisStore(options: RedisStoreOptions, { clock, log }: StoreContext): Promise<OpenedStore> {
  const { endpoints, sentinel = {}, db = 0 } = options;
  if (options.sentinel !== undefined) checkSentinel(options.sentinel);
  const server = { ...options, endpoints, tls: options.tls && (await readClientTls(options.tls)) };
  const name = `redis at ${endpoints.join(', ')}`;
  let opening: Promise<RedisSession> | undefined;
  let isCluster = endpoints.length > 1 && options.sentinel === undefined;
  let isDeafTold = false;
  const closing = new AbortController();

  async function use<T>(work: (session: RedisSession) => Promise<T>): Promise<T> {
    try {
      return await work(await session());
    } catch (error) {
      throw toStoreError(error);
    }
  }
  function session(): Promise<RedisSession> {
    if (closing.signal.aborted) return Promise.reject(new StoreError('unreachable', 'This client is closed'));
    const onEnd = (): void => {
      if (opening === mine) opening = undefined;
    };
    const mine = (opening ??= openRedisSession(server, sentinel, onEnd, closing.signal));
    mine.then((opened) => (isCluster = opened.isCluster), onEnd);
    return mine;
  }
  const evaluate: Evaluate = (script, keys, args) => use(({ main }) => main.eval(script, keys.length, ...keys, ...args));
  const announcements = createAnnouncements({
    clock,
    put: (key, value, ttlMs) => use(({ main }) => main.set(key, value, 'PX', ttlMs)),
    remove: (key) => use(({ main }) => main.del(key)),
  });
  const read = (prefix: string) => use((opened) => readPairs(opened, prefix));

  return {
    name,
    read,
    get: (key) => use(async ({ main, isCluster, readers }) => (await (isCluster ? main : readers()[0]!).get(key)) ?? undefined),
    async *watch(prefixes, signal) {
      const opened = await use(async (opened) => opened);
      let isDeaf = false;
      const onDeaf = (reason: string): void => {
        isDeaf = true;
        if (!isDeafTold) log.warn('Redis does not tell of changes, looking for them', { store: name, everyMs: POLL_MS, reason });
        isDeafTold = true;
      };
      const told = watchRedis({ session: opened, db, prefixes, signal, clock, onDeaf });
      try {
        const first = await told.next();
        if (!isDeaf) {
          if (first.done) return;
          yield;
          yield* told;
          return;
        }
      } finally {
        await told.return(undefined);
      }
      yield* pollStore(read, prefixes, POLL_MS, clock, signal);
    },
    write: (changes, lock) =>
      isCluster
        ? use(({ main }) =>
            writeInOrder(evaluate, ({ key, value }) => (value === undefined ? main.del(key) : main.set(key, value)), changes, lock),
          )
        : writeAtOnce(evaluate, changes, lock),
    get atomicChanges() {
      return isCluster ? 1 : Number.POSITIVE_INFINITY;
    },
    lock: (key, holder, ttlMs) => takeRedisLock(evaluate, clock, key, holder, ttlMs),
    announce: announcements.announce,
    async close() {
      await announcements.close();
      const last = opening;
      opening = undefined;
      // A server that says nothing would keep it for as long as a command may take.
      closing.abort();
      await last?.then(
        (opened) => opened.close(),
        () => {},
      );
    },
  };
}

function checkSentinel({ masterName, latencyStrategy, randomStrategy, replicaStrategy }: NonNullable<RedisStoreOptions['sentinel']>): void {
  if (!masterName) throw new ConfigError('config.missing', 'wants the name of the master', { object: 'redis.sentinel.masterName' });
  if ([latencyStrategy, randomStrategy, replicaStrategy].filter(Boolean).length > 1)
    throw new ConfigError('config.conflict', 'of latencyStrategy, randomStrategy and replicaStrategy keep one', {
      object: 'redis.sentinel',
    });
}
