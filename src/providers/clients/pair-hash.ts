import { createHash } from 'node:crypto';
import type { Pair } from '../../config/keys.ts';

/** The hash of a StoreRevision: SHA-256, in hex, of the pairs in the order of their keys, each as JSON in a line. */
export const hashPairs = (pairs: Iterable<Pair>): string => hashSorted([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));

/** So many characters are hashed at once. */
const STEP = 65_536;

/** The same of pairs that are in this order. */
export function hashSorted(pairs: Iterable<Pair>): string {
  const hash = createHash('sha256');
  let lines = '';
  for (const [key, value] of pairs) {
    lines += `[${quoted(key)},${quoted(value)}]\n`;
    if (lines.length < STEP) continue;
    hash.update(lines);
    lines = '';
  }
  return hash.update(lines).digest('hex');
}

/** As JSON.stringify does it, which takes longer for what needs no escape. */
const quoted = (text: string): string => (/["\\\p{Cc}\p{Cs}]/u.test(text) ? JSON.stringify(text) : `"${text}"`);
