import { describe, expect, it, test } from 'vitest';
import { decodeText } from '../../src/base/bytes.ts';
import { createRequest, HeaderList, type ProxyRequest } from '../../src/base/message.ts';
import { createRequestPreparation, type EntryPointOptions } from '../../src/proxy/entry-point.ts';

function prepare(request: Partial<ProxyRequest>, options: EntryPointOptions = {}) {
  const made = createRequest(request);
  return { request: made, answer: createRequestPreparation(options, 'edge')(made) };
}

describe('the path', () => {
  it.each<[string, EntryPointOptions, string]>([
    ['/a/../b//c', {}, '/b/c'],
    ['/%61/%2e%2e/b', {}, '/b'],
    ['/a%2f..', {}, '/a%2F..'],
    ['/public/|%2F..%2F..%2Fadmin', {}, '/public/%7C%2F..%2F..%2Fadmin'],
    ['/a/../b', { sanitizePath: false }, '/a/../b'],
    ['/%61/%2e%2e/b', { sanitizePath: false }, '/a/../b'],
    ['', {}, '/'],
    ['*', {}, '*'],
  ])('%j with %j is %j', (path, options, prepared) => {
    expect(prepare({ path }, options).request.path).toBe(prepared);
  });
});

describe('the query', () => {
  it.each<[string | undefined, EntryPointOptions, string | undefined]>([
    ['a=1;b=2', {}, 'a=1&b=2'],
    ['a=1;b=2', { encodeQuerySemicolons: true }, 'a=1%3Bb=2'],
    ['a=1%3Bb', {}, 'a=1%3Bb'],
    ['', {}, ''],
    [undefined, {}, undefined],
  ])('%j with %j is %j', (query, options, prepared) => {
    expect(prepare({ query }, options).request.query).toBe(prepared);
  });
});

describe('refusals', () => {
  it.each<[string, Partial<ProxyRequest>, EntryPointOptions, number, string]>([
    ['a malformed escape', { path: '/%zz' }, {}, 400, '400 Bad Request'],
    ['a cut escape', { path: '/%4' }, {}, 400, '400 Bad Request'],
    ['a fragment', { path: '/a#b' }, {}, 400, ''],
    ['OPTIONS *', { path: '*', method: 'OPTIONS' }, {}, 200, ''],
    ['an underscore', { headers: new HeaderList(['X_A', '1']) }, { underscoreHeadersStrategy: 'reject' }, 400, 'Bad Request\n'],
  ])('%s', async (_, request, options, status, body) => {
    const { answer } = prepare(request, options);
    expect([answer?.status, decodeText(await answer!.body!.bytes(100))]).toEqual([status, body]);
  });

  it.each<[string, Partial<ProxyRequest>, EntryPointOptions]>([
    ['a fragment in the query', { path: '/a', query: 'b#c' }, {}],
    ['GET *', { path: '*' }, {}],
    ['a value with an underscore', { headers: new HeaderList(['X-A', 'a_b']) }, { underscoreHeadersStrategy: 'reject' }],
  ])('not %s', (_, request, options) => {
    expect(prepare(request, options).answer).toBeUndefined();
  });
});

test.each<[string | undefined, string[]]>([
  [undefined, ['X_A', 'X-A']],
  ['', ['X_A', 'X-A']],
  ['keep', ['X_A', 'X-A']],
  ['delete', ['X-A']],
])('underscoreHeadersStrategy %j keeps %j', (underscoreHeadersStrategy, names) => {
  const { request } = prepare({ headers: new HeaderList(['X_A', '1', 'X-A', 'a_b']) }, { underscoreHeadersStrategy });
  expect(Array.from(request.headers, ([name]) => name).filter((name) => /^X.A$/.test(name))).toEqual(names);
});

test('an unknown strategy is refused', () => {
  expect(() => createRequestPreparation({ underscoreHeadersStrategy: 'drop' }, '')).toThrow(
    "underscoreHeadersStrategy is 'drop'; write keep, delete or reject",
  );
});

test('the peer is not told to servers when the entry point says so', () => {
  expect(prepare({}, { forwardedHeaders: { notAppendXForwardedFor: true } }).request.omitForwardedFor).toBe(true);
  expect(prepare({}).request.omitForwardedFor).toBeUndefined();
});
