import { describe, expect, it } from 'vitest';
import { createStreamBody, textResponse } from '../../../src/base/body.ts';
import { bytesOf, byteTextOf, encodeText } from '../../../src/base/bytes.ts';
import { HeaderList, type ProxyResponse } from '../../../src/base/message.ts';
import { grpcWeb } from '../../../src/middlewares/http/grpc-web.ts';
import { type Ask, build, makeRequest } from '../../support/middleware-harness.ts';

const options = { allowOrigins: ['http://ok.test'] };
const call = (type: string, body = '\0'): Ask => ({
  method: 'POST',
  path: '/s/M',
  body,
  headers: [
    ['Content-Type', type],
    ['Origin', 'http://ok.test'],
    ['Content-Length', '9'],
  ],
});

async function* pieces(...texts: string[]) {
  for (const text of texts) yield bytesOf(text);
}
const grpc =
  (trailers: [string, string][], ...texts: string[]) =>
  async (): Promise<ProxyResponse> => ({
    status: 200,
    headers: HeaderList.from([
      ['Content-Type', 'application/grpc+proto'],
      ['Trailer', 'Grpc-Status'],
      ['X-A', '1'],
    ]),
    body: createStreamBody(pieces(...texts), { trailers: () => HeaderList.from(trailers) }),
  });
const frame = (text: string): string => `\x80\0\0\0${String.fromCharCode(text.length)}${text}`;

