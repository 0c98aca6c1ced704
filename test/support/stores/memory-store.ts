import { createChanges } from '../../../src/providers/clients/changes.ts';
import { type OpenedStore, StoreError, type StoreLock } from '../../../src/providers/clients/store.ts';

/** A store in memory whose changes, losses and refusals the test makes. */
export function createMemoryStore() {
  const pairs = new Map<string, string>();
  const watchers = new Set<{ prefixes: readonly string[]; mark(key?: string): void; fail(error: Error): void }>();
  const state = { reads: 0, gets: 0, watches: 0, isClosed: false, refuse: undefined as Error | undefined, refusedKey: '' };
  const changed = (key: string): void => {
    for (const { prefixes, mark } of watchers) if (prefixes.some((prefix) => key.startsWith(prefix))) mark(key);
  };
  const store: OpenedStore = {
    name: 'memory',
    atomicChanges: Number.POSITIVE_INFINITY,
    async read(prefix) {
      state.reads++;
      return [...pairs].filter(([key]) => key.startsWith(prefix));
    },
    async get(key) {
      state.gets++;
      if (key === state.refusedKey) throw new StoreError('refused', 'NOPERM');
      return pairs.get(key);
    },
    async *watch(prefixes, signal) {
      state.watches++;
      const changes = createChanges(signal);
      const watcher = { prefixes, mark: changes.mark, fail: changes.fail };
      watchers.add(watcher);
      try {
        changes.mark();
        yield* changes.stream();
      } finally {
        watchers.delete(watcher);
      }
    },
    async write(changes) {
      for (const { key, value } of changes) put(key, value);
    },
    lock: async (): Promise<StoreLock> => ({ fence: 1, isHeld: () => true, release: async () => {} }),
    async announce(key, value) {
      if (state.refuse !== undefined) throw state.refuse;
      put(key, value);
    },
    async close() {
      state.isClosed = true;
    },
  };
  function put(key: string, value: string | undefined): void {
    if (value === undefined) pairs.delete(key);
    else pairs.set(key, value);
    changed(key);
  }
  return {
    store,
    state,
    pairs,
    put,
    /** The connection is lost. */
    lose: (): void => {
      for (const { fail } of [...watchers]) fail(new Error('lost'));
    },
  };
}
