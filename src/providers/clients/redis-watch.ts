import type { Cluster, Redis } from 'ioredis';
import type { Clock } from '../../base/clock.ts';
import { createChanges } from './changes.ts';
import { escapeGlob } from './redis-read.ts';
import { type RedisSession, toStoreError } from './redis-session.ts';
import { type Changed, StoreError } from './store.ts';

/** What must be switched on: keyspace channels for generic commands, strings, and keys that expire or are evicted. */
const WANTED = 'Kg$xe';
/** A connection that died without a word is found by this. */
const PING_MS = 15_000;

export interface RedisWatch {
  readonly session: RedisSession;
  readonly db: number;
  readonly prefixes: readonly string[];
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Some server does not tell of changes and cannot be made to: why, and what to do. Then they must be looked for. */
  readonly onDeaf: (reason: string) => void;
}

/** Keyspace notifications as a stream; the first yield is when every server has taken the subscription. */
export async function* watchRedis({ session, db, prefixes, signal, clock, onDeaf }: RedisWatch): AsyncGenerator<Changed> {
  const changes = createChanges(signal);
  const subscribers: Redis[] = [];
  const lost = (): void => changes.fail(new StoreError('unreachable', 'The connection was lost'));
  const onTopology = (): void => changes.fail(new StoreError('unreachable', 'The servers of the cluster changed'));
  const ends = new AbortController();
  try {
    for (const node of session.watched()) {
      const reason = await enableNotifications(node);
      if (reason !== undefined) onDeaf(reason);
      const subscriber = node.duplicate({ lazyConnect: true, retryStrategy: () => null, readOnly: false });
      subscribers.push(subscriber);
      subscriber.on('error', () => {});
      subscriber.on('pmessage', (_, channel: string) => changes.mark(channel.slice(channel.indexOf(':') + 1)));
      subscriber.once('end', lost);
      await subscriber.connect();
      await subscriber.psubscribe(...prefixes.map((prefix) => `__keyspace@${db}__:${escapeGlob(prefix)}*`));
      keepAsking(subscriber, clock, ends.signal, lost);
    }
    if (session.isCluster) {
      const cluster = session.main as Cluster;
      cluster.on('+node', onTopology);
      cluster.on('-node', onTopology);
    }
    session.main.once('end', lost);
    changes.mark();
    yield* changes.stream();
  } catch (error) {
    throw toStoreError(error);
  } finally {
    ends.abort();
    session.main.off('end', lost);
    session.main.off('+node', onTopology);
    session.main.off('-node', onTopology);
    for (const subscriber of subscribers) subscriber.disconnect();
  }
}

function keepAsking(redis: Redis, clock: Clock, signal: AbortSignal, lost: () => void): void {
  const cancel = clock.after(PING_MS, () => {
    redis.ping().then(() => keepAsking(redis, clock, signal, lost), lost);
  });
  signal.addEventListener('abort', cancel, { once: true });
}

/** Undefined when the server tells of changes, now if not before; else the reason why not. */
async function enableNotifications(redis: Redis): Promise<string | undefined> {
  let flags: string | undefined;
  try {
    flags = ((await redis.config('GET', 'notify-keyspace-events')) as string[])[1] ?? '';
    const missing = missingFlags(flags);
    if (missing === '') return undefined;
    await redis.config('SET', 'notify-keyspace-events', flags + missing);
    return undefined;
  } catch (error) {
    const { code, message } = toStoreError(error);
    if (code === 'unreachable' && !/unknown command/i.test(message)) throw error;
    const line = `notify-keyspace-events ${(flags ?? '') + missingFlags(flags ?? '')}`;
    return `notifications ${flags === undefined ? 'cannot be asked for' : 'are off'} (${message}); write '${line}' into redis.conf, or allow this user CONFIG GET and SET`;
  }
}

export function missingFlags(flags: string): string {
  const has = (flag: string): boolean => flags.includes(flag) || (flag !== 'K' && flags.includes('A'));
  return [...WANTED].filter((flag) => !has(flag)).join('');
}
