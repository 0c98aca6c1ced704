import { hashPairs } from '../providers/clients/pair-hash.ts';
import { bookkeepingPrefix, type StoreClient, type StoreRevision } from '../providers/clients/store.ts';
import { parseObject, readBookkeeping } from './bookkeeping.ts';

export interface StoreStatus {
  readonly revision: StoreRevision | undefined;
  /** Below the root. */
  readonly keys: number;
  /** The keys are not those of the revision. */
  readonly isForeign: boolean;
  /** By name. */
  readonly nodes: readonly NodeStatus[];
}

/** What an agent has told: `edgeway/<root>/nodes/<name>`. */
export interface NodeStatus {
  readonly node: string;
  readonly revision: number;
  /** When it said so, in milliseconds since 1970. */
  readonly at: number;
  readonly version: string;
}

/** What a store has, and which agent runs what of it. Throws StoreError. */
export async function readStatus(client: StoreClient, root: string): Promise<StoreStatus> {
  const [pairs, { revision, texts }] = await Promise.all([client.read(`${root}/`), readBookkeeping(client, root)]);
  return {
    revision,
    keys: pairs.length,
    isForeign: revision !== undefined && revision.state === 'written' && revision.hash !== hashPairs(pairs),
    nodes: nodesOf(root, texts),
  };
}

export function nodesOf(root: string, texts: ReadonlyMap<string, string>): NodeStatus[] {
  const prefix = `${bookkeepingPrefix(root)}nodes/`;
  return [...texts]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, text]) => {
      const { revision, at, version } = parseObject(text);
      return { node: key.slice(prefix.length), revision: Number(revision ?? 0), at: Number(at ?? 0), version: String(version ?? '') };
    })
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}
