import type { FoldNote } from '../../config/fold.ts';
import { type Bookkeeping, hashOf } from '../bookkeeping.ts';
import type { Conflict, Entries } from '../plan.ts';
import { type KeyRecord, objectOfKey } from '../store-objects.ts';

export interface Comparing {
  /** By key without root. */
  readonly there: ReadonlyMap<string, string>;
  readonly books: Bookkeeping;
  readonly writer: string;
  readonly desired: ReadonlyMap<string, KeyRecord>;
  readonly prune: boolean;
  readonly takeOver: boolean;
}

/** What is in a store of the objects that are ours or that the source has, and what others have done to them. */
export function compareOwned({ there, books, writer, desired, prune, takeOver }: Comparing): {
  entries: Entries;
  conflicts: Conflict[];
  notes: FoldNote[];
} {
  const own = books.owned.get(writer) ?? new Map<string, readonly string[]>();
  const idOf = createIds(desired);
  const keysOf = new Map<string, string[]>();
  for (const [id, record] of desired) keysOf.set(id, Object.keys(record));
  for (const key of own.keys()) {
    const id = idOf(key);
    if (desired.get(id)?.[key] !== undefined) continue;
    const keys = keysOf.get(id);
    if (keys === undefined) keysOf.set(id, [key]);
    else keys.push(key);
  }
  const entries = new Map<string, KeyRecord>();
  const conflicts: Conflict[] = [];
  for (const [id, keys] of keysOf) {
    const wanted = desired.get(id);
    const record: Record<string, string> = {};
    for (const key of keys) {
      const value = there.get(key);
      if (value === undefined) continue;
      record[key] = value;
      const hashes = own.get(key);
      if (takeOver || value === wanted?.[key] || hashes?.includes(hashOf(value))) continue;
      if (wanted === undefined && !prune) continue;
      conflicts.push({ key: id, message: hashes === undefined ? foreign(key, books) : `somebody else has changed ${key}` });
    }
    if (Object.keys(record).length > 0) entries.set(id, record);
  }
  return { entries, conflicts, notes: strangersIn(there, own, desired, idOf) };
}

function foreign(key: string, { owned }: Bookkeeping): string {
  for (const [name, keys] of owned) if (keys.has(key)) return `${key} was written by the sync '${name}'`;
  return `${key} is there already, written by somebody else`;
}

/** Keys of others within objects that the source has: they change what ours mean. */
function strangersIn(
  there: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, unknown>,
  desired: ReadonlyMap<string, KeyRecord>,
  idOf: (key: string) => string,
): FoldNote[] {
  const notes: FoldNote[] = [];
  for (const key of there.keys()) {
    if (own.has(key)) continue;
    const id = idOf(key);
    const record = desired.get(id);
    if (record !== undefined && !Object.hasOwn(record, key))
      notes.push({ object: id, message: `has a key of somebody else too, which counts: ${key}` });
  }
  return notes;
}

/** The object of a key, by the name that the source gives it: keys do not tell letter case apart. */
export function createIds(desired: ReadonlyMap<string, KeyRecord>): (key: string) => string {
  const byKey = new Map<string, string>();
  for (const [id, record] of desired) for (const key of Object.keys(record)) byKey.set(key, id);
  let names: Map<string, string> | undefined;
  return (key) => {
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const id = objectOfKey(key);
    if (desired.has(id)) return id;
    names ??= new Map(Array.from(desired.keys(), (name) => [name.toLowerCase(), name]));
    return names.get(id.toLowerCase()) ?? id;
  };
}
