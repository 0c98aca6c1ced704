import { expect, test } from 'vitest';
import { drain } from '../../src/proxy/layered-map.ts';
import { createNameIndex } from '../../src/proxy/name-index.ts';

test('every name is found, no other', () => {
  const entries = Array.from({ length: 3000 }, (_, i) => ({ name: `r${i}@docker` }));
  const index = drain(createNameIndex(entries));
  expect(entries.every((entry) => index.get(entry.name) === entry)).toBe(true);
  expect([index.get('r3000@docker'), index.get(''), index.size, index.entries]).toEqual([undefined, undefined, 3000, entries]);
  expect(drain(createNameIndex([])).get('a')).toBeUndefined();
});
