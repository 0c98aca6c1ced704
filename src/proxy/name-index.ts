/** Entries by name, in one array of numbers: with a million of them a Map costs more than what it holds, and pauses when it grows. */
export interface NameIndex<Entry> {
  readonly size: number;
  get(name: string): Entry | undefined;
  readonly entries: readonly Entry[];
}

/** Entries read between two yields. */
const SLICE = 256;

/** In slices. Of two entries with the same name the later counts. */
export function* createNameIndex<Entry extends { readonly name: string }>(entries: readonly Entry[]): Generator<void, NameIndex<Entry>> {
  /** Number of the entry + 1. */
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(entries.length * 2 + 2)));
  const mask = slots.length - 1;
  for (let i = 0; i < entries.length; i++) {
    slots[slotOf(entries[i]!.name)] = i + 1;
    if (i % SLICE === SLICE - 1) yield;
  }
  return {
    size: entries.length,
    entries,
    get: (name) => entries[slots[slotOf(name)]! - 1],
  };

  function slotOf(name: string): number {
    let slot = hashName(name) & mask;
    while (slots[slot] !== 0 && entries[slots[slot]! - 1]!.name !== name) slot = (slot + 1) & mask;
    return slot;
  }
}

function hashName(name: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x7fffffff;
}
