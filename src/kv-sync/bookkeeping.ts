import { createHash } from 'node:crypto';
import type { Pair } from '../config/keys.ts';
import { bookkeepingPrefix, type StoreChange, type StoreClient, type StoreRevision } from '../providers/clients/store.ts';
import { parseRevision } from '../providers/store-revision.ts';

/**
 * What sync knows of a root beside its keys:
 *
 * - `revision`: see StoreRevision.
 * - `lock`: held by the sync that writes.
 * - `owned/<writer>/<bucket>`: the keys that a writer wrote, as JSON `{key: hash of the value}`, divided so that a change of one
 *   object rewrites little. While a change is under way a key has two hashes, before and after.
 */
export interface Bookkeeping {
  /** Undefined when no sync has ever written here. */
  readonly revision: StoreRevision | undefined;
  /** Keys without root, by writer. */
  readonly owned: ReadonlyMap<string, Owned>;
  /** As they stand there, by key. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Keys without root, with the hashes that their value may have. */
export type Owned = ReadonlyMap<string, readonly string[]>;

export const revisionKey = (root: string): string => `${bookkeepingPrefix(root)}revision`;
export const lockKey = (root: string): string => `${bookkeepingPrefix(root)}lock`;
const ownedPrefix = (root: string): string => `${bookkeepingPrefix(root)}owned/`;

export async function readBookkeeping(client: StoreClient, root: string): Promise<Bookkeeping> {
  const texts = new Map(await client.read(bookkeepingPrefix(root)));
  const owned = new Map<string, Map<string, readonly string[]>>();
  const prefix = ownedPrefix(root);
  for (const [key, text] of texts) {
    const writer = key.startsWith(prefix) ? key.slice(prefix.length, key.lastIndexOf('/')) : '';
    if (writer === '') continue;
    let own = owned.get(writer);
    if (own === undefined) owned.set(writer, (own = new Map()));
    for (const [name, hashes] of parseOwned(text)) own.set(name, hashes);
  }
  return { revision: parseRevision(texts.get(revisionKey(root))), owned, texts };
}

function parseOwned(text: string): [string, readonly string[]][] {
  return Object.entries(parseObject(text)).flatMap(([key, hashes]) => (typeof hashes === 'string' ? [[key, hashes.split(' ')]] : []));
}

/** A text that is none of ours counts as nothing. */
export function parseObject(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Enough to see that somebody else changed a value. */
export const hashOf = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 16);

const BUCKETS = 256;

/** The bucket of a key: that of its object, so that one object is in one. */
function bucketOf(key: string): string {
  const object = key.split('/', 3).join('/').toLowerCase();
  return (createHash('sha256').update(object).digest()[0]! % BUCKETS).toString(16).padStart(2, '0');
}

/** What has to be written so that the books have these keys of a writer. */
export function ownedChanges(books: Bookkeeping, root: string, writer: string, owned: Owned): StoreChange[] {
  const buckets = new Map<string, Record<string, string>>();
  for (const key of [...owned.keys()].sort()) {
    const bucket = bucketOf(key);
    let entries = buckets.get(bucket);
    if (entries === undefined) buckets.set(bucket, (entries = {}));
    entries[key] = owned.get(key)!.join(' ');
  }
  const prefix = `${ownedPrefix(root)}${writer}/`;
  const changes: StoreChange[] = [];
  for (const [bucket, entries] of buckets) {
    const value = JSON.stringify(entries);
    if (books.texts.get(prefix + bucket) !== value) changes.push({ key: prefix + bucket, value });
  }
  for (const key of books.texts.keys())
    if (key.startsWith(prefix) && !buckets.has(key.slice(prefix.length))) changes.push({ key, value: undefined });
  return changes;
}

/** Pairs below a root by their key without it. */
export const withoutRoot = (root: string, pairs: readonly Pair[]): Map<string, string> =>
  new Map(pairs.map(([key, value]) => [key.slice(root.length + 1), value]));
