import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createStreamBody, textResponse } from '../../../src/base/body.ts';
import { concatBytes, encodeText } from '../../../src/base/bytes.ts';
import { HeaderList, type ProxyResponse } from '../../../src/base/message.ts';
import { compress } from '../../../src/middlewares/http/compress.ts';
import { createMiddlewarePlatform } from '../../../src/origin-agent/middleware-platform.ts';
import { type Ask, build, makeRequest, refusal } from '../../support/middleware-harness.ts';

const platform = createMiddlewarePlatform();
const BIG = 'compressible text '.repeat(100);
const accept = (value: string): Ask => ({ headers: [['Accept-Encoding', value]] });
const plain =
  (text = BIG, headers = ['Content-Type', 'text/plain'], status = 200) =>
  async (): Promise<ProxyResponse> =>
    textResponse(status, text, { headers });

async function* pieces(...texts: string[]) {
  for (const text of texts) yield encodeText(text);
}
const stream =
  (...texts: string[]) =>
  async (): Promise<ProxyResponse> => ({
    status: 200,
    headers: HeaderList.from([['Content-Type', 'text/plain']]),
    body: createStreamBody(pieces(...texts)),
  });

/** Coding, Vary and the unpacked text. */
async function ask(options: object, request: Ask, server: () => Promise<ProxyResponse> = plain()) {
  const response = await build(compress, options, { server, platform }).run(makeRequest(request));
  const coding = response.headers.get('Content-Encoding');
  const bytes = response.body === undefined ? new Uint8Array() : await response.body.bytes(1e9);
  const unpack = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync }[coding ?? ''];
  return {
    coding,
    vary: response.headers.getAll('Vary').join(),
    text: String(unpack === undefined ? Buffer.from(bytes) : unpack(bytes)),
    headers: response.headers,
  };
}

it.each([
  [{}, 'gzip', 'gzip', 'Accept-Encoding'],
  [{}, 'br', 'br', 'Accept-Encoding'],
  [{}, 'zstd', 'zstd', 'Accept-Encoding'],
  [{}, 'br, gzip, zstd', 'gzip', 'Accept-Encoding'],
  [{}, 'br;q=1.0, gzip;q=0.5', 'br', 'Accept-Encoding'],
  [{}, 'gzip;q=0', undefined, ''],
  [{}, 'identity', undefined, ''],
  [{}, 'deflate', undefined, ''],
  [{}, '', undefined, ''],
  // Traefik's gzip wants to be named.
  [{}, '*', undefined, 'Accept-Encoding'],
  [{}, 'gzip;q=0.1, *;q=0.5', 'gzip', 'Accept-Encoding'],
  [{ encodings: ['br', 'gzip'] }, '*', 'br', 'Accept-Encoding'],
  [{ encodings: ['br', 'gzip'], defaultEncoding: 'gzip' }, '*', undefined, 'Accept-Encoding'],
  [{ encodings: ['br', 'gzip'] }, 'gzip, br', 'br', 'Accept-Encoding'],
  [{ encodings: ['br', 'gzip'] }, 'zstd', undefined, ''],
])('%j for %s packs with %s', async (options, value, coding, vary) => {
  expect(await ask(options, accept(value))).toMatchObject({ coding, vary, text: BIG });
});

it.each([
  [{}, undefined, ''],
  [{ defaultEncoding: 'br' }, 'br', 'Accept-Encoding'],
  [{ defaultEncoding: 'gzip' }, undefined, 'Accept-Encoding'],
])('%j without Accept-Encoding packs with %s', async (options, coding, vary) => {
  expect(await ask(options, {})).toMatchObject({ coding, vary, text: BIG });
});

it.each([
  [1023, undefined],
  [1024, 'gzip'],
])('packs by default from 1024 bytes on: %i', async (length, coding) => {
  expect((await ask({}, accept('gzip'), plain('z'.repeat(length)))).coding).toBe(coding);
});

it.each([
  [{ minResponseBodyBytes: 3 }, 'abc', 'gzip'],
  [{ minResponseBodyBytes: 3 }, 'ab', undefined],
  [{ minResponseBodyBytes: 0 }, 'abc', undefined],
])('%j for "%s": %s', async (options, text, coding) => {
  expect(await ask(options, accept('gzip'), plain(text))).toMatchObject({ coding, text, vary: 'Accept-Encoding' });
});

