import type { Clock } from '../../base/clock.ts';
import type { StoreLock } from './store.ts';

export interface HeldLock {
  readonly fence: number;
  readonly ttlMs: number;
  readonly clock: Clock;
  /** Asks the store for another `ttlMs`. False: somebody else has the lock. Rejects when the store is away. */
  readonly renew: () => Promise<boolean>;
  readonly release: () => Promise<void>;
}

/** A lock that renews itself three times in its life, and knows by its own clock when it ran out. */
export function holdLock({ fence, ttlMs, clock, renew, release }: HeldLock): StoreLock {
  let heldUntil = clock.now() + ttlMs;
  let isOver = false;
  let cancel: () => void = () => {};
  const again = (): void => {
    cancel = clock.after(ttlMs / 3, async () => {
      const asked = clock.now();
      try {
        if (await renew()) heldUntil = asked + ttlMs;
        else isOver = true;
      } catch {
        // The store is away: the next attempt may still come in time.
      }
      if (!isOver && clock.now() < heldUntil) again();
    });
  };
  again();
  return {
    fence,
    isHeld: () => !isOver && clock.now() < heldUntil,
    async release() {
      if (isOver) return;
      isOver = true;
      cancel();
      await release();
    },
  };
}
