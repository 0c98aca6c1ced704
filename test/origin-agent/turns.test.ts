import { describe, expect, it } from 'vitest';
import { createLocalCells } from '../../src/base/cells.ts';
import { createTurns, turnsOf } from '../../src/origin-agent/turns.ts';

const turns = (weights: Readonly<Record<string, number>>, cells = createLocalCells(), down: readonly string[] = []) =>
  createTurns(
    Object.entries(weights).map(([item, weight]) => ({ item, weight, isDown: () => down.includes(item) })),
    turnsOf(cells, 'tcp s@file'),
  );
const take = (next: () => string | undefined, count: number): string => Array.from({ length: count }, next).join('');

describe('turns', () => {
  it.each([
    [{ a: 1, b: 1 }, 'abab'],
    [{ a: 2, b: 1 }, 'aabaab'],
    [{ a: 1, b: 3 }, 'bbabbbab'],
    [{ a: 1, b: 0 }, 'aaa'],
  ])('of %o are %s', (weights, expected) => {
    expect(take(turns(weights as Record<string, number>), expected.length)).toBe(expected);
  });

  it('are taken by all threads together', () => {
    const cells = createLocalCells();
    const [one, other] = [turns({ a: 2, b: 1 }, cells), turns({ a: 2, b: 1 }, cells)];
    expect(Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? one() : other())).join('')).toBe('aabaab');
  });

  it('go on where they were when the list becomes another one', () => {
    const cells = createLocalCells();
    take(turns({ a: 9, b: 9, c: 9 }, cells), 5);
    expect(take(turns({ a: 1, b: 1 }, cells), 4)).toBe('abab');
  });

  it('pass over what is down, and find nobody when all are', () => {
    expect(take(turns({ a: 2, b: 1 }, createLocalCells(), ['a']), 3)).toBe('bbb');
    expect(turns({ a: 1 }, createLocalCells(), ['a'])()).toBeUndefined();
    expect(turns({})()).toBeUndefined();
    expect(turns({ a: 0 })()).toBeUndefined();
  });
});
