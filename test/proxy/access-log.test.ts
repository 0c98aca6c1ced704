import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFacts, createRequest, HeaderList, type Observation, type ProxyRequest } from '../../src/base/message.ts';
import { type AccessLogOptions, createAccessLogFormat, type WriteAccess } from '../../src/proxy/access-log.ts';
import { LineBuffer } from '../../src/proxy/line-buffer.ts';
import { observe, observeRouter } from '../../src/proxy/observation.ts';

const STARTED = Date.UTC(2026, 0, 2, 3, 4, 5) + 6.5;

function request(init: Partial<ProxyRequest> = {}): ProxyRequest {
  const made = createRequest({
    path: '/x',
    query: 'y=1',
    host: 'a.test:8080',
    clientPort: 4711,
    entryPoint: 'web',
    headers: new HeaderList(['User-Agent', 'agent "q"', 'authorization', 'Basic planted', 'X-A', '1', 'X-A', '2']),
    facts: createFacts(STARTED),
    ...init,
  });
  observe(made, undefined);
  return made;
}
function served(init?: Partial<ProxyRequest>): ProxyRequest {
  const made = request(init);
  const observation = made.facts.observation!;
  made.facts.routerName = 'r@file';
  made.facts.serviceUrl = 'http://[::1]:81';
  observeRouter(observation, { service: 's@file' } as never);
  observation.tries.push({ service: 's@file', startedAt: STARTED + 1, durationMs: 2, status: 200, size: 6 });
  observation.originHeaders = new HeaderList(['Set-Cookie', 's=1']);
  observation.responseHeaders = new HeaderList(['X-Out', 'o']);
  return made;
}
/** The line without its end; undefined when none is wanted. */
function formatted(write: WriteAccess, ...exchange: Parameters<WriteAccess> extends [unknown, ...infer R] ? R : never): string | undefined {
  const buffer = new LineBuffer();
  if (!write(buffer, ...exchange)) return undefined;
  const text = new TextDecoder().decode(buffer.take());
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1);
}
const format = (options: Partial<AccessLogOptions>, made: ProxyRequest, status = 200, sentBytes = 6, ms = 12.5) =>
  formatted(
    createAccessLogFormat({ format: 'common', ...options }),
    made,
    made.facts.observation as Observation,
    { status, sentBytes },
    STARTED + ms,
    3,
  );
const json = (options: Partial<AccessLogOptions>, made: ProxyRequest, sentBytes = 6) =>
  JSON.parse(format({ format: 'json', ...options }, made, 200, sentBytes)!) as Record<string, unknown>;

