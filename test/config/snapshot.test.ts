import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/config/snapshot.ts';

describe('canonicalJson', () => {
  it.each([
    [{ b: 1, a: [true, null], c: { z: 'ü', y: 1.5 } }, '{"a":[true,null],"b":1,"c":{"y":1.5,"z":"ü"}}'],
    [{ 10: 'x', 9: 'y', a: 'z' }, '{"10":"x","9":"y","a":"z"}'],
    [{ large: 2n ** 63n }, '{"large":"9223372036854775808"}'],
    [{ gone: undefined, list: [undefined] }, '{"list":[null]}'],
    [{}, '{}'],
    [undefined, 'null'],
    [Number.NaN, 'null'],
    [-0, '0'],
    [1e21, '1e+21'],
    ['"\\\u0000\ud800', '"\\"\\\\\\u0000\\ud800"'],
    ['\u2028😀\u007f', '"\u2028😀\u007f"'],
  ] as [unknown, string][])('gives $1', (value, text) => expect(canonicalJson(value)).toBe(text));

  it('is JSON of the value, the same in whatever order keys were set', () => {
    const value = fc.jsonValue({ stringUnit: 'binary' });
    const objects = fc.dictionary(fc.string({ unit: 'binary' }), value, { noNullPrototype: true });
    fc.assert(
      fc.property(objects, (object) => {
        const text = canonicalJson(object);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(object)));
        expect(canonicalJson(Object.fromEntries(Object.entries(object).reverse()))).toBe(text);
      }),
    );
  });
});
