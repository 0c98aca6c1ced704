import type { Pair } from '../../config/keys.ts';
import { createPairList, MAX_PAIRS } from './pair-list.ts';
import { StoreError } from './store.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';

/** `traefik/http` is the node `/traefik/http`. */
export const pathOf = (key: string): string => `/${key.replace(/^\/+|\/+$/g, '')}`;
export const keyOf = (path: string): string => path.slice(1);
export const below = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`);

/** Where the keys with this prefix stand: the deepest node that is above all of them. */
export const baseOf = (prefix: string): string => pathOf(prefix.slice(0, prefix.lastIndexOf('/') + 1));
/** ZooKeeper's own nodes are no keys. */
const isOwn = (path: string): boolean => path === '/zookeeper';
/** Whether a node is, or leads to, a key with this prefix. */
export const isWanted = (path: string, prefix: string): boolean =>
  !isOwn(path) && (keyOf(path).startsWith(prefix) || prefix.startsWith(`${keyOf(path)}/`));
/** valkeyrie, by which Traefik reads, marks folders with this text. */
const FOLDER = '\u0001';

/**
 * Every node with data, and every one without children, is a pair; one that has children and no data is a folder. Not one state:
 * ZooKeeper has no answer that holds more than a node.
 */
export async function readTree(session: ZooKeeperSession, prefix: string): Promise<readonly Pair[]> {
  const list = createNodeList(prefix);
  await walk([baseOf(prefix)], async (path) => {
    const node = await session.node(path);
    if (node === undefined) return [];
    const children = node.hasChildren ? ((await session.children(path)) ?? []) : [];
    list.add(path, node.data, children.length > 0);
    return children.map((name) => below(path, name)).filter((child) => isWanted(child, prefix));
  });
  return list.pairs;
}

/** Tells which nodes are pairs. `add` throws StoreError when there are too many. */
export function createNodeList(prefix: string): { readonly pairs: Pair[]; add(path: string, data: string, hasChildren: boolean): void } {
  const list = createPairList(prefix);
  let nodes = 0;
  return {
    pairs: list.pairs,
    add(path, data, hasChildren) {
      if (++nodes > MAX_PAIRS) throw new StoreError('bad-answer', `Below '${prefix}' are more than ${MAX_PAIRS} nodes`);
      const value = data === FOLDER ? '' : data;
      if (path !== '/' && keyOf(path).startsWith(prefix) && (value !== '' || !hasChildren)) list.add(keyOf(path), value);
    },
  };
}

/** Visits paths and what each visit returns, level by level. */
async function walk(start: readonly string[], visit: (path: string) => Promise<readonly string[]>): Promise<void> {
  let paths = start;
  while (paths.length > 0) paths = (await Promise.all(paths.map(visit))).flat();
}
