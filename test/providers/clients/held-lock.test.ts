import { describe, expect, it } from 'vitest';
import { holdLock } from '../../../src/providers/clients/held-lock.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** A lock of 900 ms whose store answers renewals as told. */
function hold(...answers: (boolean | Error)[]) {
  const clock = createManualClock();
  const asked: number[] = [];
  let released = 0;
  const start = clock.now();
  const lock = holdLock({
    fence: 7,
    ttlMs: 900,
    clock,
    async renew() {
      asked.push(clock.now() - start);
      const answer = answers[asked.length - 1] ?? true;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    release: async () => void released++,
  });
  return { clock, asked, lock, released: () => released };
}

describe('a held lock', () => {
  it('is renewed three times in its life', async () => {
    const { clock, asked, lock } = hold();
    await clock.advance(3_000);
    expect(asked.slice(0, 4)).toEqual([300, 600, 900, 1_200]);
    expect([lock.isHeld(), lock.fence]).toEqual([true, 7]);
  });

  it('is over when somebody else has it', async () => {
    const { clock, asked, lock } = hold(true, false);
    await clock.advance(700);
    expect(lock.isHeld()).toBe(false);
    await clock.advance(3_000);
    expect(asked.length).toBe(2);
  });

  it('outlives one failed renewal, and ends when all fail', async () => {
    const away = new Error('away');
    const once = hold(away);
    await once.clock.advance(5_000);
    expect(once.lock.isHeld()).toBe(true);
    const always = hold(...Array.from({ length: 20 }, () => away));
    await always.clock.advance(899);
    expect(always.lock.isHeld()).toBe(true);
    await always.clock.advance(2);
    expect(always.lock.isHeld()).toBe(false);
    await always.clock.advance(5_000);
    expect(always.asked.length).toBeLessThan(5);
  });

  it('is released once, and asks no more', async () => {
    const { clock, asked, lock, released } = hold();
    await lock.release();
    await lock.release();
    await clock.advance(5_000);
    expect([released(), asked.length, lock.isHeld(), clock.waiting]).toEqual([1, 0, false, 0]);
  });
});
