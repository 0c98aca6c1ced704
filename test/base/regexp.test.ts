import { expect, it } from 'vitest';
import { compileRegexp } from '../../src/base/regexp.ts';

it.each([
  ['.*', 'abc', 'x', 'x'],
  ['a*', 'baac', 'x', 'xbxcx'],
  ['b', 'abc', '[$0]', 'a[b]c'],
  ['', 'ab', '-', '-a-b-'],
])('replaces %s in %s by %s', (source, text, template, expected) => {
  expect(compileRegexp(source).replaceAll(text, template)).toBe(expected);
});

it('finds and replaces with an expression that is tested natively', () => {
  const regexp = compileRegexp('a(b|c)');
  expect([regexp.test('xac'), regexp.find('xac'), regexp.findAll('abac', 5).length, regexp.replaceAll('ab', '<$1>')]).toEqual([
    true,
    ['ac', 'c'],
    2,
    '<b>',
  ]);
});
