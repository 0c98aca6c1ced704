import type { Infer } from '../../base/schema.ts';
import type { zooKeeper as zooKeeperOptions } from '../../config/static/stores.ts';
import { holdLock } from './held-lock.ts';
import { type OpenedStore, type StoreContext, StoreError, type StoreLock } from './store.ts';
import { type PartLimits, partsOf } from './store-parts.ts';
import { openZooKeeperSession, type ZooKeeperSession } from './zookeeper-session.ts';
import { pathOf, readTree } from './zookeeper-tree.ts';
import { type TreeView, watchTree } from './zookeeper-watch.ts';
import { ensureFolders, writeNodes } from './zookeeper-write.ts';

export type ZooKeeperStoreOptions = Omit<Infer<typeof zooKeeperOptions>, 'rootKey'>;

/** A packet of a server has 1 MiB at most (jute.maxbuffer), with paths, lists of rights and folders in it. */
const MAX_WRITE_BYTES = 768 * 1024;
const MAX_CHANGES = 1_000;
/** The path stands in the packet, and those of folders that are made with it. */
const PARTS: PartLimits = { maxChanges: MAX_CHANGES, maxBytes: MAX_WRITE_BYTES, overheadBytes: (key) => 2 * key.length + 100 };
/** Of the session that reads and announces; servers allow 2 to 20 of their ticks, by default 4 to 40 s. */
const SESSION_MS = 30_000;

/** A ZooKeeper; keys are paths of nodes. It connects at its first call. */
export async function openZooKeeperStore(options: ZooKeeperStoreOptions, { clock }: StoreContext): Promise<OpenedStore> {
  let opening: Promise<ZooKeeperSession> | undefined;
  let isClosed = false;
  const lockPaths = new WeakMap<StoreLock, string>();
  const lockSessions = new Set<ZooKeeperSession>();
  const announced = new Map<string, string>();
  const views = new Map<string, TreeView>();

  function session(): Promise<ZooKeeperSession> {
    if (isClosed) return Promise.reject(new StoreError('unreachable', 'This client is closed'));
    const mine = (opening ??= openZooKeeperSession(options, SESSION_MS, clock));
    const forget = (): void => {
      if (opening === mine) opening = undefined;
    };
    mine.then((opened) => {
      if (opened.isOver()) forget();
      else opened.onEnd(forget);
    }, forget);
    return mine;
  }

  return {
    name: `zookeeper at ${options.endpoints.join(', ')}`,
    atomicChanges: MAX_CHANGES,
    read: async (prefix) => {
      const opened = await session();
      return (await views.get(prefix)?.read()) ?? readTree(opened, prefix);
    },
    get: async (key) => (await (await session()).node(pathOf(key)))?.data,
    async *watch(prefixes, signal) {
      const opened = await session();
      // A session that was lost took the notes of this node with it.
      for (const [key, value] of announced) await putEphemeral(opened, pathOf(key), value);
      yield* watchTree(opened, prefixes, signal, views);
    },
    async write(changes, lock) {
      const path = lock.isHeld() ? lockPaths.get(lock) : undefined;
      if (path === undefined) throw new StoreError('lost-lock', 'Somebody else has taken the lock');
      for (const part of partsOf(changes, PARTS)) await writeNodes(await session(), part, path);
    },
    async lock(key, holder, ttlMs) {
      const own = await openZooKeeperSession(options, ttlMs, clock);
      lockSessions.add(own);
      own.onEnd(() => lockSessions.delete(own));
      try {
        await ensureFolders(own, pathOf(key));
        const path = (await own.createEphemeral(`${pathOf(key)}/n-`, holder, true))!;
        const names = [...((await own.children(pathOf(key))) ?? [])].sort();
        if (names[0] !== path.slice(path.lastIndexOf('/') + 1)) {
          await own.remove(path);
          own.close();
          return undefined;
        }
        const stat = await own.stat(path);
        const lock = holdLock({
          // The number of the transaction that made the node.
          fence: Number(stat?.czxid.readBigInt64BE() ?? 0n),
          ttlMs,
          clock,
          renew: async () => !own.isOver() && (await own.stat(path)) !== undefined,
          async release() {
            if (own.isOver()) return;
            await own.remove(path).catch(() => {});
            own.close();
          },
        });
        lockPaths.set(lock, path);
        return lock;
      } catch (error) {
        own.close();
        throw error;
      }
    },
    async announce(key, value) {
      await putEphemeral(await session(), pathOf(key), value);
      announced.set(key, value);
    },
    async close() {
      const last = opening;
      isClosed = true;
      opening = undefined;
      for (const own of [...lockSessions]) own.close();
      await last?.then(
        async (opened) => {
          await Promise.allSettled([...announced.keys()].map((key) => opened.remove(pathOf(key))));
          opened.close();
        },
        () => {},
      );
    },
  };
}

/** A node that goes with the session; an older one, of this node's last session too, is replaced. */
async function putEphemeral(session: ZooKeeperSession, path: string, value: string): Promise<void> {
  await ensureFolders(session, path.slice(0, path.lastIndexOf('/')) || '/');
  if ((await session.createEphemeral(path, value, false)) !== undefined) return;
  await session.remove(path);
  await session.createEphemeral(path, value, false);
}
