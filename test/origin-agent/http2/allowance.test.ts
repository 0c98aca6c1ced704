import { describe, expect, it } from 'vitest';
import { Allowance } from '../../../src/origin-agent/http2/allowance.ts';
import { createTestPlatform } from '../../support/platform.ts';

describe('an allowance', () => {
  it.each([
    ['so many at once', 0, 3, 4, 3],
    ['so many a second from then on', 500, 3, 10, 4],
    ['never more than at once', 60_000, 3, 10, 6],
  ])('gives %s', (_name, pauseMs, burst, wanted, given) => {
    const platform = createTestPlatform();
    const allowance = new Allowance(platform.clock, burst, 2);
    let count = 0;
    for (let i = 0; i < burst; i++) if (allowance.take()) count++;
    platform.advance(pauseMs);
    for (let i = burst; i < wanted; i++) if (allowance.take()) count++;
    expect(count).toBe(given);
  });
});
