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

export interface Compared {
  readonly entries: Entries;
  readonly conflicts: readonly Conflict[];
  /** Keys of ours that are gone, or have what we want without the books knowing. */
  readonly unbooked: () => readonly string[];
}

/** What is in a store of the objects that are ours or that the source has, and what others have done to them. */
export function compareOwned({ there, books, writer, desired, prune, takeOver }: Comparing): Compared {
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
  const isUnbooked = ([key, hashes]: [string, readonly string[]]): boolean => {
    const value = there.get(key);
    return value === undefined || (desired.get(idOf(key))?.[key] === value && hashes.join() !== hashOf(value));
  };
  return {
    entries,
    conflicts,
    unbooked: () =>
      Array.from(own)
        .filter(isUnbooked)
        .map(([key]) => key),
  };
}

/**
 * The same when of a store that is as it was some objects are wanted that were not, or not so; all else is as it was `before`,
 * without a conflict.
 */
export function compareChanged(
  now: Comparing,
  before: { readonly desired: ReadonlyMap<string, KeyRecord>; readonly compared: Compared },
): Compared {
  const own = now.books.owned.get(now.writer) ?? new Map<string, readonly string[]>();
  const desired = new Map<string, KeyRecord>();
  const owned = new Map<string, readonly string[]>();
  const entries = new Map(before.compared.entries);
  for (const id of changedIds(before.desired, now.desired)) {
    const record = now.desired.get(id);
    if (record !== undefined) desired.set(id, record);
    for (const some of [record, before.desired.get(id), before.compared.entries.get(id) as KeyRecord | undefined])
      for (const key of Object.keys(some ?? {})) if (own.has(key)) owned.set(key, own.get(key)!);
    entries.delete(id);
  }
  const books = { ...now.books, owned: new Map(now.books.owned).set(now.writer, owned) };
  const compared = compareOwned({ ...now, books, desired });
  for (const [id, record] of compared.entries) entries.set(id, record);
  // Neither comparison is kept by what is asked later: nobody may apply for days what changes meanwhile.
  const earlier = before.compared.unbooked;
  const unbooked = compared.unbooked();
  return { entries, conflicts: compared.conflicts, unbooked: unbooked.length === 0 ? earlier : () => [...earlier(), ...unbooked] };
}

function changedIds(before: ReadonlyMap<string, KeyRecord>, now: ReadonlyMap<string, KeyRecord>): Set<string> {
  const ids = new Set<string>();
  for (const [id, record] of now) if (before.get(id) !== record) ids.add(id);
  for (const id of before.keys()) if (!now.has(id)) ids.add(id);
  return ids;
}

function foreign(key: string, { owned }: Bookkeeping): string {
  for (const [name, keys] of owned) if (keys.has(key)) return `${key} was written by the sync '${name}'`;
  return `${key} is there already, written by somebody else`;
}

/** Keys of others within objects that the source has: they change what ours mean. */
export function strangersIn({ there, books, writer, desired }: Comparing): FoldNote[] {
  const own = books.owned.get(writer);
  const strange: string[] = [];
  for (const key of there.keys()) if (own?.has(key) !== true) strange.push(key);
  if (strange.length === 0) return [];
  const idOf = createIds(desired);
  const notes: FoldNote[] = [];
  for (const key of strange) {
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
