/** A lock is held for microseconds; one still held after so many looks belonged to a thread that died. */
const SPIN_LIMIT = 5_000_000;

/** Takes the lock in a word of shared memory. */
export function acquire(words: Int32Array, index: number): void {
  for (let spins = 0; Atomics.compareExchange(words, index, 0, 1) !== 0; spins++) if (spins > SPIN_LIMIT) return;
}

export function release(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
}
