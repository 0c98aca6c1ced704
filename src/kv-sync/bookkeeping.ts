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
  let bucket = buckets.get(key);
  if (bucket !== undefined) return bucket;
  const object = key.split('/', 3).join('/').toLowerCase();
  bucket = (fnv64(object, '1a').low % BUCKETS).toString(16).padStart(2, '0');
  // While a source is followed, the same keys come again and again.
  if (buckets.size >= MAX_KNOWN) buckets.clear();
  buckets.set(key, bucket);
  return bucket;
}

const buckets = new Map<string, string>();
const MAX_KNOWN = 200_000;

/** What has to be written so that the books have these keys of a writer instead of those that they have. */
export function ownedChanges(root: string, writer: string, before: Owned, after: Owned): StoreChange[] {
  const changed = new Map<string, Record<string, string>>();
  for (const [key, hashes] of after) {
    const known = before.get(key);
    if (known !== hashes && known?.join() !== hashes.join()) changed.set(bucketOf(key), {});
  }
  for (const key of before.keys()) if (!after.has(key)) changed.set(bucketOf(key), {});
  if (changed.size === 0) return [];
  const keys = [...after.keys()].map((key) => [key, changed.get(bucketOf(key))] as const).filter(([, bucket]) => bucket !== undefined);
  for (const [key, bucket] of keys.sort(([a], [b]) => (a < b ? -1 : 1))) bucket![key] = after.get(key)!.join(' ');
  const prefix = `${ownedPrefix(root)}${writer}/`;
  return Array.from(changed, ([bucket, entries]): StoreChange => {
    const isEmpty = Object.keys(entries).length === 0;
    return { key: prefix + bucket, value: isEmpty ? undefined : JSON.stringify(entries) };
  });
}

/** Pairs below a root by their key without it. */
export const withoutRoot = (root: string, pairs: Iterable<Pair>): Map<string, string> =>
  new Map(Array.from(pairs, ([key, value]) => [key.slice(root.length + 1), value]));
