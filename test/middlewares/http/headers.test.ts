import { describe, expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import { headers } from '../../../src/middlewares/http/headers.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

const own = ['X-Remove', '1', 'X-Set', 'backend', 'Vary', 'Accept', 'Access-Control-Allow-Origin', 'http://backend'];
const server = async () => textResponse(200, 'from a', { headers: own });
const tls = { serverName: 'x.test', version: '1.3', cipher: '', clientCertificates: [], options: 'default' };
const fields = (answer: { headers: [string, string][] }): Record<string, string> =>
  Object.fromEntries(answer.headers.filter(([name]) => name !== 'Content-Length' && name !== 'Content-Type'));

describe('custom headers', () => {
  it('sets and removes fields of both sides, and the host', async () => {
    const { ask, seen } = build(
      headers,
      {
        customRequestHeaders: { 'X-Set': 'one', 'x-lower': 'two', 'X-Remove': '', host: 'changed.test' },
        customResponseHeaders: { 'X-Set': 'mine', 'X-Remove': '', 'x-New': 'ü' },
      },
      { server },
    );
    const answer = await ask({
      headers: [
        ['X-Remove', '1'],
        ['x-set', 'client'],
        ['X-Lower', 'a'],
        ['X-Lower', 'b'],
      ],
    });
    expect(seen[0]).toMatchObject({
      host: 'changed.test',
      headers: [
        ['X-Set', 'one'],
        ['x-lower', 'two'],
      ],
    });
    expect(fields(answer)).toEqual({ 'X-Set': 'mine', Vary: 'Accept', 'Access-Control-Allow-Origin': 'http://backend', 'x-New': 'Ã¼' });
  });

  it.each([
    ['', true],
    ['1.2.3.4', false],
  ])('with X-Forwarded-For "%s" the peer is left out: %s', async (value, omitted) => {
    let omit: boolean | undefined;
    const { ask } = build(
      headers,
      { customRequestHeaders: { 'X-Forwarded-For': value } },
      {
        server: async (request) => {
          omit = request.omitForwardedFor;
          return textResponse(200, '');
        },
      },
    );
    await ask({ headers: [['X-Forwarded-For', '9.9.9.9']] });
    expect(omit).toBe(omitted);
  });

  it('leaves the host alone when it is empty', async () => {
    const { ask, seen } = build(headers, { customRequestHeaders: { Host: '', 'X-A': '1' } });
    await ask({ host: 'x.test' });
    expect(seen[0]!.host).toBe('x.test');
  });
});

describe('preflight', () => {
  const preflight = (origin: string, ...more: [string, string][]) => ({
    method: 'OPTIONS',
    headers: [['Origin', origin], ['Access-Control-Request-Method', 'PUT'], ...more] as [string, string][],
  });
  const full = {
    accessControlAllowOriginList: ['http://ok.test', 'https://two.test'],
    accessControlAllowMethods: ['GET', 'PUT'],
    accessControlAllowHeaders: ['X-A', 'x-b'],
    accessControlExposeHeaders: ['X-E'],
    accessControlMaxAge: 100,
    accessControlAllowCredentials: true,
    addVaryHeader: true,
  };
  const always = {
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'X-E',
    'Access-Control-Allow-Headers': 'X-A,x-b',
    'Access-Control-Allow-Methods': 'GET,PUT',
    'Access-Control-Max-Age': '100',
  };
  const star = { accessControlAllowHeaders: ['*'], accessControlAllowMethods: ['*'], accessControlExposeHeaders: ['*'] };

  it.each([
    ['of an allowed origin', full, preflight('http://ok.test'), { 'Access-Control-Allow-Origin': 'http://ok.test', ...always }],
    ['of another origin', full, preflight('http://no.test'), always],
    ['with addVaryHeader alone', { addVaryHeader: true }, preflight('http://no.test'), {}],
    ['with a maximum age of 0', { accessControlMaxAge: 0 }, preflight('http://no.test'), { 'Access-Control-Max-Age': '0' }],
    [
      'with stars',
      star,
      preflight('http://no.test', ['Access-Control-Request-Headers', 'x-c']),
      { 'Access-Control-Allow-Headers': '*', 'Access-Control-Allow-Methods': '*', 'Access-Control-Expose-Headers': '*' },
    ],
    [
      'with stars and credentials',
      { ...star, accessControlAllowCredentials: true },
      preflight('http://no.test', ['Access-Control-Request-Headers', 'x-c']),
      { 'Access-Control-Allow-Credentials': 'true', 'Access-Control-Allow-Headers': 'x-c', 'Access-Control-Allow-Methods': 'PUT' },
    ],
  ])('%s is answered here', async (_, options, request, expected) => {
    const { ask, seen } = build(headers, options, { server });
    const answer = await ask(request);
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.header('Content-Length')).toBe('0');
    expect(fields(answer)).toEqual(expected);
    expect(seen).toEqual([]);
  });

  it.each([
    ['without an origin', full, { method: 'OPTIONS', headers: [['Access-Control-Request-Method', 'GET']] as [string, string][] }],
    ['without a method', full, { method: 'OPTIONS', headers: [['Origin', 'http://ok.test']] as [string, string][] }],
    ['of another method', full, { ...preflight('http://ok.test'), method: 'GET' }],
    ['with no CORS option', { customRequestHeaders: { 'X-A': '1' } }, preflight('http://ok.test')],
  ])('%s goes to the server', async (_, options, request) => {
    const { ask, seen } = build(headers, options, { server });
    await ask(request);
    expect(seen).toHaveLength(1);
  });
});

