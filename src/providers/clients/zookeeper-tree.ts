import { createChanges } from './changes.ts';
import { createPairList, MAX_PAIRS } from './pair-list.ts';
import { StoreError } from './store.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';

/** `traefik/http` is the node `/traefik/http`. */
export const pathOf = (key: string): string => `/${key.replace(/^\/+|\/+$/g, '')}`;
const keyOf = (path: string): string => path.slice(1);
const below = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`);

/** Where the keys with this prefix stand: the deepest node that is above all of them. */
const baseOf = (prefix: string): string => pathOf(prefix.slice(0, prefix.lastIndexOf('/') + 1));
/** ZooKeeper's own nodes are no keys. */
const isOwn = (path: string): boolean => path === '/zookeeper';
/** Whether a node is, or leads to, a key with this prefix. */
const isWanted = (path: string, prefix: string): boolean =>
  !isOwn(path) && (keyOf(path).startsWith(prefix) || prefix.startsWith(`${keyOf(path)}/`));
/** valkeyrie, by which Traefik reads, marks folders with this text. */
const FOLDER = '\u0001';
/** Questions that are on their way at once: each costs a round trip. */
const AT_ONCE = 256;

/**
 * Every node with data, and every one without children, is a pair; one that has children and no data is a folder. Not one state:
 * ZooKeeper has no answer that holds more than a node.
 */
export async function readTree(session: ZooKeeperSession, prefix: string): Promise<readonly [string, string][]> {
  const list = createPairList(prefix);
  let nodes = 0;
  await walk([baseOf(prefix)], async (path) => {
    if (++nodes > MAX_PAIRS) throw new StoreError('bad-answer', `Below '${prefix}' are more than ${MAX_PAIRS} nodes`);
    const [children, data] = await Promise.all([session.children(path), session.data(path)]);
    if (children === undefined || data === undefined) return [];
    const value = data === FOLDER ? '' : data;
    if (keyOf(path).startsWith(prefix) && path !== '/' && (value !== '' || children.length === 0)) list.add(keyOf(path), value);
    return children.map((name) => below(path, name)).filter((child) => isWanted(child, prefix));
  });
  return list.pairs as [string, string][];
}

/** Visits paths and what each visit returns, many at once. */
async function walk(start: readonly string[], visit: (path: string) => Promise<readonly string[]>): Promise<void> {
  let paths = start;
  while (paths.length > 0) {
    const next: string[] = [];
    for (let i = 0; i < paths.length; i += AT_ONCE) {
      for (const found of await Promise.all(paths.slice(i, i + AT_ONCE).map(visit))) for (const path of found) next.push(path);
    }
    paths = next;
  }
}

/** Watches of ZooKeeper tell once, of one node: every node has two, armed again before a change is told. */
export async function* watchTree(session: ZooKeeperSession, prefixes: readonly string[], signal: AbortSignal): AsyncGenerator<void> {
  const changes = createChanges(signal);
  const off = session.onEnd(() => changes.fail(new StoreError('unreachable', 'The session has ended')));
  try {
    await Promise.all(prefixes.map((prefix) => armPrefix(session, prefix, changes.mark, changes.fail)));
    changes.mark();
    yield* changes.stream();
  } finally {
    off();
  }
}

async function armPrefix(session: ZooKeeperSession, prefix: string, mark: () => void, fail: (error: Error) => void): Promise<void> {
  /** Names of children by path, as they were last seen. */
  const known = new Map<string, ReadonlySet<string>>();
  const base = baseOf(prefix);
  const rearm = (work: Promise<boolean>): void => void work.then((isChanged) => isChanged && mark(), fail);

  async function armChildren(path: string): Promise<boolean> {
    const names =
      (await session.children(path, ({ type, path }) => {
        if (type === CHILDREN_CHANGED) rearm(armChildren(path));
      })) ?? [];
    const wanted = names.filter((name) => isWanted(below(path, name), prefix));
    const before = known.get(path) ?? new Set();
    known.set(path, new Set(wanted));
    const added = wanted.filter((name) => !before.has(name));
    await walk(
      added.map((name) => below(path, name)),
      async (child) => {
        await arm(child);
        return [];
      },
    );
    return added.length > 0 || wanted.length < before.size + added.length;
  }
  async function armData(path: string): Promise<boolean> {
    await session.stat(path, ({ type, path }) => {
      if (type === CREATED) rearm(arm(path).then(() => true));
      else if (type === DATA_CHANGED) rearm(armData(path).then(() => keyOf(path).startsWith(prefix)));
      else if (type === DELETED) {
        known.delete(path);
        // The others are armed again by their parent when they come back.
        if (path === base) rearm(arm(path).then(() => true));
      }
    });
    return true;
  }
  async function arm(path: string): Promise<void> {
    await Promise.all([armData(path), armChildren(path)]);
  }
  await arm(base);
}

/** Events by their numbers, which never changed. */
const CREATED = 1;
const DELETED = 2;
const DATA_CHANGED = 3;
const CHILDREN_CHANGED = 4;
