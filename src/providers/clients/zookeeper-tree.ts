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
  const folders = createGuess();
  await walk([baseOf(prefix)], async (path) => {
    const { data, names } = folders.has(path) ? await readFolder(session, path) : await readNode(session, path);
    if (data === undefined) return [];
    folders.learn(path, names.length > 0);
    list.add(path, data, names.length > 0);
    return names.map((name) => below(path, name)).filter((child) => isWanted(child, prefix));
  });
  return list.pairs;
}

interface ReadNode {
  /** Undefined when the node is not there. */
  readonly data: string | undefined;
  readonly names: readonly string[];
}

const NOTHING: ReadNode = { data: undefined, names: [] };

/** One question for a leaf. */
async function readNode(session: ZooKeeperSession, path: string): Promise<ReadNode> {
  const node = await session.node(path);
  if (node === undefined) return NOTHING;
  return { data: node.data, names: node.hasChildren ? ((await session.children(path)) ?? []) : [] };
}

/** One question for a folder without data. */
async function readFolder(session: ZooKeeperSession, path: string): Promise<ReadNode> {
  const folder = await session.list(path);
  if (folder === undefined) return NOTHING;
  if (!folder.hasData) return { data: '', names: folder.names };
  return { data: (await session.node(path))?.data, names: folder.names };
}

/** Ten thousand routers look alike: what a name was at this depth, it is again, and a new name is what its sibling was. */
function createGuess(): { has(path: string): boolean; learn(path: string, isFolder: boolean): void } {
  const byName = new Map<string, boolean>();
  const byParent = new Map<string, boolean>();
  const split = (path: string): [name: string, parent: string] => {
    const slash = path.lastIndexOf('/');
    return [`${path.split('/').length}${path.slice(slash)}`, path.slice(0, slash)];
  };
  return {
    has(path) {
      const [name, parent] = split(path);
      return byName.get(name) ?? byParent.get(parent) ?? false;
    },
    learn(path, isFolder) {
      const [name, parent] = split(path);
      byName.set(name, isFolder);
      byParent.set(parent, isFolder);
    },
  };
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

/** So many visits at once keep the server busy; more would only wait, in memory. */
const AT_ONCE = 256;

/** Visits paths and what each visit returns. Rejects with the first failure. */
function walk(start: readonly string[], visit: (path: string) => Promise<readonly string[]>): Promise<void> {
  const waiting = [...start];
  let running = 0;
  return new Promise((resolve, reject) => {
    const next = (): void => {
      while (running < AT_ONCE && waiting.length > 0) {
        running++;
        visit(waiting.pop()!).then((found) => {
          running--;
          for (const path of found) waiting.push(path);
          next();
        }, reject);
      }
      if (running === 0) resolve();
    };
    next();
  });
}
