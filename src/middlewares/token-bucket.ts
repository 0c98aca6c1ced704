import type { SourceTable } from './source-table.ts';

/** `rate` tokens a millisecond up to `burst`; a request takes one, in advance where it need not wait longer than `maxDelayMs`. */
export interface BucketShape {
  readonly rate: number;
  readonly burst: number;
  readonly maxDelayMs: number;
}

/** Columns of a bucket's row: tokens, and when they were counted (milliseconds since the epoch). */
export const BUCKET_COLUMNS = 2;

/** Takes a token of the source's bucket; gives how long to wait for it. Beyond `maxDelayMs` nothing is taken. */
export function takeToken(buckets: SourceTable, source: string, nowMs: number, { rate, burst, maxDelayMs }: BucketShape): number {
  return buckets.update(source, (row) => {
    // A row of zeros was last counted in 1970 and thus is full. A clock that went back adds nothing.
    const tokens = Math.min(burst, row[0]! + Math.max(0, nowMs - row[1]!) * rate);
    const delayMs = tokens >= 1 ? 0 : wholeNanoseconds((1 - tokens) / rate);
    row[0] = delayMs > maxDelayMs ? tokens : tokens - 1;
    row[1] = nowMs;
    return delayMs;
  });
}

/** Go counts in nanoseconds; a wait of exactly the longest allowed must not fail by rounding. */
export const wholeNanoseconds = (ms: number): number => Math.floor(ms * 1e6) / 1e6;