describe('createAccessLogFormat', () => {
  it.each<[string, Partial<AccessLogOptions>, ProxyRequest, string]>([
    [
      'common',
      {},
      served(),
      '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /x?y=1 HTTP/1.1" 200 6 "-" "-" 3 "r@file" "http://[::1]:81" 12ms',
    ],
    [
      'no router',
      {},
      request({ host: '' }),
      '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /x?y=1 HTTP/1.1" 200 6 "-" "-" 3 "-" "-" 12ms',
    ],
    [
      'generic, with an agent',
      { format: 'genericCLF', fields: { headers: { names: { 'user-agent': 'keep' } } } },
      served(),
      '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /x?y=1 HTTP/1.1" 200 6 "-" "agent \\"q\\""',
    ],
    [
      'without the query',
      { format: 'genericCLF', fields: { queryParameters: { defaultMode: 'drop' } } },
      served(),
      '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /x HTTP/1.1" 200 6 "-" "-"',
    ],
    ['all dropped', { fields: { defaultMode: 'drop' } }, served(), '- - - [-] "- - -" - - "-" "-" - "-" "-" 0ms'],
    [
      'a forged line',
      { format: 'genericCLF' },
      served({ headers: new HeaderList(['X-Forwarded-For', '9.9.9.9\n1.1.1.1 - root']) }),
      '9.9.9.9\\x0a1.1.1.1 - root - - [02/Jan/2026:03:04:05 +0000] "GET /x?y=1 HTTP/1.1" 200 6 "-" "-"',
    ],
  ])('%s', (_, options, made, line) => {
    expect(format(options, made)).toBe(line);
  });

  it('has every field', () => {
    const made = served({
      scheme: 'https',
      tls: { serverName: 'a', version: '1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientCertificates: [], options: 'default' },
    });
    made.facts.site = 'berlin';
    expect(json({}, made, 3)).toEqual({
      ClientAddr: '127.0.0.1:4711',
      ClientHost: '127.0.0.1',
      ClientPort: '4711',
      ClientUsername: '-',
      DownstreamContentSize: 3,
      DownstreamStatus: 200,
      Duration: 12_500_000,
      GzipRatio: 2,
      OriginContentSize: 6,
      OriginDuration: 2_000_000,
      OriginStatus: 200,
      Overhead: 10_500_000,
      RequestAddr: 'a.test:8080',
      RequestContentSize: 0,
      RequestCount: 3,
      RequestHost: 'a.test',
      RequestMethod: 'GET',
      RequestPath: '/x?y=1',
      RequestPort: '8080',
      RequestProtocol: 'HTTP/1.1',
      RequestScheme: 'https',
      RetryAttempts: 0,
      RouterName: 'r@file',
      ServiceAddr: '[::1]:81',
      ServiceName: 's@file',
      ServiceURL: 'http://[::1]:81',
      StartLocal: expect.any(String),
      StartUTC: '2026-01-02T03:04:05.0065Z',
      TLSCipher: 'TLS_AES_128_GCM_SHA256',
      TLSVersion: '1.3',
      edgewaySite: 'berlin',
      entryPointName: 'web',
      level: 'info',
      msg: '',
      time: expect.any(String),
    });
  });

  it('tells who the client of the certificate is, and what bytes mean', () => {
    const der = new Uint8Array(readFileSync('test/fixtures/certificates/full.der'));
    const tls = { serverName: 'a', version: '1.2', cipher: 'X', clientCertificates: [der], options: 'default' };
    // Heads are byte strings: a character is a byte.
    const made = served({ tls, path: '/\xc3\xbc', headers: new HeaderList(['x-Name', 'b\xc3\xbccher \xff "q"']) });
    expect(json({ fields: { headers: { defaultMode: 'keep' } } }, made)).toMatchObject({
      TLSClientSubject: expect.stringContaining('CN=client one,OU=Edge+OU=Zwei,O=Acme BV+O=Ümlaut & Söhne,L=Assen,ST=Drenthe,C=NL'),
      RequestPath: '/ü?y=1',
      'request_X-Name': 'bücher \ufffd "q"',
    });
  });

  it('keeps, drops and redacts by names in any case', () => {
    const fields = {
      defaultMode: 'drop',
      names: { requestmethod: 'keep', RouterName: 'redact' },
      headers: { names: { Authorization: 'redact', 'x-a': 'keep', 'set-cookie': 'redact', 'X-Out': 'nonsense' } },
    };
    const { time: _, ...kept } = json({ fields }, served());
    expect(kept).toEqual({
      RequestMethod: 'GET',
      'request_X-A': '1,2',
      request_Authorization: 'REDACTED',
      'origin_Set-Cookie': 'REDACTED',
      level: 'info',
      msg: '',
    });
  });

  it.each<[string, NonNullable<AccessLogOptions['filters']>, number, number, number, boolean]>([
    ['no filter', {}, 200, 0, 1, true],
    ['another status', { statusCodes: ['404', '500-599'] }, 200, 0, 1, false],
    ['a status', { statusCodes: ['404', '500-599'] }, 404, 0, 1, true],
    ['a range', { statusCodes: ['404', '500-599'] }, 503, 0, 1, true],
    ['too fast', { minDuration: 100 }, 200, 0, 100, false],
    ['slow', { minDuration: 100, statusCodes: ['404'] }, 200, 0, 101, true],
    ['not tried again', { retryAttempts: true }, 200, 0, 1, false],
    ['tried again', { retryAttempts: true }, 200, 1, 1, true],
  ])('%s', (_, filters, status, retries, ms, written) => {
    const made = served();
    made.facts.retryAttempts = retries;
    expect(format({ filters }, made, status, 0, ms) !== undefined).toBe(written);
  });

  it.each<[string, object, Partial<AccessLogOptions>, boolean]>([
    ['a router without', { service: 's@file', observability: { accessLogs: false } }, {}, false],
    ['a service of ours', { service: 'ping@internal' }, {}, false],
    ['a service of ours, wanted', { service: 'ping@internal' }, { addInternals: true }, true],
  ])('%s', (_, router, options, written) => {
    const made = served();
    observeRouter(made.facts.observation!, router as never);
    expect(format(options, made) !== undefined).toBe(written);
  });
});
