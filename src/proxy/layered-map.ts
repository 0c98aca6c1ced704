/**
 * A map that is never changed: a changed one shares all entries with the one before, whose readers see nothing of the change.
 * A few hundred changes lie in a thin layer above the shared entries; then they are merged down.
 */
export interface LayeredMap<K, V> {
  readonly size: number;
  readonly get: (key: K) => V | undefined;
  readonly base: ReadonlyMap<K, V>;
  /** Undefined stands for a removed key. */
  readonly layer: ReadonlyMap<K, V | undefined>;
}

/** Entries of the layer before it is merged down: the cost of a change (copying the layer) against that of merging. */
const MAX_LAYER = 512;

export function createLayeredMap<K, V>(base: ReadonlyMap<K, V>): LayeredMap<K, V> {
  return { size: base.size, get: (key) => base.get(key), base, layer: new Map() };
}

/**
 * The map with the changes; undefined removes. A generator, so that merging down a large map can be done in slices: it yields
 * about every thousand entries.
 */
export function* changeLayeredMap<K, V>(map: LayeredMap<K, V>, changes: ReadonlyMap<K, V | undefined>): Generator<void, LayeredMap<K, V>> {
  if (changes.size === 0) return map;
  if (map.size === 0) return createLayeredMap(withoutRemoved(changes));
  if (map.layer.size + changes.size > MAX_LAYER) return createLayeredMap(yield* mergeDown(map, changes));
  const layer = new Map(map.layer);
  let { size } = map;
  for (const [key, value] of changes) {
    size += Number(value !== undefined) - Number(map.get(key) !== undefined);
    layer.set(key, value);
  }
  const { base } = map;
  return { size, base, layer, get: (key) => layer.get(key) ?? (layer.has(key) ? undefined : base.get(key)) };
}

function withoutRemoved<K, V>(changes: ReadonlyMap<K, V | undefined>): Map<K, V> {
  const kept = new Map<K, V>();
  for (const [key, value] of changes) if (value !== undefined) kept.set(key, value);
  return kept;
}

function* mergeDown<K, V>(map: LayeredMap<K, V>, changes: ReadonlyMap<K, V | undefined>): Generator<void, Map<K, V>> {
  const merged = new Map<K, V>();
  let count = 0;
  for (const [key, value] of map.base) {
    if (!map.layer.has(key) && !changes.has(key)) merged.set(key, value);
    if (++count % 1024 === 0) yield;
  }
  for (const [key, value] of map.layer) if (value !== undefined && !changes.has(key)) merged.set(key, value);
  for (const [key, value] of changes) if (value !== undefined) merged.set(key, value);
  return merged;
}

export function* layeredEntries<K, V>(map: LayeredMap<K, V>): Generator<[K, V]> {
  for (const [key, value] of map.base) if (!map.layer.has(key)) yield [key, value];
  for (const [key, value] of map.layer) if (value !== undefined) yield [key, value];
}

/** Runs all steps at once. */
export function drain<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
