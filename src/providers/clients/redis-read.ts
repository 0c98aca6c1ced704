import type { Redis } from 'ioredis';
import type { Pair } from '../../config/keys.ts';
import { createPairList } from './pair-list.ts';
import type { RedisSession } from './redis-session.ts';

const SCAN_COUNT = 1_000;
const READ_COUNT = 500;

/** `prefix` as the beginning of a pattern. */
export const escapeGlob = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&');

/** All strings whose key begins with `prefix`; keys of other types are passed over. Each batch is one state, not the whole. */
export async function readPairs(session: RedisSession, prefix: string): Promise<readonly Pair[]> {
  const list = createPairList(prefix);
  const seen = new Set<string>();
  for (const node of session.readers()) {
    let batch: string[] = [];
    const flush = async (): Promise<void> => {
      const values = batch.length === 0 ? [] : await readValues(session, node, batch);
      for (const [index, value] of values.entries()) if (value !== null) list.add(batch[index]!, value);
      batch = [];
    };
    let cursor = '0';
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', `${escapeGlob(prefix)}*`, 'COUNT', SCAN_COUNT);
      cursor = next;
      for (const key of keys) {
        // A key may come twice while the table is resized.
        if (seen.has(key) || !key.startsWith(prefix)) continue;
        seen.add(key);
        batch.push(key);
        if (batch.length >= READ_COUNT) await flush();
      }
    } while (cursor !== '0');
    await flush();
  }
  return list.pairs;
}

async function readValues(session: RedisSession, node: Redis, keys: readonly string[]): Promise<(string | null)[]> {
  if (!session.isCluster) return node.mget(...keys);
  const pipeline = node.pipeline();
  for (const key of keys) pipeline.get(key);
  const answers = (await pipeline.exec()) ?? [];
  return Promise.all(
    answers.map(async ([error, value], index) => {
      if (error === null) return value as string | null;
      if (error.message.startsWith('WRONGTYPE')) return null;
      // The slot moves just now: the cluster client follows it.
      return session.main.get(keys[index]!);
    }),
  );
}
