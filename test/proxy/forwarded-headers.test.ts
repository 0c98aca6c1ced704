import { describe, expect, it, test } from 'vitest';
import { createRequest, HeaderList, type ProxyRequest } from '../../src/base/message.ts';
import { createForwardedHeaders, type ForwardedHeadersOptions } from '../../src/proxy/forwarded-headers.ts';

const PEER = '203.0.113.7';

function pass(request: Partial<ProxyRequest>, options: ForwardedHeadersOptions = {}): Record<string, string[]> {
  const made = createRequest({ clientAddress: PEER, host: 'a.test', ...request });
  createForwardedHeaders(options, 'edge-1')(made);
  const fields: Record<string, string[]> = {};
  for (const [name, value] of made.headers) (fields[name] ??= []).push(value);
  return fields;
}

/** All that a client can say about where it came from. */
const CLAIMS = [
  ['X-Forwarded-For', '192.0.2.1'],
  ['X-Forwarded-Host', 'client.host'],
  ['X-Forwarded-Port', '9999'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Server', 'other'],
  ['X-Forwarded-Uri', '/other'],
  ['X-Forwarded-Method', 'PUT'],
  ['X-Forwarded-Prefix', '/pre'],
  ['X-Real-Ip', '192.0.2.2'],
  ['X-Forwarded-Tls-Client-Cert', 'abc'],
  ['X-Forwarded-Tls-Client-Cert-Info', 'def'],
  ['x_forwarded_for', '192.0.2.3'],
  ['X_Real-Ip', '192.0.2.4'],
] as const;
/** Nobody's business (Traefik passes them on). */
const OTHERS = [
  ['Forwarded', 'for=192.0.2.9'],
  ['X-Scheme', 'https'],
  ['X-Forwarded-Scheme', 'https'],
  ['X-Original-Uri', '/x'],
] as const;
const claims = (): HeaderList => HeaderList.from([...CLAIMS, ...OTHERS]);

const OWN = {
  'X-Real-Ip': [PEER],
  'X-Forwarded-Proto': ['http'],
  'X-Forwarded-Port': ['80'],
  'X-Forwarded-Host': ['a.test'],
  'X-Forwarded-Server': ['edge-1'],
};
const KEPT = Object.fromEntries([...CLAIMS, ...OTHERS].map(([name, value]) => [name, [value]]));

test('a request without such headers gets ours', () => {
  expect(pass({})).toEqual(OWN);
});

test('what an untrusted peer says is dropped and set anew', () => {
  expect(pass({ headers: claims() })).toEqual({ ...Object.fromEntries(OTHERS.map(([name, value]) => [name, [value]])), ...OWN });
});

test.each<[string, ForwardedHeadersOptions]>([
  ['an insecure entry point', { insecure: true }],
  ['a trusted address', { trustedIPs: ['203.0.113.0/24'] }],
  ['a trusted address in its IPv6 form', { trustedIPs: ['::ffff:203.0.113.7'] }],
])('%s keeps what came, but says its own name', (_, options) => {
  expect(pass({ headers: claims() }, options)).toEqual({ ...KEPT, 'X-Forwarded-Server': ['edge-1'] });
});

test('others are trusted by nothing that they say', () => {
  const headers = HeaderList.from([['X-Forwarded-For', '10.0.0.1']]);
  expect(pass({ headers }, { trustedIPs: ['10.0.0.0/8'] })['X-Forwarded-For']).toBeUndefined();
});

test('the lines of a trusted X-Forwarded-For become one', () => {
  const headers = HeaderList.from([
    ['x-forwarded-for', '192.0.2.1'],
    ['X-Forwarded-For', '192.0.2.2, 192.0.2.3'],
  ]);
  expect(pass({ headers }, { insecure: true })['X-Forwarded-For']).toEqual(['192.0.2.1, 192.0.2.2, 192.0.2.3']);
});

describe('X-Forwarded-Port', () => {
  it.each<[Partial<ProxyRequest>, string]>([
    [{ host: 'a.test:8443' }, '8443'],
    [{ host: '[::1]:8080' }, '8080'],
    [{ host: '[::1]' }, '80'],
    [{ host: '::1' }, '80'],
    [{ host: 'a.test:' }, '80'],
    [{ host: '' }, '80'],
    [{ scheme: 'https' }, '443'],
    [{ scheme: 'https', host: 'a.test:8443' }, '8443'],
  ])('of %j is %s', (request, port) => {
    expect(pass(request)['X-Forwarded-Port']).toEqual([port]);
  });

  it('follows the scheme that a trusted peer tells', () => {
    const headers = HeaderList.from([['X-Forwarded-Proto', 'wss']]);
    expect(pass({ headers }, { insecure: true })['X-Forwarded-Port']).toEqual(['443']);
  });
});

test('a WebSocket is ws or wss', () => {
  const headers = () =>
    HeaderList.from([
      ['Connection', 'keep-alive, Upgrade'],
      ['Upgrade', 'WebSocket'],
    ]);
  expect(pass({ headers: headers() })['X-Forwarded-Proto']).toEqual(['ws']);
  expect(pass({ headers: headers(), scheme: 'https' })['X-Forwarded-Proto']).toEqual(['wss']);
});

test('without a host there is no X-Forwarded-Host, without a name no X-Forwarded-Server', () => {
  const request = createRequest({ host: '' });
  createForwardedHeaders({}, '')(request);
  expect([request.headers.has('X-Forwarded-Host'), request.headers.has('X-Forwarded-Server')]).toEqual([false, false]);
});

test('the zone of a link-local peer is left out', () => {
  expect(pass({ clientAddress: 'fe80::1%eth0' })['X-Real-Ip']).toEqual(['fe80::1']);
});

describe('Connection', () => {
  it.each<[string, [string, string][], ForwardedHeadersOptions, Record<string, string[] | undefined>]>([
    [
      'drops what it names',
      [
        ['X-Secret', '1'],
        ['Connection', 'close, x-secret'],
      ],
      {},
      { 'X-Secret': undefined, Connection: undefined },
    ],
    [
      'on several lines',
      [
        ['A', '1'],
        ['B', '2'],
        ['Connection', 'a'],
        ['Connection', 'b'],
      ],
      {},
      { A: undefined, B: undefined, Connection: undefined },
    ],
    [
      'cannot drop ours',
      [['Connection', 'X-Forwarded-Proto, x-real-ip, X_Forwarded_For']],
      {},
      { 'X-Forwarded-Proto': ['http'], 'X-Real-Ip': [PEER] },
    ],
    [
      'keeps what the options name',
      [
        ['X-Keep', '1'],
        ['Connection', 'x-keep, close'],
      ],
      { connection: ['X-Keep'] },
      { 'X-Keep': ['1'], Connection: ['x-keep'] },
    ],
    [
      'keeps an upgrade',
      [
        ['Connection', 'Upgrade, X-A'],
        ['Upgrade', 'websocket'],
        ['X-A', '1'],
      ],
      {},
      { 'X-A': undefined, Connection: ['Upgrade'], Upgrade: ['websocket'] },
    ],
    [
      'leaves an Upgrade that it does not name',
      [
        ['Connection', 'close'],
        ['Upgrade', 'websocket'],
      ],
      {},
      { Connection: undefined, Upgrade: ['websocket'] },
    ],
    ['without Upgrade is dropped', [['Connection', 'upgrade']], {}, { Connection: undefined }],
  ])('%s', (_, fields, options, expected) => {
    const passed = pass({ headers: HeaderList.from(fields) }, options);
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, passed[name]]))).toEqual(expected);
  });
});

test('a range that is none is refused', () => {
  expect(() => createForwardedHeaders({ trustedIPs: ['10.0.0.0/33'] }, '')).toThrow(
    "trustedIPs: '10.0.0.0/33' is no address and no network; write 10.0.0.1 or 10.0.0.0/8",
  );
});
