import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { Pair } from '../../config/keys.ts';
import { formatPairs, parsePairs } from '../sources/pairs.ts';
import { type KeyRecord, meaningOfRecord, objectOfKey, toKeyRecords, viewOfRecord } from '../store-objects.ts';
import type { Target } from './target.ts';

/** A file of `key,value` lines in the order of their keys; all keys of its root are ours. Comments are not kept. */
export function createKeysFileTarget(path: string, root: string): Target {
  let others: readonly Pair[] = [];
  return {
    name: path,
    prepare: async () => {},
    translate: async (message) => toKeyRecords(message),

    async read() {
      const { pairs, problems } = parsePairs(await readOrEmpty(path), path);
      const [problem] = problems;
      if (problem !== undefined) throw problem;
      others = pairs.filter(([key]) => !key.startsWith(`${root}/`));
      const entries = new Map<string, Record<string, string>>();
      for (const [full, value] of pairs) {
        if (!full.startsWith(`${root}/`)) continue;
        const key = full.slice(root.length + 1);
        const id = objectOfKey(key);
        const record = entries.get(id);
        if (record === undefined) entries.set(id, { [key]: value });
        else record[key] = value;
      }
      return { entries };
    },

    meaning: (id, record) => meaningOfRecord(id, record as KeyRecord),
    view: (id, record) => viewOfRecord(id, record as KeyRecord),

    async apply({ result }) {
      const own = [...result.values()].flatMap((record) =>
        Object.entries(record as KeyRecord).map(([key, value]): Pair => [`${root}/${key}`, value]),
      );
      const all = [...others, ...own].sort(([a], [b]) => (a < b ? -1 : 1));
      await replaceFile(path, formatPairs(all));
      return [`${path} has ${all.length} keys.`];
    },
  };
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Nobody ever reads half of it. It may hold secrets: a new one is for its owner only. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  );
  const next = `${path}.${randomUUID()}`;
  try {
    await writeFile(next, text, { mode });
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}
