import { expect, test } from 'vitest';
import { parseQuery } from '../../src/base/query.ts';

// As Go's url.ParseQuery answers.
test.each<[string, [string, string[]][]]>([
  [
    'a=1&b=2&a=3',
    [
      ['a', ['1', '3']],
      ['b', ['2']],
    ],
  ],
  ['a', [['a', ['']]]],
  ['=x&&', [['', ['x']]]],
  ['a=b=c', [['a', ['b=c']]]],
  ['a+b=c+d%20', [['a b', ['c d ']]]],
  ['a=%zz&b=%4&%=1&c=3', [['c', ['3']]]],
  ['a=1;b=2&c=3', [['c', ['3']]]],
  ['%C3%A4=\xc3\xb6', [['\xc3\xa4', ['\xc3\xb6']]]],
  ['', []],
])('%j', (query, values) => {
  expect([...parseQuery(query)]).toEqual(values);
});

test('more than 10,000 pairs are none', () => {
  expect(parseQuery('a&'.repeat(9_999)).size).toBe(1);
  expect(parseQuery('a&'.repeat(10_000)).size).toBe(0);
});
