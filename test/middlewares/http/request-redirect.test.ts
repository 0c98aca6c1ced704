import { expect, it } from 'vitest';
import { requestRedirect } from '../../../src/middlewares/http/request-redirect.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

const tls = { serverName: 'x.test', version: '1.3', cipher: '', clientCertificates: [], options: 'default' };

it.each([
  [{}, { path: '/a', query: 'b' }, 'http://x.test/a?b'],
  [{}, { path: '/a', tls }, 'https://x.test/a'],
  [{ scheme: 'https', hostname: 'y.test', port: '8443' }, { path: '/a' }, 'https://y.test:8443/a'],
  [{ hostname: 'y.test' }, { host: 'x.test:81', path: '/a' }, 'http://y.test:81/a'],
  [{ port: '' }, { host: 'x.test:81', path: '/a' }, 'http://x.test/a'],
  [{ path: '/b c' }, { path: '/a', query: 'q' }, 'http://x.test/b%20c?q'],
  [{ path: '/b', pathPrefix: '/a' }, { path: '/a/c/' }, 'http://x.test/b/c/'],
  [{ path: '/', pathPrefix: '/a' }, { path: '/a' }, 'http://x.test/'],
])('%j of %j leads to %s', async (options, request, location) => {
  const answer = await build(requestRedirect, options).ask(request);
  expect([answer.status, answer.header('Location'), answer.body]).toEqual([302, location, 'Found']);
});

it.each([
  [303, undefined],
  [0, undefined],
  [300, '300 is no status of a redirection; write one of 301, 302, 303, 307, 308'],
])('status %i: %s', (statusCode, expected) => {
  expect(refusal(requestRedirect, { statusCode })).toBe(expected);
});
