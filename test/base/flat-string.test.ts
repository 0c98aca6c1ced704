import { expect, test } from 'vitest';
import { flatten } from '../../src/base/flat-string.ts';

test.each(['', 'a', 'é😀\ud800', 'x'.repeat(10_000)])('the copy equals the text', (text) => {
  expect(flatten(text)).toBe(text);
});
