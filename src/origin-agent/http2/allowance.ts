import type { Clock } from '../../base/clock.ts';

/** So many at once, and so many a second from then on: what a peer may do that costs us more than it. */
export class Allowance {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #at: number;

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock;
    this.#burst = this.#left = burst;
    this.#perSecond = perSecond;
    this.#at = clock.now();
  }

  /** False when it is used up. */
  take(): boolean {
    const now = this.#clock.now();
    this.#left = Math.min(this.#burst, this.#left + (Math.max(0, now - this.#at) / 1000) * this.#perSecond) - 1;
    this.#at = now;
    return this.#left >= 0;
  }
}
