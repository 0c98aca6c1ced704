import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'BENCHMARKS.md', 'CHANGELOG.md', ...pagesBelow('docs')];

function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}

/** `src/proxy/proxy.ts`, `test/worker/`, docs/edge.md; not `test/middlewares/http/<name>.test.ts`. */
const NAMED = /(?<![\w./-])(?:src|test|scripts|examples|docs|bin)\/[\w./-]*\w(?![\w<*]|\/?<)/g;
/** Made up by a page to explain itself. */
const EXAMPLES = new Set(['src/config/static/example.ts']);

it.each(PAGES)('%s names files and folders that are there', (page) => {
  const named = new Set(readFileSync(page, 'utf8').match(NAMED));
  expect([...named].filter((path) => !existsSync(path) && !EXAMPLES.has(path))).toEqual([]);
});

it('finds what pages name', () => {
  const named = readFileSync('docs/differences.md', 'utf8').match(NAMED)!;
  expect(named.length).toBeGreaterThan(150);
});
