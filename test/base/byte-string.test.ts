import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fromByte, fromByteString, hasStrayBytes, isAscii, toByteString, utf8Length } from '../../src/base/byte-string.ts';

describe('toByteString', () => {
  it.each([
    ['abc', 'abc'],
    ['é', '\xc3\xa9'],
    ['中', '\xe4\xb8\xad'],
    ['😀', '\xf0\x9f\x98\x80'],
    ['\udcff', '\xff'],
    ['\ud800', '\xef\xbf\xbd'],
  ])('%j is %j', (text, bytes) => {
    expect(toByteString(text)).toBe(bytes);
  });
});

describe('fromByteString', () => {
  it.each([
    ['\xc3\xa9', 'é'],
    ['\xc3', '\ufffd'],
    ['\xc3\xa9\xa9', 'é\ufffd'],
    ['\xc0\x80', '\ufffd\ufffd'],
    ['\xe0\x80\x80', '\ufffd\ufffd\ufffd'],
    ['\xf4\x90\x80\x80', '\ufffd\ufffd\ufffd\ufffd'],
    ['\xe4\xb8', '\ufffd\ufffd'],
  ])('%j is %j', (bytes, text) => {
    expect(fromByteString(bytes)).toBe(text);
  });
});

test('any text comes back, and has the length of its UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = toByteString(text);
      expect(bytes).toBe(Buffer.from(text).toString('latin1'));
      expect(fromByteString(bytes)).toBe(text);
      expect(utf8Length(text)).toBe(bytes.length);
    }),
  );
});

test('any byte that is not UTF-8 keeps its value', () => {
  for (let byte = 0; byte < 256; byte++) expect(toByteString(fromByte(byte))).toBe(String.fromCharCode(byte));
  expect([hasStrayBytes(fromByte(0x80)), hasStrayBytes('é😀')]).toEqual([true, false]);
});

test('isAscii', () => {
  expect([isAscii('a\x7f'), isAscii('a\x80'), isAscii('')]).toEqual([true, false, true]);
});
