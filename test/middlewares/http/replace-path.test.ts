import { expect, it } from 'vitest';
import { replacePath } from '../../../src/middlewares/http/replace-path.ts';
import { build } from '../../support/middleware-harness.ts';

it.each([
  ['/new path', '/old?q=1', '/new%20path?q=1', '/old'],
  ['/new path', '/o%2Fld', '/new%20path', '/o%2Fld'],
  ['/x%2Fy', '/a', '/x%2Fy', '/a'],
  // One character that cannot stand in a path undoes the escapes, as in Traefik.
  ['/x%2Fy?z', '/a', '/x/y%3Fz', '/a'],
  // Traefik sends the bare target `nolead`.
  ['nolead', '/a', '/nolead', '/a'],
  ['', '/a', '/', '/a'],
])('%s instead of %s sends %s', async (path, target, expected, replaced) => {
  const { ask, seen } = build(replacePath, { path });
  const [from, query] = target.split('?') as [string, string?];
  await ask({ path: from, query });
  expect(seen[0]).toMatchObject({ line: `GET ${expected}`, headers: [['X-Replaced-Path', replaced]] });
});

it('answers 500 with a malformed escape, as Traefik does', async () => {
  const { ask, seen } = build(replacePath, { path: '/bad%zz' });
  expect(await ask({ path: '/a' })).toMatchObject({ status: 500, body: 'invalid URL escape "%zz"\n' });
  expect(seen).toEqual([]);
});

it('adds a second value behind the first', async () => {
  const { ask, seen } = build(replacePath, { path: '/b' });
  await ask({ path: '/a', headers: [['X-Replaced-Path', '/0']] });
  expect(seen[0]!.headers.map(([, value]) => value)).toEqual(['/0', '/a']);
});
