import type { StoreChange, StoreClient, StoreLock, StoreRevision } from '../../providers/clients/store.ts';
import { type Bookkeeping, bookChanges, hashOf, type Owned } from '../bookkeeping.ts';
import type { Plan, PlanStep } from '../plan.ts';
import { type KeyRecord, pathOf } from '../store-objects.ts';
import { createIds } from './store-compare.ts';

export interface PlannedWrites {
  /** Written before the first object, where not all is written at once: the books know both values of every key. */
  readonly announced: () => readonly StoreChange[];
  /** By object, in an order in which what is used is there before its user, and goes after it. */
  readonly objects: readonly (readonly StoreChange[])[];
  /** The books afterwards, against what stands there before all. */
  readonly booked: readonly StoreChange[];
  /** The same against `announced`. */
  readonly rebooked: () => readonly StoreChange[];
  /** What the books say then of this writer. */
  readonly owned: Owned;
  /** Keys without root, afterwards. */
  readonly result: ReadonlyMap<string, string>;
}

export interface Writing {
  readonly plan: Plan;
  readonly there: ReadonlyMap<string, string>;
  readonly books: Bookkeeping;
  readonly root: string;
  readonly writer: string;
  readonly desired: ReadonlyMap<string, KeyRecord>;
  readonly takeOver: boolean;
  /** As compareOwned tells. */
  readonly unbooked: readonly string[];
}

export function planWrites({ plan, there, books, root, writer, desired, takeOver, unbooked }: Writing): PlannedWrites {
  const own = books.owned.get(writer) ?? new Map<string, readonly string[]>();
  const result = new Map(there);
  const after = new Map(own);
  const objects: StoreChange[][] = [];
  for (const step of [...plan.steps].sort(byUse)) {
    const changes = changesOf(step);
    for (const { key, value } of changes) {
      if (value === undefined) {
        result.delete(key);
        after.delete(key);
      } else {
        result.set(key, value);
        after.set(key, [hashOf(value)]);
      }
    }
    if (changes.length > 0) objects.push(changes.map(({ key, value }) => ({ key: `${root}/${key}`, value })));
  }
  const taken = takeOver ? takeKeys(after, desired) : [];
  settle(after, { plan, result, desired, unbooked });
  const written = objects.flat().map(({ key }) => key.slice(root.length + 1));
  const keys = [...written, ...taken, ...unbooked];
  const book = (texts: ReadonlyMap<string, string>, owned: Owned): StoreChange[] => bookChanges({ root, writer, texts, keys, owned });
  const announced = (): StoreChange[] => book(books.texts, announce(own, after, written));
  return {
    announced,
    objects,
    booked: book(books.texts, after),
    rebooked: () => book(withTexts(books.texts, announced()), after),
    owned: after,
    result,
  };
}

/** Texts of books when these changes are carried out. */
export function withTexts(before: ReadonlyMap<string, string>, changes: readonly StoreChange[]): Map<string, string> {
  const texts = new Map(before);
  for (const { key, value } of changes) {
    if (value === undefined) texts.delete(key);
    else texts.set(key, value);
  }
  return texts;
}

/** With both hashes of every key that is written. */
function announce(own: Owned, after: Owned, written: readonly string[]): Owned {
  const announced = new Map(own);
  for (const key of written) {
    const hashes = after.get(key);
    if (hashes !== undefined) announced.set(key, [...new Set([...(own.get(key) ?? []), ...hashes])]);
  }
  return announced;
}

/** Keys of the source that were not ours. */
function takeKeys(owned: Map<string, readonly string[]>, desired: Writing['desired']): string[] {
  const taken: string[] = [];
  for (const record of desired.values())
    for (const [key, value] of Object.entries(record)) {
      if (owned.has(key)) continue;
      owned.set(key, [hashOf(value)]);
      taken.push(key);
    }
  return taken;
}

