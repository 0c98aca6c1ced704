import { type StoreChange, type StoreClient, StoreError, type StoreLock } from '../../../src/providers/clients/store.ts';

export interface BreakableStore {
  readonly client: StoreClient;
  readonly pairs: Map<string, string>;
  /** One for each that was carried out at once, in their order. */
  readonly writes: (readonly StoreChange[])[];
  /** What is below a root, sorted. */
  below(prefix: string): Record<string, string>;
  /** Every call fails from now on, or not. */
  away: boolean;
  /** After so many writes the writer dies: everything it says is lost, and its lock goes to whoever asks. */
  diesAfter: number;
  /** After so many writes somebody else takes the lock, for a moment. */
  losesAfter: number;
  /** Somebody writes beside sync. */
  set(key: string, value: string | undefined): void;
}

/** A store as its contract has it, in this process. */
export function createBreakableStore({ atomicChanges = Number.POSITIVE_INFINITY } = {}): BreakableStore {
  const pairs = new Map<string, string>();
  const watchers = new Set<() => void>();
  const writes: (readonly StoreChange[])[] = [];
  let holder: StoreLock | undefined;
  let fence = 0;
  const put = ({ key, value }: StoreChange): void => {
    if (value === undefined) pairs.delete(key);
    else pairs.set(key, value);
  };
  const reach = (): void => {
    if (store.away) throw new StoreError('unreachable', 'The store is away');
  };
  const client: StoreClient = {
    name: 'memory',
    atomicChanges,
    async read(prefix) {
      reach();
      return [...pairs].filter(([key]) => key.startsWith(prefix));
    },
    async get(key) {
      reach();
      return pairs.get(key);
    },
    async *watch(_, signal) {
      reach();
      let marked = true;
      let wake = (): void => {};
      const mark = (): void => {
        marked = true;
        wake();
      };
      watchers.add(mark);
      signal.addEventListener('abort', mark);
      try {
        while (!signal.aborted) {
          if (!marked) await new Promise<void>((resolve) => (wake = resolve));
          marked = false;
          reach();
          if (!signal.aborted) yield;
        }
      } finally {
        watchers.delete(mark);
      }
    },
    async write(changes, lock) {
      reach();
      if (lock !== holder) throw new StoreError('lost-lock', 'Somebody else has taken the lock');
      for (let at = 0; at < changes.length; at += atomicChanges) {
        if (store.losesAfter-- <= 0) {
          holder = undefined;
          store.losesAfter = Number.POSITIVE_INFINITY;
          throw new StoreError('lost-lock', 'Somebody else has taken the lock');
        }
        if (store.diesAfter-- <= 0) {
          holder = undefined;
          store.diesAfter = Number.POSITIVE_INFINITY;
          throw new StoreError('unreachable', 'The writer died');
        }
        const batch = changes.slice(at, at + atomicChanges);
        batch.forEach(put);
        writes.push(batch);
      }
      for (const mark of watchers) mark();
    },
    async lock() {
      reach();
      if (holder !== undefined) return undefined;
      const lock: StoreLock = {
        fence: ++fence,
        isHeld: () => holder === lock,
        release: async () => {
          if (holder === lock) holder = undefined;
        },
      };
      holder = lock;
      return lock;
    },
    close: async () => {},
  };
  const store: BreakableStore = {
    client,
    pairs,
    writes,
    away: false,
    diesAfter: Number.POSITIVE_INFINITY,
    losesAfter: Number.POSITIVE_INFINITY,
    below: (prefix) => Object.fromEntries([...pairs].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))),
    set(key, value) {
      put({ key, value });
      for (const mark of watchers) mark();
    },
  };
  return store;
}
