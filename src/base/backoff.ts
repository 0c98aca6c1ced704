/** Exponential delays with full jitter in the upper half: the n-th lies in [d/2, d], d = min(first·2ⁿ, limit). Source: the usual client practice. */
export interface Backoff {
  /** Milliseconds to wait before the next attempt. */
  next(): number;
  /** Call after a success. */
  reset(): void;
}

export function createBackoff({ firstMs = 200, limitMs = 30_000, random = Math.random } = {}): Backoff {
  let attempt = 0;
  return {
    next() {
      const full = Math.min(firstMs * 2 ** Math.min(attempt++, 30), limitMs);
      return full / 2 + (random() * full) / 2;
    },
    reset() {
      attempt = 0;
    },
  };
}
