import type { Pair } from '../config/keys.ts';
import { hashPairs } from './clients/pair-hash.ts';
import type { Changed, StoreClient, StoreRevision } from './clients/store.ts';

/** What stands below a root, for somebody who reads it again and again. */
export interface StoreView {
  /** These keys may have changed, as a watch tells, or any. */
  note(changed: Changed): void;
  /**
   * All pairs in the order of their keys; the same map while nothing changed. Where `revision`, which sync noted, has the hash of what
   * is known with the noted keys read anew, all others are as they were; else all are read. Throws StoreError.
   */
  read(revision: StoreRevision | undefined): Promise<ReadonlyMap<string, string>>;
  /** What stands there now, for somebody who wrote it. */
  take(pairs: ReadonlyMap<string, string>, hash: string): void;
}

interface Known {
  readonly pairs: ReadonlyMap<string, string>;
  /** As a StoreRevision has it; found when it is asked for. */
  hash: string | undefined;
}

export function createStoreView(client: StoreClient, root: string): StoreView {
  let known: Known | undefined;
  let noted: Set<string> | undefined = new Set();
  let last: Promise<unknown> = Promise.resolve();

  async function read(revision: StoreRevision | undefined): Promise<ReadonlyMap<string, string>> {
    const before = known;
    const keys = noted;
    // Whatever fails here, nothing is known then.
    known = undefined;
    noted = new Set();
    const patched = before && keys && revision?.state === 'written' ? await patch(client, before, keys) : undefined;
    if (patched !== undefined && hashOf(patched) === revision!.hash) {
      known = patched;
    } else {
      const pairs = new Map(sorted(await client.read(`${root}/`)));
      known = before !== undefined && isSame(before.pairs, pairs) ? before : { pairs, hash: undefined };
    }
    return known.pairs;
  }

  return {
    note(changed) {
      if (changed === undefined) noted = undefined;
      else for (const key of changed) if (key.startsWith(`${root}/`)) noted?.add(key);
    },
    read(revision) {
      const reading = last.then(() => read(revision));
      last = reading.catch(() => {});
      return reading;
    },
    take(pairs, hash) {
      known = { pairs, hash };
    },
  };
}

/** With these keys as they are now; undefined when some cannot be asked for alone, as what is no text. */
async function patch(client: StoreClient, known: Known, keys: ReadonlySet<string>): Promise<Known | undefined> {
  const values = await Promise.all(Array.from(keys, async (key) => [key, await client.get(key)] as const)).catch(() => undefined);
  if (values === undefined) return undefined;
  const changes = values.filter(([key, value]) => known.pairs.get(key) !== value);
  if (changes.length === 0) return known;
  const pairs = new Map(known.pairs);
  for (const [key, value] of changes) {
    if (value === undefined) pairs.delete(key);
    else pairs.set(key, value);
  }
  const isLonger = changes.some(([key, value]) => value !== undefined && !known.pairs.has(key));
  return { pairs: isLonger ? new Map(sorted([...pairs])) : pairs, hash: undefined };
}

const hashOf = (known: Known): string => (known.hash ??= hashPairs(known.pairs));

const sorted = (pairs: readonly Pair[]): Pair[] => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of b) if (a.get(key) !== value) return false;
  return true;
}
