import { type StoreChange, StoreError } from './store.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';
import { pathOf } from './zookeeper-tree.ts';

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
/** How often a transaction is made anew when others changed nodes meanwhile. */
const ATTEMPTS = 5;

/** All changes in one transaction that also wants the lock's node to be there. Throws StoreError `lost-lock`. */
export async function writeNodes(session: ZooKeeperSession, changes: readonly StoreChange[], lockPath: string): Promise<void> {
  for (const { key } of changes) checkKey(key);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const transaction = session.transaction().check(lockPath);
    const view = createView(session);
    // Asked for together; one after the other would be a round trip for every node.
    await Promise.all(changes.map(({ key }) => view.look(pathOf(key))));
    for (const { key, value } of changes) {
      if (value === undefined) await removeNode(transaction, view, pathOf(key));
      else await setNode(transaction, view, pathOf(key), value, session.acl);
    }
    if (await session.commit(transaction)) return;
    if ((await session.stat(lockPath)) === undefined) throw new StoreError('lost-lock', 'The lock is gone');
  }
  throw new StoreError('refused', 'Others change the same nodes again and again');
}

function checkKey(key: string): void {
  if (key === '' || key.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new StoreError('refused', `ZooKeeper has no node for the key '${key}'`);
}

type Transaction = ReturnType<ZooKeeperSession['transaction']>;

/** The nodes as they will be when the transaction is carried out. */
interface View {
  /** Finds out about a node and those above it. */
  look(path: string): Promise<unknown>;
  exists(path: string): Promise<boolean>;
  children(path: string): Promise<Set<string>>;
  hasData(path: string): Promise<boolean>;
  created(path: string, hasData: boolean): void;
  removed(path: string): void;
}

function createView(session: ZooKeeperSession): View {
  const nodes = new Map<string, Promise<{ exists: boolean; hasData: boolean }>>();
  const lists = new Map<string, Promise<readonly string[]>>();
  /** What the transaction does to the children of a node. */
  const changed = new Map<string, Map<string, boolean>>();
  const node = (path: string): Promise<{ exists: boolean; hasData: boolean }> => {
    let found = nodes.get(path);
    if (found === undefined) nodes.set(path, (found = find(path)));
    return found;
  };
  /** Of a new router only its own node is asked for: below one that is not there is nothing. */
  const find = async (path: string) => {
    const isOrphan = parentOf(path) !== '/' && !(await node(parentOf(path))).exists;
    const stat = isOrphan ? undefined : await session.stat(path);
    return { exists: stat !== undefined, hasData: (stat?.dataLength ?? 0) > 0 };
  };
  const change = (path: string, exists: boolean, hasData: boolean): void => {
    nodes.set(path, Promise.resolve({ exists, hasData }));
    const own = changed.get(parentOf(path)) ?? new Map<string, boolean>();
    changed.set(parentOf(path), own.set(nameOf(path), exists));
  };
  return {
    look: node,
    exists: async (path) => path === '/' || (await node(path)).exists,
    hasData: async (path) => (await node(path)).hasData,
    async children(path) {
      let list = lists.get(path);
      if (list === undefined) lists.set(path, (list = session.children(path).then((names) => names ?? [])));
      const names = new Set(await list);
      for (const [name, exists] of changed.get(path) ?? []) {
        if (exists) names.add(name);
        else names.delete(name);
      }
      return names;
    },
    created: (path, hasData) => change(path, true, hasData),
    removed: (path) => change(path, false, false),
  };
}

async function setNode(transaction: Transaction, view: View, path: string, value: string, acl: ZooKeeperSession['acl']): Promise<void> {
  const data = Buffer.from(value);
  if (await view.exists(path)) {
    transaction.setData(path, data, -1);
  } else {
    await makeFolder(transaction, view, parentOf(path), acl);
    transaction.create(path, data, acl);
  }
  view.created(path, data.length > 0);
}

async function makeFolder(transaction: Transaction, view: View, path: string, acl: ZooKeeperSession['acl']): Promise<void> {
  if (await view.exists(path)) return;
  await makeFolder(transaction, view, parentOf(path), acl);
  transaction.create(path, Buffer.alloc(0), acl);
  view.created(path, false);
}

/** A node with children stays as a folder; folders that become empty go too, since an empty leaf would be read as a key. */
async function removeNode(transaction: Transaction, view: View, path: string): Promise<void> {
  if (!(await view.exists(path))) return;
  if ((await view.children(path)).size > 0) {
    transaction.setData(path, Buffer.alloc(0), -1);
    view.created(path, false);
    return;
  }
  transaction.remove(path, -1);
  view.removed(path);
  const parent = parentOf(path);
  if (parent !== '/' && !(await view.hasData(parent)) && (await view.children(parent)).size === 0)
    await removeNode(transaction, view, parent);
}

/** Makes the folders above a node outside of any transaction. */
export async function ensureFolders(session: ZooKeeperSession, path: string): Promise<void> {
  const view = createView(session);
  const transaction = session.transaction();
  await makeFolder(transaction, view, path, session.acl);
  // Somebody else may have made them at the same moment.
  if (!(await session.commit(transaction)) && (await session.stat(path)) === undefined) await ensureFolders(session, path);
}
