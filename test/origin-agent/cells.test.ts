import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createLocalCells } from '../../src/base/cells.ts';
import { createArena, createSharedCells, hash64 } from '../../src/origin-agent/cells.ts';

const arena = () => createArena(8 * 1024 * 1024);

describe.each([
  ['local', () => createLocalCells()],
  ['shared', () => createSharedCells(arena())],
])('%s cells', (_, create) => {
  it('a counter counts in both directions and beyond 32 bits', () => {
    const counter = create().counter('c');
    expect(counter.add(5)).toBe(0);
    expect(counter.add(-7)).toBe(5);
    expect(counter.get()).toBe(-2);
    counter.set(2 ** 32 - 1);
    counter.add(3);
    expect(counter.get()).toBe(2 ** 32 + 2);
    counter.add(-4);
    expect(counter.get()).toBe(2 ** 32 - 2);
  });

  it('one name is one cell', () => {
    const cells = create();
    cells.counter('a').add(1);
    expect(cells.counter('a').get()).toBe(1);
    expect(cells.counter('b').get()).toBe(0);
  });

  it('a table keeps rows by key and never more than its capacity', () => {
    const table = create().table('t', { capacity: 64, columns: 2 });
    table.update('x', (row) => row.set([1.5, -2]));
    expect(table.update('x', (row) => [...row])).toEqual([1.5, -2]);
    for (let i = 0; i < 1000; i++) table.update(`k${i}`, (row) => (row[0] = i));
    expect(table.size).toBeLessThanOrEqual(64);
    expect(table.update('k999', (row) => row[0])).toBe(999);
  });

  it('a histogram counts by bounds', () => {
    const histogram = create().histogram('h', [1, 10]);
    for (const value of [0.5, 1, 5, 50]) histogram.observe(value);
    expect(histogram.read()).toEqual({ counts: [2, 1, 1], sum: 56.5, total: 4 });
  });
});

it('a table of one row takes no more room than that', () => {
  const cells = createSharedCells(createArena(2 * 1024 * 1024));
  // Eight rows of 8,000 columns each would not fit ten times.
  for (let i = 0; i < 10; i++) cells.table(`t${i}`, { capacity: 1, columns: 8_000 }).update('', (row) => (row[7_999] = i));
  expect(
    Array.from({ length: 10 }, (_, i) => cells.table(`t${i}`, { capacity: 1, columns: 8_000 }).update('', (row) => row[7_999])),
  ).toEqual([...Array(10).keys()]);
});

describe('shared cells', () => {
  it('are the same in every thread', async () => {
    const shared = arena();
    const source = `
      const { workerData } = require('node:worker_threads');
      import(workerData.module).then(({ createSharedCells }) => {
        const cells = createSharedCells(workerData.arena);
        const counter = cells.counter('n');
        const table = cells.table('t', { capacity: 64, columns: 1 });
        for (let i = 0; i < 20000; i++) { counter.add(1); table.update('key', (row) => row[0]++); }
      });`;
    const module = new URL('../../src/origin-agent/cells.ts', import.meta.url).href;
    const threads = [1, 2, 3].map(() => new Worker(source, { eval: true, workerData: { arena: shared, module } }));
    await Promise.all(threads.map((thread) => new Promise((resolve, reject) => thread.once('exit', resolve).once('error', reject))));
    const cells = createSharedCells(shared);
    expect(cells.counter('n').get()).toBe(60_000);
    expect(cells.table('t', { capacity: 64, columns: 1 }).update('key', (row) => row[0])).toBe(60_000);
  });

  it('say so when the arena is full', () => {
    const cells = createSharedCells(createArena(1024 * 1024));
    expect(() => cells.table('huge', { capacity: 1_000_000, columns: 4 })).toThrow(/arena of 1048576 bytes is full/);
  });

  it('hash without collisions among ten thousand names', () => {
    expect(new Set(Array.from({ length: 10_000 }, (_, i) => hash64(`router-${i}@docker`).join())).size).toBe(10_000);
  });
});
