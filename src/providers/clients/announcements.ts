import type { Clock } from '../../base/clock.ts';
import type { OpenedStore } from './store.ts';

/** Pairs with a time to live, renewed three times in it. For stores whose keys can have one. */
export function createAnnouncements({
  clock,
  put,
  remove,
}: {
  readonly clock: Clock;
  readonly put: (key: string, value: string, ttlMs: number) => Promise<unknown>;
  readonly remove: (key: string) => Promise<unknown>;
}): Pick<OpenedStore, 'announce' | 'close'> {
  const cancels = new Map<string, () => void>();
  const renew = (key: string, value: string, ttlMs: number): void => {
    cancels.get(key)?.();
    const cancel = clock.after(ttlMs / 3, () => {
      // While the store is away nothing can be said; the next turn may find it again.
      put(key, value, ttlMs)
        .catch(() => {})
        .then(() => cancels.get(key) === cancel && renew(key, value, ttlMs));
    });
    cancels.set(key, cancel);
  };
  return {
    async announce(key, value, ttlMs) {
      await put(key, value, ttlMs);
      renew(key, value, ttlMs);
    },
    async close() {
      const keys = [...cancels.keys()];
      for (const cancel of cancels.values()) cancel();
      cancels.clear();
      await Promise.allSettled(keys.map(remove));
    },
  };
}
