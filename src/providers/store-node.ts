import { bookkeepingPrefix, type OpenedStore, type StoreRevision } from './clients/store.ts';
import type { ProviderContext } from './provider.ts';

/** `edgeway/<root>/nodes/<node>`: what a node has applied, for `edgeway sync status`. */
export interface StoreNode {
  readonly node: string;
  readonly revision: number;
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of the program. */
  readonly version: string;
}

/** How long a note outlives its node. */
const NOTE_MS = 60_000;

export type NodeReport = (revision: StoreRevision) => void;

/** Notes applied revisions in the store. Credentials that may not write are no fault: it is told once, at debug. */
export function createNodeReport(store: OpenedStore, root: string, { clock, log, node }: ProviderContext): NodeReport {
  let last: string | undefined;
  let isRefused = false;
  return ({ revision, hash }) => {
    const id = `${revision} ${hash}`;
    if (node === undefined || isRefused || id === last) return;
    last = id;
    const note: StoreNode = { node: node.name, revision, hash, at: Math.round(clock.now()), version: node.version };
    const key = `${bookkeepingPrefix(root)}nodes/${node.name.replaceAll('/', '-')}`;
    store.announce(key, JSON.stringify(note), NOTE_MS).catch((error: Error & { code?: string }) => {
      if (error.code === 'refused') isRefused = true;
      else last = undefined;
      log.debug('Cannot note the applied revision in the store', { store: store.name, error: error.message });
    });
  };
}
