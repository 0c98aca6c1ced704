import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { staticReference } from '../../scripts/reference/static.ts';

it.each(Object.entries(staticReference()))('%s is up to date', (path, text) => {
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text);
});
