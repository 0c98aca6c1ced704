import { expect, it } from 'vitest';
import { redirectRegex } from '../../../src/middlewares/http/redirect-regex.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

const tls = { serverName: 'x.test', version: '1.3', cipher: '', clientCertificates: [], options: 'default' };

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: Go's templates
it.each([
  ['^http://x\\.test/(.*)$', 'https://new.test/${1}', { path: '/a/b', query: 'c=d' }, 302, 'https://new.test/a/b?c=d'],
  ['^http://x\\.test/(.*)$', 'https://new.test/${1}', { path: '/x', method: 'POST' }, 307, 'https://new.test/x'],
  ['^http://x\\.test/(.*)$', 'https://new.test/${1}', { path: '/x', method: 'HEAD' }, 307, 'https://new.test/x'],
  ['^http://x\\.test/(.*)$', 'https://new.test/${1}', { path: '/%2F%20' }, 302, 'https://new.test/%2F%20'],
  ['^http://x\\.test/(.*)$', 'https://new.test/${1}', { host: 'x.test:8080' }, 200, undefined],
  ['^https://x\\.test/(.*)$', 'http://old.test/${1}', { tls }, 302, 'http://old.test/'],
  ['.*', '/relative', {}, 302, '/relative'],
  ['.*', '/a b|c', {}, 302, '/a%20b%7Cc'],
  ['(.*)', '$1', {}, 200, undefined],
  ['(?P<h>x)\\.test', '${h}y.test', { query: 'x.test' }, 302, 'http://xy.test/?xy.test'],
  ['.*', 'http://::1/', {}, 502, undefined],
] as const)('%s → %s of %j answers %i %s', async (regex, replacement, request, status, location) => {
  const answer = await build(redirectRegex, { regex, replacement }).ask(request);
  expect([answer.status, answer.header('Location')]).toEqual([status, location]);
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: Go's templates

it.each([
  ['GET', 301, 'Moved Permanently'],
  ['DELETE', 308, 'Permanent Redirect'],
])('permanent for %s is %i', async (method, status, body) => {
  const answer = await build(redirectRegex, { regex: '^(.*)/old(.*)$', replacement: '$1/new$2', permanent: true }).ask({
    method,
    path: '/old/x',
  });
  expect(answer).toMatchObject({
    status,
    body,
    headers: [
      ['Location', 'http://x.test/new/x'],
      ['Content-Length', String(body.length)],
    ],
  });
});

it('does not look at X-Forwarded-Proto', async () => {
  const answer = await build(redirectRegex, { regex: '^https', replacement: 'x' }).ask({ headers: [['X-Forwarded-Proto', 'https']] });
  expect(answer.status).toBe(200);
});

it('tells what is wrong with an expression', () => {
  expect(refusal(redirectRegex, { regex: 'a(?!b)', replacement: 'x' })).toMatch(/RE2 has no look-around/);
});
