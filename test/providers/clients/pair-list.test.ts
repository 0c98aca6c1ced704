import { expect, it } from 'vitest';
import { createPairList, MAX_PAIRS, MAX_TEXT } from '../../../src/providers/clients/pair-list.ts';

it('ends with an error where a store has no end', () => {
  const list = createPairList('traefik/');
  for (let i = 0; i < MAX_PAIRS; i++) list.add('k', 'v');
  expect(list.pairs.length).toBe(MAX_PAIRS);
  expect(() => list.add('k', 'v')).toThrow("Below 'traefik/' are more than 500000 keys or 256 MiB; is this the right root key?");
});

it('ends with an error where texts have no end', () => {
  const list = createPairList('traefik/');
  const large = 'x'.repeat(MAX_TEXT / 4);
  for (let i = 0; i < 3; i++) list.add('k', large);
  expect(() => list.add('k', large)).toThrow('is this the right root key?');
});
