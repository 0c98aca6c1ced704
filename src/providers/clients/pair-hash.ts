import { createHash } from 'node:crypto';
import type { Pair } from '../../config/keys.ts';

/** The hash of a StoreRevision: SHA-256, in hex, of the pairs in the order of their keys, each as JSON in a line. */
export function hashPairs(pairs: Iterable<Pair>): string {
  const hash = createHash('sha256');
  let lines = '';
  for (const pair of [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines += `${JSON.stringify(pair)}\n`;
    if (lines.length < 65_536) continue;
    hash.update(lines);
    lines = '';
  }
  return hash.update(lines).digest('hex');
}
