import { hostname } from 'node:os';
import { type Clock, sleep } from '../../base/clock.ts';
import { ConfigError } from '../../base/errors.ts';
import { type StoreChange, type StoreClient, StoreError, type StoreLock, type StoreRevision } from '../../providers/clients/store.ts';
import { type KnownPairs, withChanges } from '../../providers/store-view.ts';
import { lockKey, revisionKey } from '../bookkeeping.ts';
import { type KeyRecord, meaningOfRecord, toKeyRecords, viewOfRecord } from '../store-objects.ts';
import { type Compared, compareChanged, compareOwned, strangersIn } from './store-compare.ts';
import { type RollOutOptions, rollOut } from './store-roll-out.ts';
import { booksAfter, createStateReader, type StoreState } from './store-state.ts';
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

type Records = ReadonlyMap<string, KeyRecord>;

/** What the last plan was made from. */
interface Seen {
  readonly state: StoreState;
  readonly desired: Records;
  readonly prune: boolean;
  readonly compared: Compared;
  readonly told: TargetState;
}

/** Redis, etcd, ZooKeeper, Consul: flat keys below a root, and the books of what we wrote there. */
export function createStoreTarget(options: StoreTargetOptions): Target {
  const { client, root, writer, takeOver, clock, signal } = options;
  const reader = createStateReader(client, root);
  let lock: StoreLock | undefined;
  let seen: Seen | undefined;
  /** Over when what is written is known here. */
  let writing: Promise<unknown> = Promise.resolve();
  /** What whoever follows the changes knows of. */
  let known: KnownPairs | undefined;

  function compare(state: StoreState, desired: Records, prune: boolean): Seen {
    const comparing = { there: state.there, books: state.books, writer, desired, prune, takeOver };
    const isKnown = seen?.state === state && seen.prune === prune && seen.compared.conflicts.length === 0;
    const compared = isKnown ? compareChanged(comparing, seen!) : compareOwned(comparing);
    const own = state.books.owned.get(writer);
    const isNew = ([, record]: [string, KeyRecord]): boolean => Object.keys(record).some((key) => own?.has(key) !== true);
    const isUnfinished = state.books.revision?.state === 'writing' || (takeOver && [...desired].some(isNew));
    const { entries, conflicts } = compared;
    return { state, desired, prune, compared, told: { entries, conflicts, notes: strangersIn(comparing), isUnfinished } };
  }

  return {
    name: client.name,
    prepare: async () => {},
    translate: async (message) => toKeyRecords(message),

    async read(entries, { prune, doubted = [] }): Promise<TargetState> {
      const desired = entries as Records;
      const records = doubted.flatMap((id) => [desired.get(id), seen?.compared.entries.get(id) as KeyRecord | undefined]);
      reader.note(new Set(records.flatMap((record) => Object.keys(record ?? {}).map((key) => `${root}/${key}`))));
      const state = await reader.read();
      if (seen?.state !== state || seen.desired !== desired || seen.prune !== prune) seen = compare(state, desired, prune);
      return seen.told;
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
      const { state, desired, prune, compared, told } = seen;
      const { books, there } = state;
      const before = books.revision;
      const notes =
        before?.state === 'writing'
          ? [`Revision ${before.revision} of ${before.writer} was interrupted; this run finishes what it left.`]
          : [];
      const writes = planWrites({ plan, there, books, root, writer, desired, takeOver, unbooked: compared.unbooked() });
      if (before?.rollOut !== undefined)
        throw new ConfigError(
          'config.conflict',
          `Revision ${before.rollOut.revision} is being rolled out to ${before.rollOut.nodes.join(', ')}, or its roll-out stopped; 'edgeway sync abort' ends it`,
        );
      const after = withChanges(state.known, writes.objects.flat());
      const revision: StoreRevision = {
        revision: (before?.revision ?? 0) + 1,
        state: 'written',
        hash: after.hash(),
        writer,
        at: clock.now(),
      };
      const write = async (held: StoreLock): Promise<number> => {
        let done: readonly StoreChange[] = [];
        if (options.rollOut !== undefined) {
          const inForce = before ?? { revision: 0, state: 'written', hash: state.known.hash(), writer, at: clock.now() };
          const changes = writes.objects.flat();
          done = await rollOut({ ...options.rollOut, client, lock: held, root, clock, signal, before: inForce, next: revision, changes });
        }
        const count = await writeAll({ client, lock: held, writes, revision, key: revisionKey(root), onProgress: options.onProgress });
        if (done.length > 0) await client.write(done, held);
        return count;
      };
      seen = undefined;
      reader.take(undefined);
      const ours = write(lock).then((count) => {
        const next: StoreState = { known: after, there: writes.result, books: booksAfter(books, { root, writer, revision, writes }) };
        reader.take(next);
        known = after;
        const agreed: Compared = { entries: plan.result, conflicts: plan.conflicts, unbooked: () => [] };
        seen = { state: next, desired, prune, compared: agreed, told: { ...told, entries: plan.result, isUnfinished: false } };
        return count;
      });
      writing = ours.catch(() => {});
      return [...notes, `Revision ${revision.revision} is in ${client.name}: ${await ours} keys changed.`];
    },

    async *changes(signal) {
      let isFirst = true;
      try {
        for await (const changed of client.watch([`${root}/`], signal)) {
          await writing;
          reader.note(changed);
          const now = (await reader.read()).known;
          // What we wrote comes back as a change.
          if (!isFirst && now === known) continue;
          isFirst = false;
          known = now;
          yield;
        }
      } finally {
        // Nobody tells of what changes now.
        reader.note(undefined);
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