describe('CORS on responses', () => {
  const star = { accessControlAllowOriginList: ['*'] };
  const regex = { accessControlAllowOriginListRegex: ['^https://[a-z]+\\.ok\\.test$', 'nomatch'] };
  it.each([
    [{ accessControlAllowOriginList: ['http://ok.test'] }, 'http://ok.test', 'http://ok.test'],
    [{ accessControlAllowOriginList: ['http://ok.test'] }, 'http://no.test', 'http://backend'],
    [star, 'http://a.test', '*'],
    [{ ...star, accessControlAllowCredentials: true }, 'http://a.test', 'http://a.test'],
    [regex, 'https://a.ok.test', 'https://a.ok.test'],
    [regex, 'https://a1.ok.test', 'http://backend'],
  ])('%j for %s allows %s', async (options, origin, expected) => {
    const answer = await build(headers, options, { server }).ask({ headers: [['Origin', origin]] });
    expect(answer.header('Access-Control-Allow-Origin')).toBe(expected);
  });

  it.each([
    [[], 'Origin'],
    [['Vary', 'Origin'], 'Origin'],
    [['Vary', 'Accept'], 'Accept,Origin'],
    // Traefik forgets the second line.
    [['Vary', 'Accept', 'Vary', 'Cookie'], 'Accept,Cookie,Origin'],
  ])('Vary with %j becomes %s', async (before, expected) => {
    const answer = await build(headers, { addVaryHeader: true }, { server: async () => textResponse(200, '', { headers: before }) }).ask();
    expect(answer.headers.filter(([name]) => name === 'Vary')).toEqual([['Vary', expected]]);
  });
});

