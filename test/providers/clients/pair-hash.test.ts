import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hashPairs } from '../../../src/providers/clients/pair-hash.ts';

it('hashes lines of JSON in the order of the keys', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), (list) => {
      const pairs = [...new Map(list)];
      const lines = pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => `${JSON.stringify(pair)}\n`);
      expect(hashPairs(pairs.toReversed())).toBe(createHash('sha256').update(lines.join('')).digest('hex'));
    }),
  );
});
