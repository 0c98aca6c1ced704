import type { StoreChange } from './store.ts';

export interface PartLimits {
  readonly maxChanges: number;
  readonly maxBytes: number;
  /** What a change costs beside its value. */
  readonly overheadBytes: (key: string) => number;
}

/** The changes in their order, divided as a store takes them at once; one that is too long alone is a part of its own. */
export function* partsOf(changes: readonly StoreChange[], { maxChanges, maxBytes, overheadBytes }: PartLimits): Generator<StoreChange[]> {
  let part: StoreChange[] = [];
  let bytes = 0;
  for (const change of changes) {
    const size = overheadBytes(change.key) + Buffer.byteLength(change.value ?? '');
    if (part.length > 0 && (part.length === maxChanges || bytes + size > maxBytes)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(change);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
