import { createHash } from 'node:crypto';
import { type Clock, sleep } from '../../base/clock.ts';
import type { StoreClient } from './store.ts';

/** A change that is found may be half of one: the store is looked at again until two looks agree, a few times. */
const AGAIN_MS = 100;
const LOOKS = 10;

/** For a store that does not tell of changes: yields at first, then whenever what it holds differs from the look before. */
export async function* pollStore(
  read: StoreClient['read'],
  prefixes: readonly string[],
  everyMs: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<undefined> {
  let last = await fingerprint(read, prefixes);
  yield undefined;
  while (await sleep(clock, everyMs, signal)) {
    let next = await fingerprint(read, prefixes);
    if (next === last) continue;
    for (let looks = 0; next !== last && looks < LOOKS; looks++) {
      last = next;
      await sleep(clock, AGAIN_MS, signal);
      next = await fingerprint(read, prefixes);
    }
    yield undefined;
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