/** Books of what needed no write: a value that somebody made what we want, a key that is gone. */
function settle(
  owned: Map<string, readonly string[]>,
  { plan, result, desired, unbooked }: Pick<Writing, 'plan' | 'desired' | 'unbooked'> & { result: ReadonlyMap<string, string> },
): void {
  if (unbooked.length === 0) return;
  const idOf = createIds(desired);
  const untouched = new Set([...plan.conflicts.map(({ key }) => key), ...plan.kept]);
  for (const key of unbooked) {
    const [id, hashes] = [idOf(key), owned.get(key)];
    if (hashes === undefined || untouched.has(id)) continue;
    const value = result.get(key);
    if (value === undefined) owned.delete(key);
    else if (desired.get(id)?.[key] === value && hashes.join() !== hashOf(value)) owned.set(key, [hashOf(value)]);
  }
}

function changesOf({ action, before, after }: PlanStep): StoreChange[] {
  const [old, now] = [(before ?? {}) as KeyRecord, (after ?? {}) as KeyRecord];
  const changes: StoreChange[] = [];
  for (const [key, value] of Object.entries(now)) if (old[key] !== value) changes.push({ key, value });
  for (const key of Object.keys(old)) if (!Object.hasOwn(now, key)) changes.push({ key, value: undefined });
  // Without its rule a router takes no request, whatever of it is there.
  const rank = ({ key }: StoreChange): number => (/\/rule$/i.test(key) ? (action === 'remove' ? -1 : 1) : 0);
  return changes.sort((a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : 1));
}

/** What is used before what uses it. */
const ORDER = ['', 'certificates', 'options', 'stores', 'serversTransports', 'middlewares', 'services', 'routers'];

function byUse(a: PlanStep, b: PlanStep): number {
  const rank = ({ key, action }: PlanStep): number => {
    const place = Math.max(0, ORDER.indexOf(pathOf(key)[1]));
    return action === 'remove' ? 2 * ORDER.length - place : place;
  };
  return rank(a) - rank(b) || (a.key < b.key ? -1 : 1);
}

export interface WritingAll {
  readonly client: StoreClient;
  readonly lock: StoreLock;
  readonly writes: PlannedWrites;
  /** As it is at the end. */
  readonly revision: StoreRevision;
  /** Of the revision. */
  readonly key: string;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * All at once where the store can; else between two marks, so that our readers wait and a run that died is seen. Gives the number
 * of keys below root. Throws StoreError.
 */
export async function writeAll({ client, lock, writes, revision, key, onProgress }: WritingAll): Promise<number> {
  const total = writes.objects.reduce((sum, { length }) => sum + length, 0);
  const mark = (state: StoreRevision['state']): StoreChange => ({ key, value: JSON.stringify({ ...revision, state }) });
  const all = [...writes.objects.flat(), ...writes.booked, mark('written')];
  if (all.length <= client.atomicChanges) {
    await client.write(all, lock);
    return total;
  }
  await client.write([mark('writing'), ...writes.announced()], lock);
  let done = 0;
  for (const changes of together(writes.objects, client.atomicChanges)) {
    await client.write(changes, lock);
    done += changes.length;
    onProgress(done, total);
  }
  await client.write([...writes.rebooked(), mark('written')], lock);
  return total;
}

/** Where every key is written for itself, a write has this many. */
const ONE_BY_ONE = 500;

/** As many objects a write as it carries out at once, and none divided that fits. */
function* together(objects: PlannedWrites['objects'], atomicChanges: number): Generator<readonly StoreChange[]> {
  const limit = atomicChanges === 1 ? ONE_BY_ONE : atomicChanges;
  let batch: StoreChange[] = [];
  for (const changes of objects) {
    if (batch.length > 0 && batch.length + changes.length > limit) {
      yield batch;
      batch = [];
    }
    batch.push(...changes);
  }
  if (batch.length > 0) yield batch;
}
