import type { Clock } from '../../src/base/clock.ts';
import { turns } from './until.ts';

/** Time that only moves when told; timers ring on the way. */
export interface ManualClock extends Clock {
  /** Rings what is due by then, in order, and lets it run before the next one rings. */
  advance(ms: number): Promise<void>;
  /** When the next timer rings. */
  nextAt(): number | undefined;
  /** How many timers there are. */
  readonly waiting: number;
}

export function createManualClock(start = 1_700_000_000_000): ManualClock {
  let now = start;
  const timers = new Set<{ at: number; callback: () => void }>();
  const first = () => [...timers].sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    nextAt: () => first()?.at,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (let timer = first(); timer !== undefined && timer.at <= end; timer = first()) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.callback();
        await settle();
      }
      now = end;
      await settle();
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** Lets everything that waits for promises go on, signatures included. */
export const settle = (): Promise<void> => turns(10);
