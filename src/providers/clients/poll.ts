import { createHash } from 'node:crypto';
import { type Clock, sleep } from '../../base/clock.ts';
import type { StoreClient } from './store.ts';

/** For a store that does not tell of changes: yields at first, then whenever what it holds differs from the look before. */
export async function* pollStore(
  read: StoreClient['read'],
  prefixes: readonly string[],
  everyMs: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<void> {
  let last = await fingerprint(read, prefixes);
  yield;
  while (await sleep(clock, everyMs, signal)) {
    const next = await fingerprint(read, prefixes);
    if (next === last) continue;
    last = next;
    yield;
  }
}

async function fingerprint(read: StoreClient['read'], prefixes: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const prefix of prefixes) {
    const pairs = [...(await read(prefix))].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, value] of pairs) hash.update(`${key.length} ${key} ${value.length} ${value} `);
  }
  return hash.digest('base64');
}