describe('security headers', () => {
  const all = {
    stsSeconds: 100,
    stsIncludeSubdomains: true,
    stsPreload: true,
    forceSTSHeader: true,
    frameDeny: true,
    contentTypeNosniff: true,
    browserXssFilter: true,
    contentSecurityPolicy: "default-src 'self'",
    contentSecurityPolicyReportOnly: 'x',
    referrerPolicy: 'no-referrer',
    permissionsPolicy: 'camera=()',
    publicKey: 'pin',
  };
  const values = {
    'Strict-Transport-Security': 'max-age=100; includeSubDomains; preload',
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'X-Xss-Protection': '1; mode=block',
    'Content-Security-Policy': "default-src 'self'",
    'Content-Security-Policy-Report-Only': 'x',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': 'camera=()',
  };
  const custom = { customFrameOptionsValue: 'SAMEORIGIN', frameDeny: true, customBrowserXSSValue: '0', browserXssFilter: true };
  const proxied = { stsSeconds: 5, sslProxyHeaders: { 'X-Forwarded-Proto': 'https' } };
  const byProxy = { headers: [['X-Forwarded-Proto', 'https']] as [string, string][] };
  it.each([
    ['all of them', all, {}, values],
    ['all of them by TLS', all, { tls }, { ...values, 'Public-Key-Pins': 'pin' }],
    ['own values', custom, {}, { 'X-Frame-Options': 'SAMEORIGIN', 'X-Xss-Protection': '0' }],
    ['HSTS without TLS', { stsSeconds: 5 }, {}, {}],
    ['HSTS by TLS', { stsSeconds: 5 }, { tls }, { 'Strict-Transport-Security': 'max-age=5' }],
    ['HSTS of 0', { stsSeconds: 0, forceSTSHeader: true }, { tls }, {}],
    ['HSTS behind a proxy that does not count', { stsSeconds: 5 }, byProxy, {}],
    ['HSTS behind a proxy that counts', proxied, byProxy, { 'Strict-Transport-Security': 'max-age=5' }],
    [
      'isDevelopment',
      { ...all, publicKey: 'pin', isDevelopment: true, allowedHosts: ['o.test'] },
      { tls },
      { ...values, 'Strict-Transport-Security': undefined },
    ],
    ['legacy options', { sslRedirect: true, sslHost: 'y.test', sslForceHost: true }, {}, {}],
  ])('%s', async (_, options, request, expected) => {
    const answer = await build(headers, options).ask(request);
    expect(answer.status).toBe(200);
    expect(fields(answer)).toEqual(JSON.parse(JSON.stringify(expected)));
  });

  it('replaces what the server says, and gives way to customResponseHeaders', async () => {
    const answer = await build(
      headers,
      { frameDeny: true, contentTypeNosniff: true, customResponseHeaders: { 'x-content-type-options': '' } },
      { server: async () => textResponse(200, '', { headers: ['x-frame-options', 'ALLOW'] }) },
    ).ask();
    expect(fields(answer)).toEqual({ 'X-Frame-Options': 'DENY' });
  });
});

describe('allowedHosts', () => {
  const options = {
    allowedHosts: ['x.test', 'Two.test:81'],
    hostsProxyHeaders: ['X-My-Host', 'X-Other-Host'],
    customResponseHeaders: { 'X-A': '1' },
  };
  it.each([
    ['x.test', [], 200],
    ['X.TEST', [], 200],
    ['x.test:80', [], 500],
    ['two.test:81', [], 200],
    ['no.test', [], 500],
    ['no.test', [['X-My-Host', 'x.test']], 200],
    ['x.test', [['X-My-Host', 'bad']], 500],
    ['x.test', [['X-Other-Host', 'bad']], 500],
  ] as [string, [string, string][], number][])('%s with %j: %i', async (host, sent, status) => {
    const answer = await build(headers, options).ask({ host, headers: sent });
    expect([answer.status, answer.header('X-A')]).toEqual([status, '1']);
    if (status === 500) expect(answer.body).toBe('Bad Host\n');
  });
});

it.each([
  [{}, 'none of the options asks for anything; write at least one, as customRequestHeaders'],
  [{ frameDeny: false }, 'none of the options asks for anything; write at least one, as customRequestHeaders'],
  [{ customRequestHeaders: {} }, 'customRequestHeaders wants names with values below it'],
  [{ stsSeconds: 0 }, undefined],
  [{ frameDney: true }, "frameDney is no option here; did you mean 'frameDeny'?"],
])('%j: %s', (options, expected) => {
  expect(refusal(headers, options)).toBe(expected);
});

it('tells which origin expression is wrong', () => {
  expect(refusal(headers, { accessControlAllowOriginListRegex: ['('] })).toMatch(/^The expression '\(' is not valid RE2/);
});
