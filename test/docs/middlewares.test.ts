import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MiddlewareDefinition } from '../../src/middlewares/middleware.ts';
import { build, refusal } from '../support/middleware-harness.ts';

/** The page's examples, run as they stand there. */
const [word, test] = Array.from(readFileSync('docs/middlewares.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g), ([, code]) => code!);
const folder = mkdtempSync(join(tmpdir(), 'edgeway-docs-'));
let maintenance: MiddlewareDefinition;

beforeAll(async () => {
  const file = join(folder, 'maintenance.ts');
  // As if the file lay where the page says.
  writeFileSync(
    file,
    word!.replace(/from '(\.[^']+)'/g, (_, path: string) => `from '${resolve('src/middlewares/http', path)}'`),
  );
  ({ maintenance } = (await import(/* @vite-ignore */ file)) as { maintenance: MiddlewareDefinition });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The page's own tests, with what a test file would import. */
const rows: [string, () => Promise<void> | void][] = [];
const collect = Object.assign((title: string, run: () => void) => void rows.push([title, run]), {
  each: (cases: unknown[][]) => (title: string, run: (...args: unknown[]) => Promise<void>) => {
    for (const one of cases) rows.push([`${title} ${one.join(' ')}`, () => run(...one)]);
  },
});
new Function('it', 'expect', 'build', 'refusal', 'maintenance', test!)(
  collect,
  expect,
  (_: unknown, options: unknown) => build(maintenance, options),
  (_: unknown, options: unknown) => refusal(maintenance, options),
  undefined,
);

it('has tests on the page', () => {
  expect(rows).toHaveLength(3);
});
it.each(rows)('%s', async (_, run) => {
  await run();
});

it('answers with what the page promises', async () => {
  const answer = await build(maintenance, {}).ask();
  expect([answer.status, answer.body, answer.header('Retry-After')]).toEqual([503, 'Back soon\n', '60']);
});
