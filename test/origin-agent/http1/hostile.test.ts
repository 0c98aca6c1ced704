import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import { silentLogger } from '../../../src/base/log.ts';
import type { ProxyRequest } from '../../../src/base/message.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { DEFAULT_LIMITS } from '../../../src/origin-agent/http1/settings.ts';
import { type Http1TestServer, listenHttp1 } from '../../support/http1-server.ts';
import { connectRaw } from '../../support/raw-connection.ts';

/** Requests that reached the handler with their body, as `METHOD target body`. */
const seen: string[] = [];
let server: Http1TestServer;

const limits = { ...DEFAULT_LIMITS, maxHeaderBytes: 8192, maxHeaderFields: 50, maxTargetBytes: 2048, maxTrailerBytes: 512 };

async function handler(request: ProxyRequest) {
  const body = request.body === undefined ? '' : Buffer.from(await request.body.bytes(100_000)).toString('latin1');
  seen.push(`${request.method} ${request.path} ${body}`);
  return textResponse(200, 'fine');
}

beforeAll(async () => {
  server = await listenHttp1({ handler, entryPoint: 'web', clock: systemClock, log: silentLogger, limits });
});
afterAll(() => server.close());
beforeEach(() => void seen.splice(0));

const byte = (code: number): string => String.fromCharCode(code);
const hex = (code: number): string => code.toString(16).padStart(2, '0');
const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`;
const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked', body);
/** Follows what must be refused: a server that read on would take it for a request. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

async function exchange(input: string): Promise<{ status: number; after: string }> {
  const client = await connectRaw(server.port);
  client.write(input);
  const answer = await client.end();
  client.close();
  return { status: Number(/^HTTP\/1.[01] (\d{3})/.exec(answer)?.[1] ?? 0), after: answer };
}

type Row = [name: string, input: string, status: number];

const REQUEST_LINES: Row[] = [
  ['no target', 'GET\r\n\r\n', 400],
  ['no version', 'GET /\r\nHost: a\r\n\r\n', 400],
  ['HTTP/0.9', 'GET /\r\n\r\n', 400],
  ['empty version', 'GET / \r\nHost: a\r\n\r\n', 400],
  ['two spaces before the target', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces before the version', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['space behind the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 400],
  ['word behind the version', 'GET / HTTP/1.1 x\r\nHost: a\r\n\r\n', 400],
  ['space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['tab instead of space', 'GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['leading space', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['leading tab', '\tGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['no method', '/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['empty method', ' / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['leading empty line', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['leading empty lines', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['leading LF', '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['leading CR', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['leading NUL', '\0GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['byte order mark', '\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['relative target', 'GET o.test HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['relative path', 'GET a/b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['query alone', 'GET ?q HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['fragment alone', 'GET #f HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['backslash target', 'GET \\ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['star and more', 'GET *x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['other scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['javascript scheme', 'GET javascript:alert(1) HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['scheme without authority', 'GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute with empty authority', 'GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute with userinfo', 'GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute with userinfo and password', 'GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute with a bad port', 'GET http://a:x/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute with a fragment at the authority', 'GET http://a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute with two ports', 'GET http://a:1:2/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute with a backslash', 'GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute with an open bracket', 'GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['authority for GET', 'GET a.test:443 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['CONNECT to a URL', 'CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['CONNECT with userinfo', 'CONNECT u@a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['method with a space', 'GE T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['method with a slash', 'G/T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['method with an at sign', 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['method with a colon', 'G:T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['method in brackets', '(GET) / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['method in quotes', '"GET" / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['method beyond ASCII', 'G\xc9T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['lower-case protocol', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
  ['other protocol', 'GET / HTTPS/1.1\r\nHost: a\r\n\r\n', 400],
  ['ICE', 'GET / ICE/1.0\r\nHost: a\r\n\r\n', 400],
  ['RTSP', 'DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n', 400],
  ['version 0.9', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n', 505],
  ['version 1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505],
  ['version 2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['version 9.9', 'GET / HTTP/9.9\r\nHost: a\r\n\r\n', 505],
  ['version 1', 'GET / HTTP/1\r\nHost: a\r\n\r\n', 400],
  ['version 1.10', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 400],
  ['version 01.1', 'GET / HTTP/01.1\r\nHost: a\r\n\r\n', 400],
  ['version 1,1', 'GET / HTTP/1,1\r\nHost: a\r\n\r\n', 400],
  ['version +1.1', 'GET / HTTP/+1.1\r\nHost: a\r\n\r\n', 400],
  ['version 1.', 'GET / HTTP/1.\r\nHost: a\r\n\r\n', 400],
  ['version x.y', 'GET / HTTP/x.y\r\nHost: a\r\n\r\n', 400],
  ['request line ended by LF', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['request line ended by CR', 'GET / HTTP/1.1\rHost: a\r\n\r\n', 400],
  ['CR CR LF', 'GET / HTTP/1.1\r\r\nHost: a\r\n\r\n', 400],
  ['target too long', `GET /${'a'.repeat(3000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['answer instead of a request', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 400],
  ['an unfinished head that is no HTTP', 'EHLO mail\r\n', 400],
  ['an unfinished head with LF alone', 'GET / HTTP/1.1\nHost: a\n\n', 400],
];

const FIELDS: Row[] = [
  ['no colon', get('NoColon'), 400],
  ['space before the colon', get('X : 1'), 400],
  ['tab before the colon', get('X\t: 1'), 400],
  ['space in the name', get('Bad Name: 1'), 400],
  ['empty name', get(': 1'), 400],
  ['space as name', get(' : 1'), 400],
  ['folded with a space', get('X: a\r\n b'), 400],
  ['folded with a tab', get('X: a\r\n\tb'), 400],
  ['fold as the first line', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  ['fold that hides Transfer-Encoding', post('X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 3', 'abc'), 400],
  ['fold with nothing', get('X: a\r\n \r\nY: b'), 400],
  ['LF alone between fields', get('X: a\nY: b'), 400],
  ['CR alone between fields', get('X: a\rY: b'), 400],
  ['LF alone in front', 'GET / HTTP/1.1\r\n\nHost: a\r\n\r\n', 400],
  ['end of head by LF LF', 'GET / HTTP/1.1\r\nHost: a\n\n', 400],
  ['end of head by CR LF LF', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
  ['end of head by LF CR LF', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 400],
  ['CR in a value', get('X: a\rb'), 400],
  ['CR at the end of a value', get('X: a\r'), 400],
  ['NUL in a value', get('X: a\0b'), 400],
  ['NUL in a name', get('X\0: a'), 400],
  ['DEL in a value', get('X: a\x7fb'), 400],
  ['escape in a value', get('X: \x1b[31m'), 400],
  ['backspace in a value', get('X: a\x08'), 400],
  ['vertical tab before the value', get('X:\x0b1'), 400],
  ['form feed behind the value', get('X: 1\x0c'), 400],
  ['name beyond ASCII', get('X\xe9: 1'), 400],
  ['name in UTF-8', get('X\xc3\xa9: 1'), 400],
  ['quoted name', get('"X": 1'), 400],
  ['name with a slash', get('X/Y: 1'), 400],
  ['name with brackets', get('X(Y): 1'), 400],
  ['name with a comma', get('X,Y: 1'), 400],
  ['name with a semicolon', get('X;Y: 1'), 400],
  ['name with an equals sign', get('X=Y'), 400],
  ['name with an at sign', get('X@Y: 1'), 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['no Host beside others', 'GET / HTTP/1.1\r\nX: 1\r\n\r\n', 400],
  ['two Hosts', get('Host: a'), 400],
  ['two different Hosts', get('Host: b'), 400],
  ['two Hosts in other case', get('hOST: a'), 400],
  ['two Hosts, the first empty', 'GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n', 400],
  ['two Hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['Host with a space', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['Host with a query', 'GET / HTTP/1.1\r\nHost: a?b\r\n\r\n', 400],
  ['Host with a fragment', 'GET / HTTP/1.1\r\nHost: a#b\r\n\r\n', 400],
  ['Host with userinfo', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 400],
  ['Host with a backslash', 'GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n', 400],
  ['Host with a bad port', 'GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n', 400],
  ['Host with a negative port', 'GET / HTTP/1.1\r\nHost: a:-1\r\n\r\n', 400],
  ['Host with two colons', 'GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n', 400],
  ['Host with an open bracket', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 400],
  ['Host with a closed bracket', 'GET / HTTP/1.1\r\nHost: ::1]\r\n\r\n', 400],
  ['Host with an IPv6 address without brackets', 'GET / HTTP/1.1\r\nHost: ::1\r\n\r\n', 400],
  ['Host beyond ASCII', 'GET / HTTP/1.1\r\nHost: \xe9.test\r\n\r\n', 400],
  ['Host as a URL', 'GET / HTTP/1.1\r\nHost: http://a\r\n\r\n', 400],
  ['Host with markup', 'GET / HTTP/1.1\r\nHost: <b>\r\n\r\n', 400],
  ['bad Host beside an absolute target', 'GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['no Host beside an absolute target', 'GET http://b/ HTTP/1.1\r\n\r\n', 400],
  ['one field too large', get(`X: ${'y'.repeat(9000)}`), 431],
  ['a name too large', get(`${'x'.repeat(9000)}: y`), 431],
  ['an endless head', `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(2000)}`, 431],
  ['an endless line', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(20_000)}`, 431],
  ['too many fields', get(Array.from({ length: 60 }, (_, i) => `X-${i}: 1`).join('\r\n')), 431],
  ['other expectation', post('Expect: magic\r\nContent-Length: 1', 'x'), 417],
  ['expectation with more', post('Expect: 100-continue, magic\r\nContent-Length: 1', 'x'), 417],
  ['two expectations', post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1', 'x'), 417],
];

const FRAMING: Row[] = [
  ['two lengths', post('Content-Length: 3\r\nContent-Length: 4', 'abc'), 400],
  ['two equal lengths', post('Content-Length: 3\r\nContent-Length: 3', 'abc'), 400],
  ['two lengths in other case', post('Content-Length: 3\r\ncontent-LENGTH: 3', 'abc'), 400],
  ['list of lengths', post('Content-Length: 3, 3', 'abc'), 400],
  ['list of different lengths', post('Content-Length: 3,4', 'abc'), 400],
  ['negative length', post('Content-Length: -1', 'abc'), 400],
  ['signed length', post('Content-Length: +3', 'abc'), 400],
  ['negative zero', post('Content-Length: -0', ''), 400],
  ['empty length', post('Content-Length:', 'abc'), 400],
  ['blank length', post('Content-Length:  ', 'abc'), 400],
  ['length with a word', post('Content-Length: 3x', 'abc'), 400],
  ['length in hexadecimal', post('Content-Length: 0x3', 'abc'), 400],
  ['length with an exponent', post('Content-Length: 3e0', 'abc'), 400],
  ['length with a point', post('Content-Length: 3.0', 'abc'), 400],
  ['length in quotes', post('Content-Length: "3"', 'abc'), 400],
  ['length with a space inside', post('Content-Length: 1 0', 'abc'), 400],
  ['length with an underscore', post('Content-Length: 1_0', 'abc'), 400],
  ['length with a semicolon', post('Content-Length: 3;', 'abc'), 400],
  ['length in other digits', post('Content-Length: \xb3', 'abc'), 400],
  ['length of 2^53', post('Content-Length: 9007199254740992', 'abc'), 400],
  ['length of 2^64', post('Content-Length: 18446744073709551616', 'abc'), 400],
  ['length of many digits', post(`Content-Length: ${'1'.repeat(400)}`, 'abc'), 400],
  ['length padded by many zeros', post(`Content-Length: ${'0'.repeat(400)}3`, 'abc'), 400],
  ['length with NUL', post('Content-Length: 3\0', 'abc'), 400],
  ['length and chunked', post('Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'), 400],
  ['chunked and length', post('Transfer-Encoding: chunked\r\nContent-Length: 4', '0\r\n\r\n'), 400],
  ['chunked and length 0', post('Transfer-Encoding: chunked\r\nContent-Length: 0', '0\r\n\r\n'), 400],
  ['chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'), 501],
  ['chunked, chunked', post('Transfer-Encoding: chunked, chunked', '0\r\n\r\n'), 501],
  ['gzip, chunked', post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'), 501],
  ['chunked, gzip', post('Transfer-Encoding: chunked, gzip', '0\r\n\r\n'), 501],
  ['identity', post('Transfer-Encoding: identity', '0\r\n\r\n'), 501],
  ['identity beside a length', post('Content-Length: 3\r\nTransfer-Encoding: identity', 'abc'), 400],
  ['chunked and identity', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'), 501],
  ['identity and chunked', post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', '0\r\n\r\n'), 501],
  ['xchunked', post('Transfer-Encoding: xchunked', '0\r\n\r\n'), 501],
  ['chunkedx', post('Transfer-Encoding: chunkedx', '0\r\n\r\n'), 501],
  ['chunked with a parameter', post('Transfer-Encoding: chunked;q=1', '0\r\n\r\n'), 501],
  ['chunked with a comma', post('Transfer-Encoding: chunked,', '0\r\n\r\n'), 501],
  ['comma and chunked', post('Transfer-Encoding: ,chunked', '0\r\n\r\n'), 501],
  ['chunked in quotes', post('Transfer-Encoding: "chunked"', '0\r\n\r\n'), 501],
  ['chunked with a vertical tab', post('Transfer-Encoding: \x0bchunked', '0\r\n\r\n'), 400],
  ['chunked with NUL', post('Transfer-Encoding: chunked\0', '0\r\n\r\n'), 400],
  ['chunked beyond ASCII', post('Transfer-Encoding: chun\u212aed'.replace('\u212a', '\xcb'), '0\r\n\r\n'), 501],
  ['chunked and a tab', post('Transfer-Encoding: chunked\t', '0\r\n\r\n'), 501],
  ['chunked, a tab and a space', post('Transfer-Encoding: chunked\t ', '0\r\n\r\n'), 501],
  ['length and a tab', post('Content-Length: 3\t', 'abc'), 400],
  ['empty coding', post('Transfer-Encoding:', '0\r\n\r\n'), 501],
  ['space before the colon of Transfer-Encoding', post('Transfer-Encoding : chunked', '0\r\n\r\n'), 400],
  ['space before the colon of Content-Length', post('Content-Length : 3', 'abc'), 400],
  ['folded coding', post('Transfer-Encoding:\r\n chunked', '0\r\n\r\n'), 501],
  ['folded length', post('Content-Length:\r\n 3', 'abc'), 400],
  ['chunked in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 501],
  ['chunked and length in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n', 400],
];

const CHUNKS: Row[] = [
  ['no hexadecimal size', chunked('zz\r\nabc\r\n0\r\n\r\n'), 400],
  ['empty size', chunked('\r\nabc\r\n0\r\n\r\n'), 400],
  ['signed size', chunked('+3\r\nabc\r\n0\r\n\r\n'), 400],
  ['negative size', chunked('-3\r\nabc\r\n0\r\n\r\n'), 400],
  ['size with 0x', chunked('0x3\r\nabc\r\n0\r\n\r\n'), 400],
  ['space before the size', chunked(' 3\r\nabc\r\n0\r\n\r\n'), 400],
  ['space behind the size', chunked('3 \r\nabc\r\n0\r\n\r\n'), 400],
  ['tab behind the size', chunked('3\t\r\nabc\r\n0\r\n\r\n'), 400],
  ['space before an extension', chunked('3 ;x\r\nabc\r\n0\r\n\r\n'), 400],
  ['size with a comma', chunked('3,\r\nabc\r\n0\r\n\r\n'), 400],
  ['size with a point', chunked('3.0\r\nabc\r\n0\r\n\r\n'), 400],
  ['size with an underscore', chunked('0_3\r\nabc\r\n0\r\n\r\n'), 400],
  ['size with NUL', chunked('3\0\r\nabc\r\n0\r\n\r\n'), 400],
  ['size over 2^53', chunked('20000000000001\r\nabc\r\n0\r\n\r\n'), 400],
  ['size over 2^64', chunked('10000000000000003\r\nabc\r\n0\r\n\r\n'), 400],
  ['size of many zeros', chunked(`${'0'.repeat(64)}3\r\nabc\r\n0\r\n\r\n`), 400],
  ['size ended by LF', chunked('3\nabc\r\n0\r\n\r\n'), 400],
  ['size ended by CR', chunked('3\rabc\r\n0\r\n\r\n'), 400],
  ['size ended by CR CR LF', chunked('3\r\r\nabc\r\n0\r\n\r\n'), 400],
  ['chunk longer than its size', chunked('3\r\nabcd\r\n0\r\n\r\n'), 400],
  ['chunk shorter than its size', chunked('5\r\nabc\r\n0\r\n\r\n'), 400],
  ['chunk ended by LF', chunked('3\r\nabc\n0\r\n\r\n'), 400],
  ['chunk ended by CR', chunked('3\r\nabc\r0\r\n\r\n'), 400],
  ['chunk without an end', chunked('3\r\nabc0\r\n\r\n'), 400],
  ['chunk ended by two bytes that are no CR LF', chunked('3\r\nabcXX0\r\n\r\n'), 400],
  ['chunk ended by LF LF', chunked('3\r\nabc\n\n0\r\n\r\n'), 400],
  ['last chunk ended by LF', chunked('3\r\nabc\r\n0\n\r\n'), 400],
  ['last chunk ended by LF LF', chunked('0\n\n'), 400],
  ['end of the body by LF', chunked('0\r\n\n'), 400],
  ['end of the body by CR and a letter', chunked('0\r\n\rX'), 400],
  ['extension without a name', chunked('3;\r\nabc\r\n0\r\n\r\n'), 400],
  ['extension with a space', chunked('3; a\r\nabc\r\n0\r\n\r\n'), 400],
  ['extension with a bad name', chunked('3;a b\r\nabc\r\n0\r\n\r\n'), 400],
  ['extension without a value', chunked('3;a=\r\nabc\r\n0\r\n\r\n'), 400],
  ['extension with an open quote', chunked('3;a="b\r\nabc\r\n0\r\n\r\n'), 400],
  ['extension with a control byte', chunked('3;a=\x01\r\nabc\r\n0\r\n\r\n'), 400],
  ['extension with CR', chunked('3;a=b\rc\r\nabc\r\n0\r\n\r\n'), 400],
  ['extension with LF', chunked('3;a=b\nc\r\nabc\r\n0\r\n\r\n'), 400],
  ['extension that hides a line', chunked('3;a\nxx\r\nabc\r\n0\r\n\r\n'), 400],
  ['endless extension', chunked(`3;a=${'x'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`), 400],
  ['many extensions', chunked(`${`1;a=${'x'.repeat(500)}\r\nx\r\n`.repeat(40)}0\r\n\r\n`), 400],
  ['trailer without a colon', chunked('0\r\nNoColon\r\n\r\n'), 400],
  ['trailer with a space before the colon', chunked('0\r\nX : 1\r\n\r\n'), 400],
  ['folded trailer', chunked('0\r\nX: 1\r\n 2\r\n\r\n'), 400],
  ['trailer with NUL', chunked('0\r\nX: \0\r\n\r\n'), 400],
  ['trailer ended by LF', chunked('0\r\nX: 1\n\r\n\r\n'), 400],
  ['trailer with a bad Content-Length', chunked('0\r\nContent-Length: x\r\n\r\n'), 400],
  ['trailer with another coding', chunked('0\r\nTransfer-Encoding: gzip\r\n\r\n'), 400],
  ['trailer with Content-Length', chunked('0\r\nContent-Length: 3\r\n\r\n'), 400],
  ['trailer with Transfer-Encoding', chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n'), 400],
  ['trailer with Connection', chunked('0\r\nConnection: close\r\n\r\n'), 400],
  ['trailer with two Hosts', chunked('0\r\nHost: a\r\nHost: b\r\n\r\n'), 400],
  ['too many trailers', chunked(`0\r\n${'X: 1\r\n'.repeat(70)}\r\n`), 400],
  ['trailers too large', chunked(`0\r\nX: ${'y'.repeat(600)}\r\n\r\n`), 400],
  ['endless trailers', chunked(`0\r\nX: ${'y'.repeat(5000)}`), 400],
];

// Every byte that may stand in none of these places.
const CONTROLS = [...Array(32).keys(), 127].filter((code) => code !== 9 && code !== 10 && code !== 13);
const SEPARATORS = [...'"(),/;<=>?@[\\]{}'];
const SWEEPS: Row[] = [
  ...CONTROLS.map((code): Row => [`byte ${hex(code)} in a target`, `GET /a${byte(code)}b HTTP/1.1\r\nHost: a\r\n\r\n`, 400]),
  ...CONTROLS.map((code): Row => [`byte ${hex(code)} in a value`, get(`X: a${byte(code)}b`), 400]),
  ...CONTROLS.map((code): Row => [`byte ${hex(code)} in a name`, get(`X${byte(code)}: a`), 400]),
  ...SEPARATORS.map((separator): Row => [`${separator} in a name`, get(`X${separator}Y: a`), 400]),
  ...SEPARATORS.map((separator): Row => [`${separator} in a method`, `G${separator}T / HTTP/1.1\r\nHost: a\r\n\r\n`, 400]),
];

describe.each([
  ['request lines', REQUEST_LINES],
  ['fields', FIELDS],
  ['framing', FRAMING],
  ['sweeps', SWEEPS],
])('hostile %s are refused, the connection closes, nothing behind is read', (_group, rows) => {
  it.each(rows)('%s', async (_name, input, status) => {
    const answer = await exchange(input + SMUGGLED);
    expect(answer.status).toBe(status);
    expect(answer.after).toMatch(/^Connection: close\r$/m);
    expect(answer.after.match(/HTTP\/1/g)).toHaveLength(1);
    expect(seen).toEqual([]);
  });
});

it('closes without an answer on a client that begins with TLS', async () => {
  const answer = await exchange(`\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n${SMUGGLED}`);
  expect(answer).toEqual({ status: 0, after: '' });
  expect(seen).toEqual([]);
});

describe('hostile chunks fail the body, the connection closes, nothing behind is read', () => {
  it.each(CHUNKS)('%s', async (_name, input, status) => {
    const answer = await exchange(input + SMUGGLED);
    expect(answer.status).toBe(status);
    expect(answer.after).toMatch(/^Connection: close\r$/m);
    expect(seen).toEqual([]);
  });

  it.each(CHUNKS)('%s, in a later segment', async (_name, input, status) => {
    const client = await connectRaw(server.port);
    const head = input.indexOf('\r\n\r\n') + 4;
    client.write(`${input.slice(0, head)}1\r\nx\r\n`);
    await new Promise((resolve) => setImmediate(resolve));
    client.write(input.slice(head) + SMUGGLED);
    expect(await client.end()).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*Connection: close\\r\\n`));
    expect(seen).toEqual([]);
    client.close();
  });
});

it('holds at least 200 rows', () => {
  expect(REQUEST_LINES.length + FIELDS.length + FRAMING.length + CHUNKS.length).toBeGreaterThanOrEqual(200);
});

describe('odd but harmless requests are taken', () => {
  const TAKEN: [name: string, input: string, reaches: string][] = [
    ['method of our own', 'FROB / HTTP/1.1\r\nHost: a\r\n\r\n', 'FROB / '],
    ['lower-case method', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 'get / '],
    ['method of all token characters', "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: a\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ / "],
    ['empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'GET / '],
    ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'GET / '],
    ['Host with an empty port', 'GET / HTTP/1.1\r\nHost: a:\r\n\r\n', 'GET / '],
    ['Host with IPv6', 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', 'GET / '],
    ['Host with underscore and dot', 'GET / HTTP/1.1\r\nHost: _a.b.:1\r\n\r\n', 'GET / '],
    ['quotes in a target', 'GET /"<>|\\^`{}[] HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /"<>|\\^`{}[] '],
    ['bytes beyond ASCII in a target', 'GET /\xe9\xff HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /\xe9\xff '],
    ['bytes beyond ASCII in a value', get('X: \x80\xff'), 'GET / '],
    ['tabs around and in a value', get('X:\t a\tb \t'), 'GET / '],
    ['empty value', get('X:'), 'GET / '],
    ['value of blanks', get('X:  \t '), 'GET / '],
    ['one-letter name', get('x:1'), 'GET / '],
    ['colons in a value', get('X: a:b:c'), 'GET / '],
    ['length with leading zeros', post('Content-Length: 0003', 'abc'), 'POST / abc'],
    ['length of a GET', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc', 'GET / abc'],
    ['length with blanks around', post('Content-Length: \t3 ', 'abc'), 'POST / abc'],
    ['Chunked in capitals', post('Transfer-Encoding: CHUNKED', '3\r\nabc\r\n0\r\n\r\n'), 'POST / abc'],
    ['sizes in both cases', chunked('a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n'), 'POST / 01234567890123456789'],
    ['sizes with leading zeros', chunked('0003\r\nabc\r\n000\r\n\r\n'), 'POST / abc'],
    ['extensions', chunked('3;a;b=c;d="e; \\" f"\r\nabc\r\n0;x=y\r\n\r\n'), 'POST / abc'],
    ['trailers', chunked('3\r\nabc\r\n0\r\nX: 1\r\nY:2\r\n\r\n'), 'POST / abc'],
    ['CR LF in a chunk', chunked('6\r\n\r\n0\r\n\r\r\n0\r\n\r\n'), 'POST / \r\n0\r\n\r'],
    ['as many fields as allowed', get(Array.from({ length: 49 }, (_, i) => `X-${i}: 1`).join('\r\n')), 'GET / '],
  ];
  it.each(TAKEN)('%s', async (_name, input, reaches) => {
    const client = await connectRaw(server.port);
    client.write(input + SMUGGLED);
    expect((await client.response()).head).toMatch(/^HTTP\/1.[01] 200 /);
    expect((await client.response()).head).toMatch(/^HTTP\/1.1 200 /);
    expect(seen).toEqual([reaches, 'GET /smuggled ']);
    client.close();
  });

  it.each(TAKEN)('%s, byte by byte', async (_name, input, reaches) => {
    const client = await connectRaw(server.port);
    client.socket.setNoDelay(true);
    for (const character of input) {
      client.write(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.response()).head).toMatch(/^HTTP\/1.[01] 200 /);
    expect(seen).toEqual([reaches]);
    client.close();
  });
});
