import { expect, it } from 'vitest';
import { createCircuitStats } from '../../src/middlewares/circuit-stats.ts';

const T0 = 1_700_000_000_000;
const errors = { from: 500, to: 600 };
const any = { from: 0, to: 600 };

it('counts statuses of the last ten seconds', () => {
  const stats = createCircuitStats(3, [errors, any], false);
  const row = new Float64Array(3 + stats.columns).fill(7, 0, 3);
  const counts = (now: number) => [stats.total(row, now), stats.inBand(row, errors, now), stats.inBand(row, any, now)];
  stats.record(row, 200, 1, T0);
  stats.record(row, 500, 1, T0 + 999);
  stats.record(row, 599, 1, T0 + 1_000);
  stats.record(row, 600, 1, T0 + 9_000);
  expect(counts(T0 + 9_999)).toEqual([4, 2, 3]);
  // The first second has left the window.
  expect(counts(T0 + 10_000)).toEqual([2, 1, 1]);
  stats.record(row, 500, 1, T0 + 10_000);
  expect(counts(T0 + 10_000)).toEqual([3, 2, 2]);
  expect(counts(T0 + 30_000)).toEqual([0, 0, 0]);
  stats.reset(row);
  expect(counts(T0 + 10_000)).toEqual([0, 0, 0]);
  expect([...row.subarray(0, 3)]).toEqual([7, 7, 7]);
});

it.each([
  [[], 50, 0],
  [[10], 50, 10],
  [[10.9], 50, 10],
  [[10, 20, 30, 40], 50, 20],
  [[10, 20, 30, 40], 75, 30],
  [[10, 20, 30, 40], 100, 40],
  [[10, 20, 30, 40], 0, 10],
  [[127], 50, 127],
  // Beyond 128 ms a step is 1.6 %.
  [[128], 50, 129],
  [[1000], 50, 1007],
  [[99_999_999], 50, 4_194_303],
])('of %j the quantile %i is %i', (latencies, quantile, expected) => {
  const stats = createCircuitStats(0, [], true);
  const row = new Float64Array(stats.columns);
  for (const latency of latencies) stats.record(row, 200, latency, T0);
  expect(stats.latencyAt(row, quantile)).toBe(expected);
});

it('keeps each latency within two percent', () => {
  for (let latency = 1; latency < 3_600_000; latency = Math.ceil(latency * 1.013)) {
    const stats = createCircuitStats(0, [], true);
    const row = new Float64Array(stats.columns);
    stats.record(row, 200, latency, T0);
    const read = stats.latencyAt(row, 50);
    expect(read).toBeGreaterThanOrEqual(latency);
    expect(read).toBeLessThanOrEqual(latency * 1.016);
  }
});

it('forgets latencies when six periods of ten seconds have begun since', () => {
  const stats = createCircuitStats(0, [], true);
  const row = new Float64Array(stats.columns);
  stats.record(row, 200, 200, T0);
  for (let period = 1; period <= 5; period++) stats.record(row, 200, 1, T0 + period * 10_000);
  expect(stats.latencyAt(row, 100)).toBe(201);
  stats.record(row, 200, 1, T0 + 60_000);
  expect(stats.latencyAt(row, 100)).toBe(1);
});