describe('leaves alone', () => {
  it.each<[string, object, Ask, (() => Promise<ProxyResponse>) | undefined, string]>([
    ['HEAD', {}, { ...accept('gzip'), method: 'HEAD' }, undefined, ''],
    ['an excluded type', { excludedContentTypes: ['text/plain'] }, accept('gzip'), undefined, 'Accept-Encoding'],
    [
      'an excluded type with parameters',
      { excludedContentTypes: ['Text/Plain; a=b'] },
      accept('br'),
      plain(BIG, ['Content-Type', 'text/PLAIN;charset=x']),
      'Accept-Encoding',
    ],
    ['what is not included', { includedContentTypes: ['application/json'] }, accept('gzip'), undefined, 'Accept-Encoding'],
    ['gRPC', {}, accept('gzip'), plain(BIG, ['Content-Type', 'application/grpc']), 'Accept-Encoding'],
    ['a broken type', {}, accept('gzip'), plain(BIG, ['Content-Type', '???;']), 'Accept-Encoding'],
    ['coded answers', {}, accept('gzip'), plain(BIG, ['Content-Type', 'text/plain', 'Content-Encoding', 'identity']), 'Accept-Encoding'],
    ['ranges', {}, accept('br'), plain(BIG, ['Content-Type', 'text/plain', 'Content-Range', 'bytes 0-9/10'], 206), 'Accept-Encoding'],
    [
      'a request of an excluded type',
      { excludedContentTypes: ['a/skip'] },
      {
        headers: [
          ['Accept-Encoding', 'gzip'],
          ['Content-Type', 'a/skip; x=y'],
        ],
      },
      undefined,
      '',
    ],
    ['an unwanted type that it must guess', { excludedContentTypes: ['text/plain'] }, accept('gzip'), plain(BIG, []), 'Accept-Encoding'],
  ])('%s', async (_, options, request, server, vary) => {
    const answer = await ask(options, request, server);
    expect([answer.coding === 'identity' ? undefined : answer.coding, answer.vary, answer.text]).toEqual([undefined, vary, BIG]);
    expect(answer.headers.get('Content-Length')).toBe(String(BIG.length));
  });

  it('what has no body', async () => {
    expect(await ask({}, accept('gzip'), async () => ({ status: 204, headers: new HeaderList(), body: undefined }))).toMatchObject({
      coding: undefined,
      vary: 'Accept-Encoding',
    });
  });

  it('an empty stream', async () => {
    expect(await ask({}, accept('gzip'), stream())).toMatchObject({ coding: undefined, text: '' });
  });
});

it.each([
  ['included types', { includedContentTypes: ['application/json'] }, ['Content-Type', 'application/json; charset=x']],
  ['errors', {}, ['Content-Type', 'text/plain']],
  ['no-transform', {}, ['Content-Type', 'text/plain', 'Cache-Control', 'no-transform']],
  ['no type', {}, []],
  ['no type, guessed', { includedContentTypes: ['text/plain'] }, []],
])('packs %s', async (_, options, headers) => {
  expect(await ask(options, accept('gzip'), plain(BIG, headers, 500))).toMatchObject({ coding: 'gzip', text: BIG });
});

it('keeps the entity tag, drops length and ranges, and puts Vary first', async () => {
  const { headers } = await ask(
    {},
    accept('gzip'),
    plain(BIG, ['Content-Type', 'text/plain', 'ETag', '"x"', 'Accept-Ranges', 'bytes', 'Vary', 'Cookie']),
  );
  expect([...headers]).toEqual([
    ['Vary', 'Accept-Encoding'],
    ['Content-Type', 'text/plain'],
    ['ETag', '"x"'],
    ['Vary', 'Cookie'],
    ['Content-Encoding', 'gzip'],
  ]);
});

it.each(['gzip', 'br', 'zstd'])('lets every piece of a stream leave at once (%s)', async (coding) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  async function* slow() {
    yield encodeText('data: one\n\n');
    await released;
    yield encodeText('data: two\n\n');
  }
  const server = async (): Promise<ProxyResponse> => ({
    status: 200,
    headers: HeaderList.from([['Content-Type', 'text/event-stream']]),
    body: createStreamBody(slow()),
  });
  const response = await build(compress, {}, { server, platform }).run(makeRequest(accept(coding)));
  const unpacker = platform.decompressor!(coding as 'gzip')!;
  const chunks = response.body!.chunks()[Symbol.asyncIterator]();
  let text = '';
  while (text !== 'data: one\n\n') text += Buffer.from(await unpacker.write((await chunks.next()).value!));
  release();
  const rest: Uint8Array[] = [];
  for (let step = await chunks.next(); !step.done; step = await chunks.next()) rest.push(await unpacker.write(step.value));
  expect(String(Buffer.from(concatBytes(rest)))).toBe('data: two\n\n');
  unpacker.close();
});

it('frees the server when nobody wants the answer', async () => {
  let discarded = 0;
  const server = async (): Promise<ProxyResponse> => {
    const response = await plain()();
    response.body!.discard = () => void discarded++;
    return response;
  };
  const response = await build(compress, {}, { server, platform }).run(makeRequest(accept('gzip')));
  response.body!.discard();
  expect(discarded).toBe(1);
});

it('does not offer what the platform lacks', async () => {
  const bare = {
    ...platform,
    compressor: (coding: 'gzip' | 'br' | 'zstd') => (coding === 'zstd' ? undefined : platform.compressor!(coding)),
  };
  const response = await build(compress, {}, { server: plain(), platform: bare }).run(makeRequest(accept('zstd, br;q=0.5')));
  expect(response.headers.get('Content-Encoding')).toBe('br');
});

it.each([
  [{ encodings: ['lz4'] }, "'lz4' in 'encodings' is no known coding; known are gzip, br, zstd"],
  [{ encodings: ['br'], defaultEncoding: 'gzip' }, "'defaultEncoding' is 'gzip', which is not among 'encodings' (br)"],
  [
    { includedContentTypes: ['a/b'], excludedContentTypes: ['c/d'] },
    "'excludedContentTypes' and 'includedContentTypes' exclude each other; write only one of them",
  ],
  [{ encodings: [''] }, "'' in 'encodings' is no known coding; known are gzip, br, zstd"],
  [{ includedContentTypes: [';x'] }, "';x' in 'includedContentTypes' is no media type; write text/html"],
  [{ excludedContentTypes: ['text/'] }, "'text/' in 'excludedContentTypes' is no media type; write text/html"],
])('refuses %j: %s', (options, message) => {
  expect(refusal(compress, options, { platform })).toBe(message);
});
