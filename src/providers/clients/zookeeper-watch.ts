import type { Pair } from '../../config/keys.ts';
import { createChanges } from './changes.ts';
import { type Changed, StoreError } from './store.ts';
import type { Watcher, ZooKeeperSession } from './zookeeper-session.ts';
import { baseOf, below, createNodeList, isWanted, keyOf } from './zookeeper-tree.ts';

/** What stands below a prefix, kept up to date by watches. */
export interface TreeView {
  /** As of everything that this session was told by now. Throws StoreError. */
  read(): Promise<readonly Pair[]>;
}

/**
 * Watches of ZooKeeper tell once, of one node: every node has two, armed again before a change is told. What they saw is kept, since
 * a node costs a round trip: while the stream runs `views` has it by prefix.
 */
export async function* watchTree(
  session: ZooKeeperSession,
  prefixes: readonly string[],
  signal: AbortSignal,
  views: Map<string, TreeView>,
): AsyncGenerator<Changed> {
  const changes = createChanges(signal);
  const off = session.onEnd(() => changes.fail(new StoreError('unreachable', 'The session has ended')));
  const own = new Map<string, TreeView>();
  try {
    for (const prefix of prefixes) own.set(prefix, followPrefix(session, prefix, changes.mark, changes.fail));
    await Promise.all([...own.values()].map((view) => view.read()));
    for (const [prefix, view] of own) views.set(prefix, view);
    changes.mark();
    yield* changes.stream();
  } finally {
    off();
    for (const [prefix, view] of own) if (views.get(prefix) === view) views.delete(prefix);
  }
}

interface Node {
  /** Undefined until it was read. */
  data: string | undefined;
  readonly children: Set<string>;
}

/** Events by their numbers, which never changed. */
const CREATED = 1;
const DELETED = 2;
const DATA_CHANGED = 3;
const CHILDREN_CHANGED = 4;

function followPrefix(session: ZooKeeperSession, prefix: string, mark: () => void, fail: (error: Error) => void): TreeView {
  const nodes = new Map<string, Node>();
  const base = baseOf(prefix);
  const working = new Set<Promise<unknown>>();
  let failure: Error | undefined;

  function run(work: Promise<unknown>): void {
    const done = work
      .catch((error: Error) => {
        failure ??= error;
        fail(error);
      })
      .finally(() => working.delete(done));
    working.add(done);
  }
  const nodeAt = (path: string): Node => {
    let node = nodes.get(path);
    if (node === undefined) nodes.set(path, (node = { data: undefined, children: new Set() }));
    return node;
  };
  const onEvent: Watcher = ({ type, path }) => {
    if (type === CREATED) run(arm(path).then(mark));
    else if (type === DATA_CHANGED) run(readData(path).then(() => keyOf(path).startsWith(prefix) && mark()));
    else if (type === CHILDREN_CHANGED) run(readChildren(path).then((isChanged) => isChanged && mark()));
    else if (type === DELETED) {
      forget(path);
      if (path === base) run(arm(path).then(mark));
    }
  };
  /** Its parent must take it for new when it comes back before the parent was read again. */
  function forget(path: string): void {
    const slash = path.lastIndexOf('/');
    if (nodes.delete(path)) nodes.get(path.slice(0, slash) || '/')?.children.delete(path.slice(slash + 1));
    mark();
  }
  async function readData(path: string): Promise<void> {
    const read = await session.node(path, onEvent);
    if (read !== undefined) nodeAt(path).data = read.data;
    // Only the base is waited for; any other comes back as a child of its parent.
    else if (path === base && (await session.stat(path, onEvent)) !== undefined) await arm(path);
    else nodes.delete(path);
  }
  async function readChildren(path: string): Promise<boolean> {
    const names = await session.children(path, onEvent);
    if (names === undefined) return false;
    const { children } = nodeAt(path);
    const wanted = new Set(names.filter((name) => isWanted(below(path, name), prefix)));
    const added = [...wanted].filter((name) => !children.has(name));
    const gone = [...children].filter((name) => !wanted.has(name));
    for (const name of gone) children.delete(name);
    for (const name of added) children.add(name);
    await Promise.all(added.map((name) => arm(below(path, name))));
    return added.length + gone.length > 0;
  }
  async function arm(path: string): Promise<void> {
    await Promise.all([readData(path), readChildren(path)]);
  }

  run(arm(base));
  return {
    async read() {
      while (working.size > 0) await Promise.all(working);
      if (failure !== undefined) throw failure;
      const list = createNodeList(prefix);
      for (const [path, { data, children }] of nodes) if (data !== undefined) list.add(path, data, children.size > 0);
      return list.pairs;
    },
  };
}
