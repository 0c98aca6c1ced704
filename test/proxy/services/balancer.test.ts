import { describe, expect, it } from 'vitest';
import { createLocalCells } from '../../../src/base/cells.ts';
import { createRequest } from '../../../src/base/message.ts';
import {
  type Balancer,
  type CandidateStates,
  createHighestRandomWeight,
  createLeastTime,
  createPowerOfTwoChoices,
  createWeightedRoundRobin,
} from '../../../src/proxy/services/balancer.ts';
import { candidateState } from '../../../src/proxy/services/candidate-state.ts';
import { createRandom } from '../../support/random.ts';

const ROUNDS = 10_000;
const all = (): boolean => true;
const from = (clientAddress: string) => createRequest({ clientAddress });

/** How often each candidate was chosen. */
function tally(balancer: Balancer, candidates: number, allowed: (index: number) => boolean = all): number[] {
  const counts = Array<number>(candidates).fill(0);
  for (let i = 0; i < ROUNDS; i++) counts[balancer.next(from('10.0.0.1'), allowed)!]!++;
  return counts;
}
const candidates = (...weights: number[]) => weights.map((weight, index) => ({ name: `http://10.0.0.${index}:80`, weight }));
const states = (count: number): CandidateStates => {
  const cells = createLocalCells();
  return Array.from({ length: count }, (_, index) => candidateState(cells, 's@file', `http://10.0.0.${index}:80`));
};

describe('weighted round robin', () => {
  it.each([
    { weights: [3, 1], expected: [7500, 2500] },
    { weights: [1, 1, 1, 1], expected: [2500, 2500, 2500, 2500] },
    { weights: [5, 3, 2], expected: [5000, 3000, 2000] },
  ])('divides $weights exactly', ({ weights, expected }) => {
    const counts = tally(createWeightedRoundRobin(candidates(...weights), states(weights.length), createRandom(1)), weights.length);
    for (const [index, count] of counts.entries()) expect(Math.abs(count - expected[index]!)).toBeLessThanOrEqual(1);
  });

  it('never gives one of two equals twice in a row', () => {
    const balancer = createWeightedRoundRobin(candidates(1, 1), states(2), createRandom(2));
    let last = balancer.next(from(''), all);
    for (let i = 0; i < 100; i++) {
      const next = balancer.next(from(''), all);
      expect(next).not.toBe(last);
      last = next;
    }
  });

  it('does not make up for the time in which a candidate was out', () => {
    const balancer = createWeightedRoundRobin(candidates(1, 1), states(2), createRandom(3));
    for (let i = 0; i < 1000; i++) expect(balancer.next(from(''), (index) => index === 0)).toBe(0);
    const counts = tally(balancer, 2);
    expect(Math.abs(counts[0]! - counts[1]!)).toBeLessThanOrEqual(2);
  });

  it.each([1, 2, 3, 4, 5])('takes turns at once when one comes back after %i requests to the other', (requests) => {
    const balancer = createWeightedRoundRobin(candidates(1, 1), states(2), createRandom(3));
    for (let i = 0; i < 4; i++) balancer.next(from(''), all);
    for (let i = 0; i < requests; i++) balancer.next(from(''), (index) => index === 1);
    expect([0, 0, 0, 0].map(() => balancer.next(from(''), all)).sort()).toEqual([0, 0, 1, 1]);
  });

  it('divides among several threads as among one', () => {
    const shared = states(2);
    const threads = [1, 2].map((seed) => createWeightedRoundRobin(candidates(3, 1), shared, createRandom(seed)));
    const counts = [0, 0];
    for (let i = 0; i < ROUNDS; i++) counts[threads[i % 2]!.next(from(''), all)!]!++;
    expect(Math.abs(counts[0]! - 7500)).toBeLessThanOrEqual(1);
  });

  it('gives a candidate that joins its share, and not all at once', () => {
    const shared = states(2);
    const alone = createWeightedRoundRobin(candidates(1), shared, createRandom(1));
    for (let i = 0; i < 1000; i++) alone.next(from(''), all);
    const counts = tally(createWeightedRoundRobin(candidates(1, 1), shared, createRandom(1)), 2);
    expect(Math.abs(counts[0]! - counts[1]!)).toBeLessThanOrEqual(2);
  });

  it('has no choice when none is allowed', () => {
    expect(createWeightedRoundRobin(candidates(1), states(1), createRandom(4)).next(from(''), () => false)).toBeUndefined();
  });
});

describe('highest random weight', () => {
  const addresses = Array.from({ length: ROUNDS }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  const choices = (balancer: Balancer, allowed: (index: number) => boolean = all): number[] =>
    addresses.map((address) => balancer.next(from(address), allowed)!);

  it('keeps a client at its candidate', () => {
    const balancer = createHighestRandomWeight(candidates(1, 1, 1));
    expect(choices(balancer)).toEqual(choices(balancer));
  });

  it('moves only the clients of the candidate that left', () => {
    const balancer = createHighestRandomWeight(candidates(1, 1, 1));
    const before = choices(balancer);
    const after = choices(balancer, (index) => index !== 1);
    before.forEach((choice, i) => {
      if (choice !== 1) expect(after[i]).toBe(choice);
    });
  });

  // FNV is uneven among names that are alike: measured 0.667 here, where an ideal hash gives 0.75.
  it('heeds weights', () => {
    const counts = [0, 0];
    for (const choice of choices(createHighestRandomWeight(candidates(3, 1)))) counts[choice]!++;
    expect(counts[0]! / ROUNDS).toBeGreaterThan(0.6);
    expect(counts[0]! / ROUNDS).toBeLessThan(0.8);
  });
});

describe('power of two choices', () => {
  it('spreads evenly when nothing is under way', () => {
    const counts = tally(createPowerOfTwoChoices(candidates(1, 1, 1, 1), states(4), createRandom(5)), 4);
    for (const count of counts) expect(Math.abs(count - ROUNDS / 4)).toBeLessThan(200);
  });

  it('never takes the busiest of two', () => {
    const balancer = createPowerOfTwoChoices(candidates(1, 1), states(2), createRandom(6));
    const first = balancer.next(from(''), all)!;
    const errand = balancer.begin!(first);
    for (let i = 0; i < 100; i++) expect(balancer.next(from(''), all)).toBe(1 - first);
    errand.ended();
    expect(new Set(Array.from({ length: 100 }, () => balancer.next(from(''), all))).size).toBe(2);
  });
});

describe('least time', () => {
  it('prefers the faster and counts what is under way', () => {
    const balancer = createLeastTime(candidates(1, 1), states(2), createRandom(7));
    balancer.begin!(0).answered(10);
    balancer.begin!(1).answered(30);
    // 10 ms × (1 + 1) against 30 ms × (1 + 1).
    expect(balancer.next(from(''), all)).toBe(0);
    for (let i = 0; i < 5; i++) balancer.begin!(0);
    // 10 ms × (1 + 6) against 30 ms × (1 + 1).
    expect(balancer.next(from(''), all)).toBe(1);
  });

  it('divides evenly while it knows nothing', () => {
    const counts = tally(createLeastTime(candidates(1, 1), states(2), createRandom(8)), 2);
    expect(Math.abs(counts[0]! - counts[1]!)).toBeLessThanOrEqual(1);
  });
});
