import { expect, it } from 'vitest';
import { urlRewrite } from '../../../src/middlewares/http/url-rewrite.ts';
import { build } from '../../support/middleware-harness.ts';

it.each([
  [{ hostname: 'y.test' }, '/a%2Fb', '/a%2Fb', 'y.test'],
  [{ path: '/new path' }, '/a', '/new%20path', 'x.test'],
  [{ path: '/b', pathPrefix: '/a' }, '/a/c', '/b/c', 'x.test'],
  [{ path: '/b', pathPrefix: '/a' }, '/a/c/', '/b/c/', 'x.test'],
  [{ path: '/b/', pathPrefix: '/a' }, '/a', '/b', 'x.test'],
  [{ path: '/', pathPrefix: '/a' }, '/a/c', '/c', 'x.test'],
  [{ path: '/b', pathPrefix: '/a/' }, '/a/', '/b/', 'x.test'],
  [{ path: '', pathPrefix: '/a' }, '/a', '/', 'x.test'],
])('%j makes %s into %s at %s', async (options, path, expected, host) => {
  const { ask, seen } = build(urlRewrite, options);
  await ask({ path });
  expect(seen[0]).toMatchObject({ line: `GET ${expected}`, host });
});
