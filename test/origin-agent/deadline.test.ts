import { expect, it } from 'vitest';
import { Deadline } from '../../src/origin-agent/deadline.ts';
import { createManualClock } from '../support/manual-clock.ts';

type Step = ['set', number] | ['clear'] | ['advance', number] | ['dispose'];

it.each<[string, Step[], number[]]>([
  [
    'passes once',
    [
      ['set', 100],
      ['advance', 99],
      ['advance', 2],
      ['advance', 500],
    ],
    [101],
  ],
  [
    'is moved later',
    [
      ['set', 100],
      ['advance', 50],
      ['set', 100],
      ['advance', 99],
      ['advance', 2],
    ],
    [151],
  ],
  [
    'is moved earlier',
    [
      ['set', 1000],
      ['advance', 10],
      ['set', 20],
      ['advance', 21],
    ],
    [31],
  ],
  ['is cleared', [['set', 100], ['clear'], ['advance', 1000]], []],
  [
    'is cleared and set again before the old timer fires',
    [['set', 100], ['clear'], ['advance', 50], ['set', 100], ['advance', 60], ['advance', 41]],
    [151],
  ],
  [
    'is set again after it passed',
    [
      ['set', 10],
      ['advance', 11],
      ['set', 10],
      ['advance', 11],
    ],
    [11, 22],
  ],
  ['is disposed of', [['set', 10], ['dispose'], ['advance', 100]], []],
])('%s', async (_name, steps, passed) => {
  const clock = createManualClock(0);
  const times: number[] = [];
  const deadline = new Deadline(clock, () => void times.push(clock.now()));
  for (const [what, ms = 0] of steps) {
    if (what === 'set') deadline.set(clock.now() + ms);
    else if (what === 'advance') await clock.advance(ms);
    else deadline[what]();
  }
  expect(times).toEqual(passed);
  if (passed.length === 0) expect(clock.waiting).toBe(0);
});

it('keeps one timer for many moves', () => {
  const clock = createManualClock(0);
  const deadline = new Deadline(clock, () => {});
  for (let at = 100; at < 200; at++) {
    deadline.set(at);
    deadline.clear();
  }
  expect(clock.waiting).toBe(1);
});
