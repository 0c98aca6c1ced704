import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it, test } from 'vitest';
import { compileRegexp } from '../../src/base/regexp.ts';
import { toNative } from '../../src/base/regexp-native.ts';

describe('is JavaScript’s own', () => {
  it.each([
    ['^[a-z0-9-]+\\.example\\.com$', '^[a-z0-9-]+\\.example\\.com$'],
    ['^.+$', '^[^\\n]+$'],
    ['(?i)^/img', '^\\/img'],
    ['^/(foo|bar)(/|$)', '^\\/(?:foo|bar)(?:\\/|$)'],
    ['^/[^/]+/[^/]+/x', '^\\/[^/]+\\/[^/]+\\/x'],
    ['a\\$', 'a\\$'],
    ['', '(?:)'],
  ])('%s', (source, native) => {
    expect(toNative(source)?.source).toBe(native);
  });
});

describe('is left to RE2', () => {
  it.each([
    ['two repetitions that can share characters', '^[a-z]+[a-z]+x$'],
    ['a repetition without a fixed place', '[a-z]+\\.com$'],
    ['too many choices', '^a?a?a?a?a?aaaaa'],
    ['a repeated group', '^(a|b)+$'],
    ['a lazy repetition', '^a+?b'],
    ['a counted repetition', '^a{3}'],
    ['Unicode', '^\\pL$'],
    ['POSIX classes', '^[[:alpha:]]$'],
    ['word boundaries', '\\bfoo'],
    ['white space, which differs', '^\\s$'],
    ['letters outside ASCII', '^é$'],
    ['a range that is none', '^[z-a]$'],
    ['an anchor within', 'a^b'],
  ])('%s', (_, source) => {
    expect(toNative(source)).toBeUndefined();
  });
});

const piece = fc.constantFrom(
  ...'a b k S 1 - _ / . \\. \\- \\/ \\d \\w [a-z] [^.] [^/] [a-z0-9-] [-a] [^-a] [A-Z_] [\\d.] [a-] []a] [z-a] [+--] [\\]] (a|ab) (?:a|b) (/|$) (a) ^ $ \\$ \\\\ @ :'.split(
    ' ',
  ),
);
const times = fc.constantFrom('', '', '', '', '+', '*', '?', '+?', '{2}');
const expression = fc
  .tuple(
    fc.constantFrom('', '(?i)'),
    fc.constantFrom('', '^'),
    fc.array(fc.tuple(piece, times), { maxLength: 5 }),
    fc.constantFrom('', '$'),
  )
  .map(([flags, start, pieces, end]) => `${flags}${start}${pieces.map((parts) => parts.join('')).join('')}${end}`);
const text = fc.array(fc.constantFrom(...'abkKsS1-_/.Az $^\\]@:\n\v\x7f'), { maxLength: 7 }).map((characters) => characters.join(''));

test('both agree on ASCII text', () => {
  let native = 0;
  fc.assert(
    fc.property(expression, fc.array(text, { minLength: 5, maxLength: 5 }), (source, texts) => {
      const own = toNative(source);
      if (own === undefined) return;
      native++;
      const re2 = RE2JS.compile(source);
      for (const one of texts) expect(own.test(one)).toBe(re2.matcher(one).find());
    }),
    { numRuns: 5000 },
  );
  expect(native).toBeGreaterThan(1000);
});

test('text beyond ASCII is RE2’s', () => {
  // U+212A, the Kelvin sign, folds to k in Go.
  expect(compileRegexp('(?i)^k$').test('\u212a')).toBe(true);
});

test('no expression takes more than linear time', () => {
  const texts = ['a', 'a.', '/a', 'ab-'].map((part) => part.repeat(20_000 / part.length));
  fc.assert(
    fc.property(expression, (source) => {
      const own = toNative(source);
      if (own === undefined) return;
      for (const one of texts) {
        const tries = Array.from({ length: 3 }, () => {
          const start = performance.now();
          own.test(one);
          return performance.now() - start;
        });
        expect(Math.min(...tries)).toBeLessThan(50);
      }
    }),
    { numRuns: 1000 },
  );
});
