import { expect, test } from 'vitest';
import { compileTemplate, type TemplateKind } from '../../../src/config/rule/template.ts';

test.each<[string, TemplateKind, string, boolean]>([
  ['/a', 'path', '/a', true],
  ['/a', 'path', '/ab', false],
  ['/a', 'prefix', '/ab', true],
  ['/a.c', 'path', '/abc', false],
  ['/{id:[0-9]+}/x', 'path', '/42/x', true],
  ['/{id:[0-9]+}/x', 'path', '/b/x', false],
  ['/{id}', 'path', '/b/c', false],
  ['/{id}', 'prefix', '/b/c', true],
  ['/{id:[0-9]{2}}', 'path', '/42', true],
  ['{sub}.test', 'host', 'A.TEST', true],
  ['{sub}.test', 'host', 'a.b.test', false],
  ['k={v}', 'query', 'k=', true],
  ['k=', 'query', 'k=anything', true],
  ['k=v', 'query', 'k=vv', false],
  ['/é', 'path', '/\xc3\xa9', true],
  ['/\ufffd', 'path', '/\xff', true],
])('%s (%s) and %j: %s', (template, kind, text, matches) => {
  expect(compileTemplate(template, kind).test(text)).toBe(matches);
});

test('names are told in their order', () => {
  expect(compileTemplate('/{a}/{b:x}', 'path').names).toEqual(['a', 'b']);
});

test('an expression may not leave its group', () => {
  expect(() => compileTemplate('/{a:x)(y}', 'path')).toThrow('RE2');
});
