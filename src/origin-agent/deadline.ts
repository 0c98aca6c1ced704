import type { Clock } from '../base/clock.ts';

/**
 * One time limit that is moved often and passes seldom. Setting it later than before, and clearing it, touch no timer: the timer that
 * runs finds out when it fires.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #onPass: () => void;
  #at = Number.POSITIVE_INFINITY;
  #armedFor = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, onPass: () => void) {
    this.#clock = clock;
    this.#onPass = onPass;
  }

  /** `at` in milliseconds of the clock. */
  set(at: number): void {
    this.#at = at;
    if (at >= this.#armedFor) return;
    this.#cancel?.();
    this.#arm(this.#clock.now());
  }

  /** Of `ms` from an instant on; 0 is no limit. */
  limit(ms: number, since: number): void {
    if (ms > 0) this.set(since + ms);
    else this.clear();
  }

  clear(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }

  /** Frees the timer for good. */
  dispose(): void {
    this.clear();
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = Number.NEGATIVE_INFINITY;
  }

  #arm(now: number): void {
    this.#armedFor = this.#at;
    // Half a millisecond more, so that a timer that fires early by rounding does not fire twice.
    this.#cancel = this.#clock.after(Math.max(1, Math.ceil(this.#at - now + 0.5)), () => this.#fire());
  }

  #fire(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#cancel = undefined;
    if (this.#at === Number.POSITIVE_INFINITY) return;
    const now = this.#clock.now();
    if (now < this.#at) {
      this.#arm(now);
      return;
    }
    this.clear();
    this.#onPass();
  }
}
