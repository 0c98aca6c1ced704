import { expect, it } from 'vitest';
import { createLocalCells } from '../../src/base/cells.ts';
import { createSourceTable } from '../../src/middlewares/source-table.ts';
import { createArena, createSharedCells } from '../../src/origin-agent/cells.ts';
import { createContext } from '../support/middleware-harness.ts';

const increment = (row: Float64Array): number => ++row[0]!;

it('keeps routers, middlewares and kinds apart, and finds a row again', () => {
  const sharedCells = createLocalCells();
  const table = (router: string, name: string, kind = 'k') => createSourceTable(createContext({ sharedCells, router, name }), kind, 1);
  expect(table('r', 'm').update('a', increment)).toBe(1);
  expect(table('r', 'm').update('a', increment)).toBe(2);
  expect(table('r', 'm').update('b', increment)).toBe(1);
  expect(table('s', 'm').update('a', increment)).toBe(1);
  expect(table('r', 'n').update('a', increment)).toBe(1);
  expect(table('r', 'm', 'l').update('a', increment)).toBe(1);
});

it('fits thousands of routers into the agent’s memory', () => {
  const sharedCells = createSharedCells(createArena(64 * 1024 * 1024));
  for (let i = 0; i < 5_000; i++) createSourceTable(createContext({ sharedCells, router: `r${i}` }), 'rateLimit', 2).update('a', increment);
  expect(createSourceTable(createContext({ sharedCells, router: 'r4999' }), 'rateLimit', 2).update('a', increment)).toBe(2);
});
