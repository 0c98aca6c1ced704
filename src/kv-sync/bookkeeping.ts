import { createHash } from 'node:crypto';
import { fnv64 } from '../base/fnv.ts';
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
  return (fnv64(object, '1a').low % BUCKETS).toString(16).padStart(2, '0');
}

export interface Booking {
  readonly root: string;
  readonly writer: string;
  /** The books as they stand there. */
  readonly texts: ReadonlyMap<string, string>;
  /** Keys whose entries are others than there, and maybe some more. */
  readonly keys: Iterable<string>;
  readonly owned: Owned;
}

/** What has to be written so that the books have `owned`. */
export function bookChanges({ root, writer, texts, keys, owned }: Booking): StoreChange[] {
  const buckets = new Map<string, string[]>();
  for (const key of keys) {
    const bucket = `${ownedPrefix(root)}${writer}/${bucketOf(key)}`;
    const own = buckets.get(bucket);
    if (own === undefined) buckets.set(bucket, [key]);
    else own.push(key);
  }
  return [...buckets].flatMap(([bucket, own]) => {
    const entries = new Map(Object.entries(parseObject(texts.get(bucket))));
    for (const key of own) {
      const hashes = owned.get(key);
      if (hashes === undefined) entries.delete(key);
      else entries.set(key, hashes.join(' '));
    }
    const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
    const value = sorted.length === 0 ? undefined : JSON.stringify(Object.fromEntries(sorted));
    return value === texts.get(bucket) ? [] : [{ key: bucket, value }];
  });
}

/** Pairs below a root by their key without it. */
export const withoutRoot = (root: string, pairs: Iterable<Pair>): Map<string, string> =>
  new Map(Array.from(pairs, ([key, value]) => [key.slice(root.length + 1), value]));
