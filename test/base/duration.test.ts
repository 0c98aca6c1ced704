import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/base/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['5', 5_000],
    ['+5', 5_000],
    ['-3s', -3_000],
    ['1500ms', 1_500],
    ['1h2m3s', 3_723_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['1.1s', 1_100],
    ['2us', 0.002],
    ['2µs', 0.002],
    ['0', 0],
    ['9223372036s', 9_223_372_036_000],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '+', '1d', '1.5', 's', '5 s', '1s x', '.s', '9223372037', '-9223372038', '9007199254740993'])('refuses %j', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it('takes linear time', () => expect(parseDuration(`${'1'.repeat(1_000_000)}x`)).toBeUndefined());
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [0.000001, '1ns'],
    [0.0015, '1.5µs'],
    [1.5, '1.5ms'],
    [90_000, '1m30s'],
    [10_800_000, '3h0m0s'],
    [-3_000, '-3s'],
  ])('%d', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
    expect(parseDuration(text)).toBe(ms);
  });
});
