import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { HTTP_MIDDLEWARES } from '../../src/middlewares/index.ts';
import type { MiddlewareDefinition } from '../../src/middlewares/middleware.ts';

const words: [string, MiddlewareDefinition][] = Object.entries(HTTP_MIDDLEWARES);
const fileOf = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();

it('has every file of the folder, and a test of each', () => {
  const names = words.map(([name]) => fileOf(name)).sort();
  expect(readdirSync('src/middlewares/http').sort()).toEqual(names.map((name) => `${name}.ts`).sort());
  for (const name of names) expect(existsSync(`test/middlewares/http/${name}.test.ts`), name).toBe(true);
});

it.each(words)('%s is described', (name, definition) => {
  expect(definition.kind).toBe(name);
  expect(definition.summary).toMatch(/^\S.*[.]$/);
  for (const [option, { summary }] of Object.entries(definition.options.fields ?? {})) expect(summary, option).toMatch(/^\S.*[.]$/);
});

it('has behaviour for every word but those that stand for others or that nobody runs', () => {
  expect(words.filter(([, { create }]) => create === undefined).map(([name]) => name)).toEqual(['chain', 'plugin']);
});
