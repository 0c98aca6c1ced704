import type { Pair } from '../config/keys.ts';
import { hashSorted } from './clients/pair-hash.ts';
import type { Changed, StoreClient, StoreRevision } from './clients/store.ts';

/** What stands below a root, for somebody who reads it again and again. */
export interface StoreView {
  /** These keys may have changed, as a watch tells, or any. */
  note(changed: Changed): void;
  /**
   * The same reference while nothing changed. Where `revision`, which sync noted, has the hash of what is known with the noted keys
   * read anew, all others are as they were; else all are read. Throws StoreError.
   */
  read(revision: StoreRevision | undefined): Promise<KnownPairs>;
  /** What stands there now, for somebody who wrote it. */
  take(known: KnownPairs): void;
}

export interface KnownPairs {
  /** In the order of their keys. */
  readonly pairs: ReadonlyMap<string, string>;
  /** As a StoreRevision has it. */
  hash(): string;
}

/** When so many are noted, reading all is not slower. */
const MAX_NOTED = 1_000;

export function createStoreView(client: StoreClient, root: string): StoreView {
  let known: KnownPairs | undefined;
  let noted: Set<string> | undefined = new Set();
  let last: Promise<unknown> = Promise.resolve();

  async function read(revision: StoreRevision | undefined): Promise<KnownPairs> {
    const before = known;
    const keys = noted;
    // Whatever fails here, nothing is known then.
    known = undefined;
    noted = new Set();
    const patched = before && keys && revision?.state === 'written' ? await ask(client, before, keys) : undefined;
    if (patched !== undefined && patched.hash() === revision!.hash) return (known = patched);
    const pairs = new Map(sorted(await client.read(`${root}/`)));
    return (known = before !== undefined && isSame(before.pairs, pairs) ? before : knownPairs(pairs));
  }

  return {
    note(changed) {
      for (const key of changed ?? []) if (key.startsWith(`${root}/`)) noted?.add(key);
      if (changed === undefined || (noted !== undefined && noted.size > MAX_NOTED)) noted = undefined;
    },
    read(revision) {
      const reading = last.then(() => read(revision));
      last = reading.catch(() => {});
      return reading;
    },
    take(now) {
      known = now;
    },
  };
}

/** With these keys as they are now; undefined when some cannot be asked for alone, as what is no text. */
async function ask(client: StoreClient, known: KnownPairs, keys: ReadonlySet<string>): Promise<KnownPairs | undefined> {
  try {
    const values = await Promise.all(Array.from(keys, async (key) => ({ key, value: await client.get(key) })));
    return withChanges(known, values);
  } catch {
    return undefined;
  }
}

/** The same reference when nothing changes. */
export function withChanges(
  known: KnownPairs,
  values: readonly { readonly key: string; readonly value: string | undefined }[],
): KnownPairs {
  const changes = values.filter(({ key, value }) => known.pairs.get(key) !== value);
  if (changes.length === 0) return known;
  const pairs = new Map(known.pairs);
  for (const { key, value } of changes) {
    if (value === undefined) pairs.delete(key);
    else pairs.set(key, value);
  }
  const isLonger = changes.some(({ key, value }) => value !== undefined && !known.pairs.has(key));
  return knownPairs(isLonger ? new Map(sorted([...pairs])) : pairs);
}

function knownPairs(pairs: ReadonlyMap<string, string>): KnownPairs {
  let hash: string | undefined;
  return { pairs, hash: () => (hash ??= hashSorted(pairs)) };
}

const sorted = (pairs: readonly Pair[]): Pair[] => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of b) if (a.get(key) !== value) return false;
  return true;
}
