import type { Pair } from '../config/keys.ts';
import { type RollOut, type StoreClient, type StoreRevision, stagedPrefix } from './clients/store.ts';
import { readRevision } from './store-revision.ts';

export interface StoreRead {
  readonly pairs: readonly Pair[];
  readonly revision: StoreRevision | undefined;
}

/**
 * What this agent is to run: the pairs below root, with the revision laid over them that is tried on it. Undefined when that
 * changed meanwhile, so that all must be read again. Throws StoreError.
 */
export async function layStaged(
  store: StoreClient,
  root: string,
  node: string | undefined,
  read: StoreRead,
): Promise<StoreRead | undefined> {
  const { revision, pairs } = read;
  const rollOut = revision?.state === 'written' ? revision.rollOut : undefined;
  if (rollOut === undefined || node === undefined || !rollOut.nodes.includes(node)) return read;
  const staged = await store.read(stagedPrefix(root, rollOut.revision));
  const after = (await readRevision(store, root))?.rollOut;
  if (after?.revision !== rollOut.revision || !after.nodes.includes(node)) return undefined;
  return {
    pairs: layOver(root, rollOut, pairs, staged),
    revision: { ...revision!, revision: rollOut.revision, hash: rollOut.hash },
  };
}

function layOver(root: string, { revision }: RollOut, pairs: readonly Pair[], staged: readonly Pair[]): Pair[] {
  const [set, gone] = [`${stagedPrefix(root, revision)}set/`, `${stagedPrefix(root, revision)}gone/`];
  const result = new Map(pairs);
  for (const [key, value] of staged) {
    if (key.startsWith(set)) result.set(`${root}/${key.slice(set.length)}`, value);
    else if (key.startsWith(gone)) result.delete(`${root}/${key.slice(gone.length)}`);
  }
  return [...result].sort(([a], [b]) => (a < b ? -1 : 1));
}
