import { describe, expect, it } from 'vitest';
import { createLogTimes } from '../../src/proxy/log-time.ts';

const SECOND = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('createLogTimes', () => {
  const times = createLogTimes();

  it.each([
    [0, '2026-01-02T03:04:05Z'],
    [6.5, '2026-01-02T03:04:05.0065Z'],
    [250, '2026-01-02T03:04:05.25Z'],
    [999.75, '2026-01-02T03:04:05.99975Z'],
    [1000, '2026-01-02T03:04:06Z'],
    // The second before, asked for after the next one.
    [-0.5, '2026-01-02T03:04:04.9995Z'],
  ])('%d ms after it', (ms, text) => {
    expect(times.utc(SECOND + ms)).toBe(text);
    expect(Date.parse(times.local(SECOND + ms))).toBe(Math.floor(SECOND + ms));
  });

  it('has the whole second, and the form of common logs', () => {
    expect(Date.parse(times.localSecond(SECOND + 999))).toBe(SECOND);
    expect(times.clfUtc(SECOND + 999)).toBe('02/Jan/2026:03:04:05 +0000');
    expect(times.clfLocal(SECOND)).toMatch(/^0[123]\/Jan\/2026:\d\d:\d\d:05 [+-]\d{4}$/);
  });

  it('follows the clock over seconds in any order', () => {
    for (const offset of [0, 5000, 1000, 0, 86_400_000])
      expect(times.utc(SECOND + offset)).toBe(`${new Date(SECOND + offset).toISOString().slice(0, 19)}Z`);
  });
});
