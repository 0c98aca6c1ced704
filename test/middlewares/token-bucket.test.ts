import { expect, it } from 'vitest';
import { createLocalCells } from '../../src/base/cells.ts';
import { BUCKET_COLUMNS, takeToken, wholeNanoseconds } from '../../src/middlewares/token-bucket.ts';

const T0 = 1_700_000_000_000;

// Delays in ms that Go's x/time/rate gives for the same times, a reservation beyond the longest delay being cancelled.
it.each([
  [1, 60_000, 3, 500, [0, 0, 0, 0, 30_000, 60_000, 60_001, 200_000, 200_000, 200_000], [0, 0, 0, 60_000, 30_000, 0, 59_999, 0, 0, 40_000]],
  [10, 1_000, 1, 50, [0, 10, 20, 100, 150, 200, 1000, 1000, 1000], [0, 90, 80, 0, 50, 100, 0, 100, 100]],
  [10, 1_000, 5, 50, [0, 0, 0, 0, 0, 0, 0, 60, 110, 160], [0, 0, 0, 0, 0, 100, 100, 40, 90, 40]],
  [3, 1_000, 2, 500 / 3, [0, 0, 0, 200, 400, 500, 600, 700, 800], [0, 0, 1000 / 3, 400 / 3, 800 / 3, 500 / 3, 400, 300, 200]],
  [1, 3_600_000, 1, 500, [0, 0, 3_599_500, 3_599_600, 3_600_000], [0, 3_600_000, 500, 3_600_400, 3_600_000]],
  [1000, 1_000, 1, 0.5, [0, 0, 0, 1, 1, 2], [0, 1, 1, 0, 1, 0]],
  [5, 2_000, 1, 250, [0, 100, 200, 300, 400, 500], [0, 300, 200, 500, 400, 300]],
])('%i in %i ms with a burst of %i', (average, period, burst, maxDelayMs, times, delays) => {
  const buckets = createLocalCells().table('b', { capacity: 9, columns: BUCKET_COLUMNS });
  const shape = { rate: average / period, burst, maxDelayMs: wholeNanoseconds(maxDelayMs) };
  times.forEach((time, index) => {
    expect(takeToken(buckets, 'k', T0 + time, shape)).toBeCloseTo(delays[index]!, 3);
  });
});

it('adds nothing while the clock is behind', () => {
  const buckets = createLocalCells().table('b', { capacity: 9, columns: BUCKET_COLUMNS });
  const shape = { rate: 0.01, burst: 1, maxDelayMs: 0 };
  expect(takeToken(buckets, 'k', T0, shape)).toBe(0);
  expect(takeToken(buckets, 'k', T0 - 1000, shape)).toBe(100);
});
