import { hostname } from 'node:os';
import { type Clock, sleep } from '../../base/clock.ts';
import { ConfigError } from '../../base/errors.ts';
import type { Pair } from '../../config/keys.ts';
import { hashPairs } from '../../providers/clients/pair-hash.ts';
import { type StoreChange, type StoreClient, StoreError, type StoreLock, type StoreRevision } from '../../providers/clients/store.ts';
import { type Bookkeeping, lockKey, readBookkeeping, revisionKey, withoutRoot } from '../bookkeeping.ts';
import type { Entries } from '../plan.ts';
import { type KeyRecord, meaningOfRecord, toKeyRecords, viewOfRecord } from '../store-objects.ts';
import { compareOwned } from './store-compare.ts';
import { type RollOutOptions, rollOut } from './store-roll-out.ts';
import { planWrites, writeAll } from './store-write.ts';
import type { Target, TargetState } from './target.ts';

export interface StoreTargetOptions {
  readonly client: StoreClient;
  readonly root: string;
  /** Under which the keys are owned. */
  readonly writer: string;
  /** Keys of others that the source has become ours. */
  readonly takeOver: boolean;
  /** How long to wait for another sync; 0 is not at all. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Agents that take it one after another, before all do. */
  readonly rollOut?: RollOutOptions;
  readonly onWait: (text: string) => void;
  readonly onProgress: (done: number, total: number) => void;
}

/** A lock outlives its holder by this. On a busy machine ten thousand routers keep a process from renewing it for seconds. */
const LOCK_MS = 30_000;
/** Who lost the lock reads and plans anew, which also finishes what it had begun. */
const MAX_TRIES = 3;
const ASK_AGAIN_MS = 250;

/** Redis, etcd, ZooKeeper, Consul: flat keys below a root, and the books of what we wrote there. */
export function createStoreTarget(options: StoreTargetOptions): Target {
  const { client, root, writer, clock, signal } = options;
  let lock: StoreLock | undefined;
  /** Hash of the pairs that are known here. */
  let told: string | undefined;
  let seen: { readonly books: Bookkeeping; readonly there: ReadonlyMap<string, string>; readonly desired: Entries } | undefined;

  const pairsOf = (keys: ReadonlyMap<string, string>): Pair[] => Array.from(keys, ([key, value]): Pair => [`${root}/${key}`, value]);

  return {
    name: client.name,
    prepare: async () => {},
    translate: async (message) => toKeyRecords(message),

    async read(desired, { prune }): Promise<TargetState> {
      const [pairs, books] = await Promise.all([client.read(`${root}/`), readBookkeeping(client, root)]);
      const there = withoutRoot(root, pairs);
      seen = { books, there, desired };
      const compared = compareOwned({
        there,
        books,
        writer,
        desired: desired as ReadonlyMap<string, KeyRecord>,
        prune,
        takeOver: options.takeOver,
      });
      const own = books.owned.get(writer);
      const isNew = ([, record]: [string, unknown]): boolean => Object.keys(record as KeyRecord).some((key) => own?.has(key) !== true);
      return { ...compared, isUnfinished: books.revision?.state === 'writing' || (options.takeOver && [...desired].some(isNew)) };
    },

    meaning: (id, record) => meaningOfRecord(id, record as KeyRecord),
    view: (id, record) => viewOfRecord(id, record as KeyRecord),

    async exclusively(work) {
      for (let tries = 1; ; tries++) {
        const held = await takeLock(options);
        lock = held;
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof StoreError) || error.code !== 'lost-lock' || tries === MAX_TRIES || signal.aborted) throw error;
        } finally {
          lock = undefined;
          await held.release().catch(() => {});
        }
      }
    },

    async apply(plan) {
      if (seen === undefined || lock === undefined) throw new ConfigError('config.missing', 'A plan is applied by whoever holds the lock');
      const { books, there, desired } = seen;
      const before = books.revision;
      const notes =
        before?.state === 'writing'
          ? [`Revision ${before.revision} of ${before.writer} was interrupted; this run finishes what it left.`]
          : [];
      const writes = planWrites({
        plan,
        there,
        books,
        root,
        writer,
        desired: desired as ReadonlyMap<string, KeyRecord>,
        takeOver: options.takeOver,
      });
      if (before?.rollOut !== undefined)
        throw new ConfigError(
          'config.conflict',
          `Revision ${before.rollOut.revision} is being rolled out to ${before.rollOut.nodes.join(', ')}, or its roll-out stopped; 'edgeway sync abort' ends it`,
        );
      const revision: StoreRevision = {
        revision: (before?.revision ?? 0) + 1,
        state: 'written',
        hash: hashPairs(pairsOf(writes.result)),
        writer,
        at: clock.now(),
      };
      let done: readonly StoreChange[] = [];
      if (options.rollOut !== undefined) {
        const inForce = before ?? { revision: 0, state: 'written', hash: hashPairs(pairsOf(there)), writer, at: clock.now() };
        const changes = writes.objects.flat();
        done = await rollOut({ ...options.rollOut, client, lock, root, clock, signal, before: inForce, next: revision, changes });
      }
      const count = await writeAll({ client, lock, writes, revision, key: revisionKey(root), onProgress: options.onProgress });
      told = revision.hash;
      if (done.length > 0) await client.write(done, lock);
      return [...notes, `Revision ${revision.revision} is in ${client.name}: ${count} keys changed.`];
    },

    async *changes(signal) {
      let isFirst = true;
      for await (const _ of client.watch([`${root}/`], signal)) {
        const hash = isFirst ? undefined : hashPairs(await client.read(`${root}/`));
        isFirst = false;
        // What we wrote comes back as a change.
        if (hash !== undefined && hash === told) continue;
        told = hash;
        yield;
      }
    },
  };
}

/** Waits for its turn, at most `waitMs`. Throws StoreError. */
export async function takeLock({
  client,
  root,
  writer,
  waitMs,
  clock,
  signal,
  onWait,
}: Pick<StoreTargetOptions, 'client' | 'root' | 'writer' | 'waitMs' | 'clock' | 'signal' | 'onWait'>): Promise<StoreLock> {
  const end = clock.now() + waitMs;
  const holder = `${writer} (${hostname()}, process ${process.pid})`;
  for (let isFirst = true; ; isFirst = false) {
    const taken = await client.lock(lockKey(root), holder, LOCK_MS);
    if (taken !== undefined) return taken;
    if (clock.now() >= end || signal.aborted)
      throw new StoreError('refused', `Another sync is writing to ${client.name}; nothing was changed`);
    if (isFirst) onWait(`Another sync is writing to ${client.name}; waiting for it`);
    await sleep(clock, ASK_AGAIN_MS, signal);
  }
}
