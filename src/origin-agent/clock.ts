import type { Clock } from '../base/clock.ts';

const { timeOrigin } = performance;

/** The machine's time. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => timeOrigin + performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
