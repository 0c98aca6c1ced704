import { expect, it } from 'vitest';
import { fnv64, fnv64Hex } from '../../src/base/fnv.ts';

const hex = ({ high, low }: { high: number; low: number }): string =>
  high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');

// Values of the draft's own test vectors.
it.each([
  ['', '1a', 'cbf29ce484222325'],
  ['a', '1a', 'af63dc4c8601ec8c'],
  ['foobar', '1a', '85944171f73967e8'],
  ['a', '1', 'af63bd4c8601b7be'],
  ['foobar', '1', '340d8765a4dda9c2'],
] as const)('FNV of %j, variant %s', (text, variant, expected) => {
  expect(hex(fnv64(text, variant))).toBe(expected);
});

it('prints as Go does', () => {
  expect(fnv64Hex('foobar')).toBe('340d8765a4dda9c2');
});
