import { acquire, release } from './spin-lock.ts';

/** A number in a table's row that says what is held now. */
export interface HeldCell {
  /** Word at which the row begins: its key's hash. */
  readonly row: number;
  /** Index of the number among all floats of the arena. */
  readonly float: number;
  /** Word of the lock that guards the row. */
  readonly lock: number;
}

/** Float index, row, lock, both halves of the key's hash, amount. */
const ENTRY_WORDS = 6;
const SETS = 4_096;
/** Entries that share a place; when all are in use, what comes is not noted. */
const WAYS = 8;
export const LEDGER_WORDS = SETS * WAYS * ENTRY_WORDS;

/**
 * What one thread holds of the numbers in shared tables (requests in flight, connections), so that it can be given back when the thread
 * dies. Only that thread writes here, so there is no lock. `offset` is the word at which its memory begins, zeros at first.
 */
export function createLedger(words: Int32Array, offset: number) {
  return {
    /** The thread has added so much; less than 0 gives back. */
    note({ row, float, lock }: HeldCell, amount: number): void {
      const set = offset + (Math.imul(float, 0x9e3779b1) >>> 20) * WAYS * ENTRY_WORDS;
      const [low, high] = [words[row]!, words[row + 1]!];
      let free = -1;
      for (let entry = set; entry < set + WAYS * ENTRY_WORDS; entry += ENTRY_WORDS) {
        if (words[entry + 5] === 0) free = entry;
        else if (words[entry] === float && words[entry + 3] === low && words[entry + 4] === high) {
          words[entry + 5]! += amount;
          return;
        }
      }
      if (free !== -1) words.set([float, row, lock, low, high, amount], free);
    },
    /** Takes all that is noted out of the tables, as the thread will not do it any more. */
    giveBack(floats: Float64Array): void {
      for (let entry = offset; entry < offset + LEDGER_WORDS; entry += ENTRY_WORDS) {
        const amount = words[entry + 5]!;
        if (amount === 0) continue;
        const [float, row, lock] = [words[entry]!, words[entry + 1]!, words[entry + 2]!];
        acquire(words, lock);
        // A row that had to give way meanwhile is somebody else's.
        if (words[row] === words[entry + 3] && words[row + 1] === words[entry + 4]) floats[float] = Math.max(0, floats[float]! - amount);
        release(words, lock);
        words[entry + 5] = 0;
      }
    },
  };
}

export type Ledger = ReturnType<typeof createLedger>;
