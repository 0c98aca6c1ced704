import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createLocalCells, type TableCell } from '../../src/base/cells.ts';
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

describe('what a thread holds', () => {
  const shape = { capacity: 1_024, columns: 2, held: 1 };
  const enter = (row: Float64Array): void => void row[1]!++;
  const leave = (row: Float64Array): void => void (row[1] = Math.max(0, row[1]! - 1));

  it('is given back when it dies, and what others hold is not', () => {
    const shared = arena();
    const main = createSharedCells(shared);
    const [one, two] = [0, 1].map((thread) => createSharedCells(shared, thread).table('t', shape)) as [TableCell, TableCell];
    for (let key = 0; key < 100; key++) {
      one.update(`k${key}`, enter);
      one.update(`k${key}`, enter);
      two.update(`k${key}`, enter);
      one.update(`k${key}`, leave);
    }
    one.update('k0', (row) => (row[0] = 7));
    one.update('k1', leave);
    main.giveBack(0);
    const rows = Array.from({ length: 100 }, (_, key) => main.table('t', shape).update(`k${key}`, (row) => [...row]));
    expect(rows[0]).toEqual([7, 1]);
    expect(rows.slice(1)).toEqual(Array(99).fill([0, 1]));
    // The next thread of that number starts from nothing.
    createSharedCells(shared, 0).table('t', shape).update('k5', enter);
    main.giveBack(0);
    main.giveBack(0);
    expect(main.table('t', shape).row('k5').get(1)).toBe(1);
  });

  it('is forgotten with its row', () => {
    const shared = arena();
    const small = { capacity: 1, columns: 2, held: 1 };
    const table = createSharedCells(shared, 0).table('t', small);
    table.update('old', enter);
    createSharedCells(shared, 1).table('t', small).update('new', enter);
    const main = createSharedCells(shared);
    main.giveBack(0);
    expect(main.table('t', small).row('new').get(1)).toBe(1);
  });
});