describe('preflight', () => {
  const preflight = (origin: string, method = 'post', names = 'x-grpc-web,content-type'): Ask => ({
    method: 'OPTIONS',
    headers: [
      ['Origin', origin],
      ['Access-Control-Request-Method', method],
      ['Access-Control-Request-Headers', names],
    ],
  });
  const vary = ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'].map((name) => ['Vary', name]);
  const granted = [
    ['Access-Control-Allow-Origin', 'http://ok.test'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Allow-Methods', 'POST'],
    ['Access-Control-Allow-Headers', 'X-Grpc-Web, Content-Type'],
    ['Access-Control-Max-Age', '600'],
  ];
  it.each([
    ['of an allowed origin', options, preflight('http://ok.test'), granted],
    ['of another origin', options, preflight('http://no.test'), []],
    ['of any origin', { allowOrigins: ['*'] }, preflight('http://ok.test'), granted],
    ['for another method', options, preflight('http://ok.test', 'DELETE'), []],
  ])('%s', async (_, settings, request, expected) => {
    const { ask, seen } = build(grpcWeb, settings);
    expect(await ask(request)).toMatchObject({ status: 200, body: '', headers: [['Content-Length', '0'], ...vary, ...expected] });
    expect(seen).toEqual([]);
  });

  it('of something else goes on', async () => {
    const { ask, seen } = build(grpcWeb, options);
    await ask(preflight('http://ok.test', 'POST', 'content-type'));
    expect(seen).toHaveLength(1);
  });
});

it.each([
  ['application/grpc-web', 'application/grpc'],
  ['application/grpc-web+proto', 'application/grpc+proto'],
  ['application/grpc-web-text', 'application/grpc'],
  ['application/grpc-web-text+proto', 'application/grpc+proto'],
])('sends %s on as %s, without a length', async (type, expected) => {
  let length: number | undefined = 0;
  const { ask, seen } = build(grpcWeb, options, {
    server: async (request) => {
      length = request.body!.length;
      return textResponse(200, '');
    },
  });
  await ask(call(type));
  expect(seen[0]!.headers).toEqual([
    ['Content-Type', expected],
    ['Origin', 'http://ok.test'],
  ]);
  expect(length).toBeUndefined();
});

it.each([
  [['AAEC', 'AwQ='], '\x00\x01\x02\x03\x04'],
  [['A', 'AE', 'CAw', 'Q='], '\x00\x01\x02\x03\x04'],
  [['AA==AQ', '==AgME'], '\x00\x01\x02\x03\x04'],
  [['AAEC\r\nAwQ='], '\x00\x01\x02\x03\x04'],
  [[], ''],
])('unpacks the text %j', async (texts, expected) => {
  let got = '';
  const { run } = build(grpcWeb, options, {
    server: async (request) => {
      got = byteTextOf(await request.body!.bytes(99));
      return textResponse(200, '');
    },
  });
  await run({ ...makeRequest(call('application/grpc-web-text')), body: createStreamBody(pieces(...texts)) });
  expect(got).toBe(expected);
});

it.each([[['AAE']], [['A===']], [['!!!!']]])('refuses the text %j', async (texts) => {
  const { run } = build(grpcWeb, options, { server: async (request) => textResponse(200, byteTextOf(await request.body!.bytes(99))) });
  const request = { ...makeRequest(call('application/grpc-web-text')), body: createStreamBody(pieces(...texts)) };
  await expect(run(request)).rejects.toMatchObject({ code: 'client.malformed', status: 400 });
});

it('lets the trailers follow as a last frame', async () => {
  const trailers: [string, string][] = [
    ['Grpc-Status', '0'],
    ['Grpc-Message', 'ok'],
    ['X-A', 'hidden'],
  ];
  const response = await build(grpcWeb, options, { server: grpc(trailers, 'ab', 'c') }).run(
    makeRequest(call('application/grpc-web+proto')),
  );
  expect([...response.headers]).toEqual([
    ['Content-Type', 'application/grpc-web+proto'],
    ['X-A', '1'],
    ['Vary', 'Origin'],
    ['Access-Control-Allow-Origin', 'http://ok.test'],
    ['Access-Control-Allow-Credentials', 'true'],
    [
      'Access-Control-Expose-Headers',
      'Content-Type, X-A, Vary, Access-Control-Allow-Origin, Access-Control-Allow-Credentials, grpc-status, grpc-message',
    ],
  ]);
  expect(byteTextOf(await response.body!.bytes(999))).toBe(`abc${frame('grpc-message: ok\r\ngrpc-status: 0\r\n')}`);
  expect(response.body!.trailers()).toBeUndefined();
});

it('packs all of it as text, piece by piece', async () => {
  const response = await build(grpcWeb, options, { server: grpc([['grpc-status', '5']], 'ab', 'c') }).run(
    makeRequest(call('application/grpc-web-text')),
  );
  expect(response.headers.get('Content-Type')).toBe('application/grpc-web-text+proto');
  expect(byteTextOf(await response.body!.bytes(999))).toBe(btoa('ab') + btoa('c') + btoa(frame('grpc-status: 5\r\n')));
});

it('gives an answer of trailers only an empty frame', async () => {
  const server = async (): Promise<ProxyResponse> => ({ status: 200, headers: HeaderList.from([['Grpc-Status', '12']]), body: undefined });
  const answer = await build(grpcWeb, options, { server }).ask(call('application/grpc-web'));
  expect(encodeText(answer.body).length).toBeGreaterThan(4);
  expect(answer.header('Grpc-Status')).toBe('12');
});

it('leaves an answer alone that is none of gRPC', async () => {
  const { ask } = build(grpcWeb, options);
  expect(await ask(call('application/grpc-web'))).toMatchObject({ body: 'from a' });
});

it.each<[Ask]>([
  [{ method: 'GET' }],
  [{ method: 'GET', headers: [['Content-Type', 'application/grpc-web']] }],
  [{ method: 'POST', headers: [['Content-Type', 'application/json']] }],
])('%j is none of its business', async (request) => {
  const answer = await build(grpcWeb, options).ask(request);
  expect([answer.body, answer.header('Vary')]).toEqual(['from a', undefined]);
});

it('grants other origins nothing', async () => {
  const answer = await build(grpcWeb, { allowOrigins: ['http://other.test'] }, { server: grpc([]) }).ask(call('application/grpc-web'));
  expect(answer.header('Access-Control-Allow-Origin')).toBeUndefined();
});
