import { expect, test } from 'vitest';
import { isHostExpression, wildcardRest } from '../../../src/config/rule/host-expression.ts';

test.each([
  ['a.test', 'a.test', true],
  ['a.test', 'b.test', false],
  ['*.a.test', 'x.a.test', true],
  ['*.a.test', 'a.test', false],
  ['*.a.test', 'x.y.a.test', false],
  ['*.a.test', '.a.test', true],
  ['*.com', 'example.com', true],
  ['*foo', 'foo', false],
  ['*.', 'a.', true],
])('%s and %s: %s', (expression, host, matches) => {
  expect(isHostExpression(expression, host)).toBe(matches);
});

test.each([
  ['a.b.c', '.b.c'],
  ['a', ''],
  ['', ''],
])('what a wildcard has in common with %j is %j', (host, rest) => {
  expect(wildcardRest(host)).toBe(rest);
});
