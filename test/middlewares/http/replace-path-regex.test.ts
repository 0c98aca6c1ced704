import { expect, it } from 'vitest';
import { replacePathRegex } from '../../../src/middlewares/http/replace-path-regex.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: Go's templates
it.each([
  ['^/user/([^/]+)/(.*)', '/u/$1/rest/${2}', '/user/bob/x/y', '/u/bob/rest/x/y'],
  ['^/user/([^/]+)/(.*)', '/u/$1/rest/${2}', '/user/b%2Fb/x', '/u/b%2Fb/rest/x'],
  ['^/user/([^/]+)/(.*)', '/u/$1/rest/${2}', '/user/%C3%A9/a%20b', '/u/%C3%A9/rest/a%20b'],
  ['^/user/([^/]+)/(.*)', '/u/$1/rest/${2}', '/user/bob/?q=1', '/u/bob/rest/?q=1'],
  ['/(?P<n>[a-z]+)', '/$n-${n}-$1x-$$', '/abc', '/abc-abc--$'],
  ['^/a(.*)', '/b/..$1', '/ax', '/b/..x'],
  [' ^/a(.*) ', ' /b$1 ', '/ax', '/bx'],
  ['^/a(.*)', '/ö$1', '/a%2F', '/%C3%B6/'],
  // Traefik sends the bare targets `bx` and `x` here.
  ['^/a', 'b', '/ax', '/bx'],
  ['(?i)^/A/?', '', '/a/x', '/x'],
  ['(?i)^/A/?', '', '/a', '/'],
])('%s → %s makes %s into %s', async (regex, replacement, target, expected) => {
  const { ask, seen } = build(replacePathRegex, { regex, replacement });
  const [path, query] = target.split('?') as [string, string?];
  await ask({ path, query });
  expect(seen[0]).toMatchObject({ line: `GET ${expected}`, headers: [['X-Replaced-Path', path]] });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: Go's templates

it('leaves alone what does not match', async () => {
  const { ask, seen } = build(replacePathRegex, { regex: '^/user', replacement: '/u' });
  await ask({ path: '/other' });
  expect(seen[0]).toMatchObject({ line: 'GET /other', headers: [] });
});

it.each([
  ['^/a(.*)', '/b/..$1', '/a', 400, 'Bad Request\n'],
  ['^/a(.*)', '/b/..$1', '/a/x', 400, 'Bad Request\n'],
  ['^/a(.*)', '/b//$1', '/ax', 400, 'Bad Request\n'],
  ['^/a(.*)', '/b%g$1', '/ax', 500, 'invalid URL escape "%gx"\n'],
])('%s → %s answers %s with %i', async (regex, replacement, path, status, body) => {
  const { ask, seen } = build(replacePathRegex, { regex, replacement });
  expect(await ask({ path })).toMatchObject({ status, body });
  expect(seen).toEqual([]);
});

it('tells what is wrong with an expression', () => {
  expect(refusal(replacePathRegex, { regex: '(', replacement: 'x' })).toMatch(/^The expression '\(' is not valid RE2: /);
});
