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
  /** In the order of their keys; those that did not change are the same references. */
  readonly pairs: readonly Pair[];
  /** Places in `pairs`, by key. */
  readonly places: ReadonlyMap<string, number>;
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
    const pairs = sorted(await client.read(`${root}/`));
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
  const { pairs, places } = known;
  const changes = values.filter(({ key, value }) => pairs[places.get(key) ?? -1]?.[1] !== value);
  if (changes.length === 0) return known;
  if (changes.every(({ key, value }) => value !== undefined && places.has(key))) {
    const patched = [...pairs];
    for (const { key, value } of changes) patched[places.get(key)!] = [key, value!];
    return knownPairs(patched, places);
  }
  const changed = new Map(changes.map(({ key, value }) => [key, value]));
  const others = pairs.filter(([key]) => !changed.has(key));
  const come = [...changed].filter((change): change is [string, string] => change[1] !== undefined);
  return knownPairs(sorted([...others, ...come]));
}

function knownPairs(pairs: readonly Pair[], places: ReadonlyMap<string, number> = placesOf(pairs)): KnownPairs {
  let hash: string | undefined;
  return { pairs, places, hash: () => (hash ??= hashSorted(pairs)) };
}

const placesOf = (pairs: readonly Pair[]) => new Map(pairs.map(([key], place): [string, number] => [key, place]));

const sorted = (pairs: readonly Pair[]): Pair[] => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));

const isSame = (a: readonly Pair[], b: readonly Pair[]): boolean =>
  a.length === b.length && a.every(([key, value], place) => b[place]![0] === key && b[place]![1] === value);
