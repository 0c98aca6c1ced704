import { type Clock, sleep } from '../base/clock.ts';

/** The changes of a store, of which one can also wait for the end. */
export interface Ticks {
  /** Resolves when something changed since the last look; false at the end. Throws what the watch threw. */
  next(): Promise<boolean>;
  /** Waits for the next change, at most `ms`; counts as a look. False when none came. */
  within(ms: number): Promise<boolean>;
  /** Something is still to be looked at. */
  mark(): void;
  /** Waits until nothing changed for `quietMs`, at most `limitMs`; counts as a look. False at the limit. */
  quiet(quietMs: number, limitMs: number): Promise<boolean>;
}

/** Reads `changes` until they end. */
export function createTicks(changes: AsyncIterable<void>, clock: Clock, signal: AbortSignal): Ticks {
  let isMarked = false;
  let isOver = false;
  let failure: unknown;
  let wake: () => void = () => {};
  const mark = (): void => {
    isMarked = true;
    wake();
  };
  const reading = (async () => {
    for await (const _ of changes) mark();
  })();
  reading.then(
    () => {
      isOver = true;
      wake();
    },
    (error) => {
      failure = error;
      isOver = true;
      wake();
    },
  );
  return {
    mark,
    async next() {
      while (!isMarked && !isOver) await new Promise<void>((resolve) => (wake = resolve));
      if (failure !== undefined) throw failure;
      isMarked = false;
      return !isOver;
    },
    async within(ms) {
      const waited = new AbortController();
      if (!isMarked && !isOver) {
        wake = () => waited.abort();
        await sleep(clock, ms, AbortSignal.any([waited.signal, signal]));
      }
      const was = isMarked;
      isMarked = false;
      return was;
    },
    async quiet(quietMs, limitMs) {
      const end = clock.now() + limitMs;
      do {
        isMarked = false;
        const waited = await sleep(clock, Math.min(quietMs, end - clock.now()), signal);
        if (!waited || failure !== undefined || (!isMarked && clock.now() < end)) return true;
      } while (clock.now() < end);
      return !isMarked;
    },
  };
}
