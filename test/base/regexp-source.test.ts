import { expect, test } from 'vitest';
import { compileRegexp } from '../../src/base/regexp.ts';
import { toRe2Source } from '../../src/base/regexp-source.ts';

test.each([
  ['a(b)c', 'a(b)c', []],
  ['(?P<x>a)(?<x>b)', '(?P<g0_x>a)(?P<g1_x>b)', ['x', 'x']],
  ['\\p{Letter}\\p{lowercase_letter}\\pl', '\\p{L}\\p{Ll}\\p{L}', []],
  ['[\\p{greek}x]', '[\\p{Greek}x]', []],
  ['\\P{^old italic}', '\\P{^Old_Italic}', []],
  ['\\p{Emoji}', '\\p{}', []],
  ['\\Q\\p{Letter}(?P<x>\\E\\p{Any}', '\\Q\\p{Letter}(?P<x>\\E\\p{Any}', []],
  ['\\\\p{Letter}(?P<x>a)', '\\\\p{Letter}(?P<g0_x>a)', ['x']],
  ['[](?P<x>]\\pN', '[](?P<x>]\\p{N}', []],
  ['[[:alpha:]](?P<x>a)', '[[:alpha:]](?P<g0_x>a)', ['x']],
  ['(?P<a-b>x)', '(?P<a-b>x)', []],
])('%s is read as %s', (source, pattern, names) => {
  const translated = toRe2Source(source);
  expect([translated.pattern, [...translated.groupNames.values()]]).toEqual([pattern, names]);
});

test('of two groups with a name the one that took part counts', () => {
  const regexp = compileRegexp('(?P<x>a)|(?P<x>b)');
  expect([regexp.replaceAll('ab', '<$x>'), regexp.find('b')]).toEqual(['<a><b>', ['b', undefined, 'b']]);
});

test('an empty match behind another match is none, as in Go', () => {
  expect(compileRegexp('a*').replaceAll('baac', '-')).toBe('-b-c-');
});

test.each([
  '(?P<x',
  '\\p',
  '\\p{',
  '[\\p{',
  '[',
  '\\Q',
  '\\',
  '(?P<'.repeat(4_000),
  '['.repeat(16_000),
  '[[:'.repeat(5_400),
  '\\pL'.repeat(5_400),
  '(?<n>a)'.repeat(2_300),
])('a hostile expression ends soon (%#)', (source) => {
  const start = performance.now();
  try {
    compileRegexp(source);
  } catch (error) {
    expect((error as Error).name).toBe('ConfigError');
  }
  expect(performance.now() - start).toBeLessThan(2000);
});

test('an expression beyond 16 KiB is refused', () => {
  expect(() => compileRegexp('a'.repeat(16_385))).toThrow(expect.objectContaining({ code: 'config.limit' }));
});
