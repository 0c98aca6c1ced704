import { expect, it } from 'vitest';
import { stripPrefixRegex } from '../../../src/middlewares/http/strip-prefix-regex.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

const regex = ['/[a-z]+/[0-9]+', ' /v[0-9] '];

it.each([
  ['/abc/12/x', '/x', '/abc/12'],
  ['/abc/12', '/', '/abc/12'],
  // A match that does not begin at the start is none.
  ['/x/abc/12/y', '/x/abc/12/y', undefined],
  ['/v1', '/', '/v1'],
  ['/v1/a', '/a', '/v1'],
  ['/v1a', '/a', '/v1'],
  ['/ABC/12', '/ABC/12', undefined],
  ['/abc/12%2Fx', '/x', '/abc/12'],
])('%s becomes %s', async (path, expected, header) => {
  const { ask, seen } = build(stripPrefixRegex, { regex });
  await ask({ path });
  expect(seen[0]!.line).toBe(`GET ${expected}`);
  expect(Object.fromEntries(seen[0]!.headers)['X-Forwarded-Prefix']).toBe(header);
});

it.each(['/abc/12..', '/abc/12/../y'])('answers 400 to %s', async (path) => {
  expect((await build(stripPrefixRegex, { regex }).ask({ path })).status).toBe(400);
});

it('lets no control character into a header', async () => {
  const { ask, seen } = build(stripPrefixRegex, { regex: ['^/[^/]*'] });
  expect((await ask({ path: '/a%0D%0AX-Evil:1/x' })).status).toBe(400);
  expect(seen).toEqual([]);
});

it('tells what RE2 cannot do', () => {
  expect(refusal(stripPrefixRegex, { regex: ['(?=x)'] })).toMatch(/^The expression '\(\?=x\)' is not valid RE2: .*no look-around/);
});
