import { decodeKeys, type Pair } from './keys.ts';
import { divideKeys, type KeyObject, type Objects, readObjects } from './keys-objects.ts';
import type { Loaded } from './load.ts';

/** `decodeKeys` for somebody who reads a root again and again. */
export interface KeysDecoder {
  /** What `decodeKeys` says; each key is there once. Objects whose pairs are those of the last call are not read anew: they are the same references. */
  decode(pairs: readonly Pair[]): DecodedObjects;
}

export interface DecodedObjects extends Loaded {
  /** In the order of their keys. */
  readonly objects: Objects;
  /** Keys that are of no section, as those of a static configuration. */
  readonly others: readonly Pair[];
}

interface State {
  /** As they came. */
  readonly pairs: readonly Pair[];
  readonly objects: Objects;
  /** In a section, and of no object. */
  readonly strange: readonly Pair[];
  readonly others: readonly Pair[];
  readonly loaded: Loaded;
}

export function createKeysDecoder(root: string): KeysDecoder {
  const nothing: Loaded = { configuration: {}, problems: [], warnings: [], refused: [] };
  let last: State = { pairs: [], objects: new Map(), strange: [], others: [], loaded: nothing };

  function next(pairs: readonly Pair[]): State {
    const { gone, come } = difference(last.pairs, pairs);
    if (gone.length === 0 && come.length === 0) return last;
    const before = divideKeys(root, gone);
    const now = divideKeys(root, come);
    const changed = new Map<string, readonly Pair[]>();
    for (const name of new Set([...before.named.keys(), ...now.named.keys()]))
      changed.set(name, exchange(last.objects.get(name)?.pairs, before.named.get(name), now.named.get(name)));
    return {
      pairs,
      ...readObjects(root, last, changed),
      strange: exchange(last.strange, before.strange, now.strange),
      others: exchange(last.others, before.others, now.others),
    };
  }

  return {
    decode(pairs) {
      last = next(pairs);
      const { objects, strange, others, loaded } = last;
      if (strange.length === 0) return { ...loaded, objects, others };
      // A key that is of no object may mean any of them, as `http/router/blog/middlewares` does.
      const all = [...objects.values()].flatMap((object: KeyObject) => object.pairs);
      return { ...decodeKeys(root, [...all, ...strange]), objects, others };
    },
  };
}

/** Most are the same and in the same place. A changed value is one that is gone and one that has come. */
function difference(before: readonly Pair[], now: readonly Pair[]): { gone: Pair[]; come: Pair[] } {
  const length = Math.min(before.length, now.length);
  let start = 0;
  while (start < length && isSame(before[start]!, now[start]!)) start++;
  let end = 0;
  while (end < length - start && isSame(before[before.length - 1 - end]!, now[now.length - 1 - end]!)) end++;
  const old = before.slice(start, before.length - end);
  const young = now.slice(start, now.length - end);
  const values = new Map(old);
  const come = young.filter(([key, value]) => values.get(key) !== value);
  const kept = new Map(young);
  const gone = old.filter(([key, value]) => kept.get(key) !== value);
  return { gone, come };
}

const isSame = (a: Pair, b: Pair): boolean => a === b || (a[0] === b[0] && a[1] === b[1]);

/** In the order of their keys. */
function exchange(pairs: readonly Pair[] = [], gone: readonly Pair[] = [], come: readonly Pair[] = []): readonly Pair[] {
  if (gone.length === 0 && come.length === 0) return pairs;
  const keys = new Set(gone.map(([key]) => key));
  const result = [...pairs.filter(([key]) => !keys.has(key)), ...come];
  const isSorted = result.every(([key], index) => index === 0 || result[index - 1]![0] < key);
  return isSorted ? result : result.sort(([a], [b]) => (a < b ? -1 : 1));
}
