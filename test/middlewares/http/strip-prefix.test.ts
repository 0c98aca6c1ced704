import { expect, it } from 'vitest';
import { stripPrefix } from '../../../src/middlewares/http/strip-prefix.ts';
import { build } from '../../support/middleware-harness.ts';

it.each([
  // prefixes, path → path, header
  [['/foo', '/foo/bar'], '/foo', '/', '/foo'],
  [['/foo', '/foo/bar'], '/foo/', '/', '/foo'],
  [['/foo', '/foo/bar'], '/foo/bar', '/bar', '/foo'],
  [['/foo'], '/foobar', '/bar', '/foo'],
  [['/foo'], '/FOO/x', '/FOO/x', undefined],
  [['/other', ' /sp '], '/sp/x', '/x', '/sp'],
  [['/foo'], '/foo%2Fbar', '/bar', '/foo'],
  [['/foo'], '/f%6fo/x', '/x', '/foo'],
  [['/foo'], '/foo/%2F..%2Fx', '/%2F..%2Fx', '/foo'],
  [['/a%2F'], '/a%2Fb', '/a%2Fb', undefined],
  [['/é'], '/%C3%A9/%C3%A9', '/%C3%A9', '/Ã©'],
  [[], '/x', '/x', undefined],
])('%j off %s leaves %s', async (prefixes, path, expected, header) => {
  const { ask, seen } = build(stripPrefix, { prefixes });
  await ask({ path });
  expect(seen[0]!.line).toBe(`GET ${expected}`);
  expect(Object.fromEntries(seen[0]!.headers)['X-Forwarded-Prefix']).toBe(header);
});

it.each(['/foo..', '/foo../x', '/foo%2F%2Fevil', '/foo%2F..%2Fx', '/foo/../x', '/foo//x'])(
  'answers 400 where %s exposes dots or slashes',
  async (path) => {
    const { ask, seen } = build(stripPrefix, { prefixes: ['/foo'] });
    expect(await ask({ path })).toMatchObject({
      status: 400,
      headers: [
        ['Content-Type', 'text/plain; charset=utf-8'],
        ['X-Content-Type-Options', 'nosniff'],
        ['Content-Length', '12'],
      ],
      body: 'Bad Request\n',
    });
    expect(seen).toEqual([]);
  },
);

it.each([
  [undefined, '/two', ''],
  [false, '/two', ''],
  [true, '/two', '/'],
  [true, '/two/x', '/x'],
])('with forceSlash %s, %s becomes "%s"', async (forceSlash, path, expected) => {
  let sent: string | undefined;
  const { ask } = build(
    stripPrefix,
    { prefixes: ['/two'], forceSlash },
    {
      server: async (request) => {
        sent = request.path;
        return { status: 204, headers: request.headers, body: undefined };
      },
    },
  );
  await ask({ path });
  expect(sent).toBe(expected);
});

it('adds a second value behind the first', async () => {
  const { ask, seen } = build(stripPrefix, { prefixes: ['/two'] });
  await ask({ path: '/two', headers: [['X-Forwarded-Prefix', '/one']] });
  expect(seen[0]!.headers).toEqual([
    ['X-Forwarded-Prefix', '/one'],
    ['X-Forwarded-Prefix', '/two'],
  ]);
});
