import { describe, expect, it } from 'vitest';
import { createBody, createStreamBody, textResponse } from '../../../src/base/body.ts';
import { encodeText } from '../../../src/base/bytes.ts';
import { type Handler, HeaderList, type ProxyRequest, type ProxyResponse } from '../../../src/base/message.ts';
import { cancelStream } from '../../../src/origin-agent/http2/reset.ts';
import { answerOf, ask, talkHttp2 } from '../../support/http2-server.ts';
import { until } from '../../support/until.ts';

const echo: Handler = async (request) => ({ status: 200, headers: new HeaderList(['X-Method', request.method]), body: request.body });

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield encodeText(text);
}

describe('requests', () => {
  it('gives the record as the client sent it', async () => {
    let seen: ProxyRequest | undefined;
    const { session } = await talkHttp2(async (request) => {
      seen = request;
      return textResponse(200, 'ok');
    });
    const fields = {
      ':path': '/a%2fb/../c?x=1?&y',
      ':authority': 'A.test:81',
      'x-b': ['1', '2'],
      cookie: ['a=1', 'b=2'],
      'x-latin': '\xe9',
    };
    expect(await ask(session, fields)).toMatchObject({ status: 200, text: 'ok', rstCode: 0 });
    expect(seen).toMatchObject({
      method: 'GET',
      path: '/a%2fb/../c',
      query: 'x=1?&y',
      host: 'A.test:81',
      protocol: 'HTTP/2.0',
      scheme: 'http',
      body: undefined,
      clientAddress: '127.0.0.1',
      entryPoint: 'web',
      upgrade: undefined,
    });
    expect(seen!.headers.raw).toEqual(['x-b', '1', 'x-b', '2', 'x-latin', '\xe9', 'cookie', 'a=1; b=2']);
  });

  it.each([
    ['another Host than :authority', { host: 'b.test' }, 400],
    ['the same Host', { host: 'A.test' }, 200],
    ['an escape in the authority', { ':authority': 'a%zz.test]' }, 400],
    ['a number sign in the path', { ':path': '/a#b' }, 200],
    ['a long path', { ':path': `/${'a'.repeat(70_000)}` }, 414],
    ['the path *', { ':path': '*', ':method': 'OPTIONS' }, 200],
    [
      'CONNECT to something else than WebSocket',
      { ':method': 'CONNECT', ':protocol': 'connect-udp', ':scheme': 'http', ':path': '/' },
      501,
    ],
  ])('answers %s', async (_name, fields, status) => {
    const { session } = await talkHttp2(async () => textResponse(200, 'ok'));
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect((await ask(session, fields)).status).toBe(status);
  });

  it.each([
    ['a blank in the path', { ':path': '/a b' }],
    ['a path without a slash', { ':path': 'a' }],
    ['a user in the authority', { ':authority': 'u@a.test' }],
  ])('resets the stream of %s', async (_name, fields) => {
    const { session } = await talkHttp2(async () => textResponse(200, 'ok'));
    expect(await ask(session, fields)).toMatchObject({ status: Number.NaN, rstCode: 1 });
  });

  it('lets a body go where the handler wants none, and closes its stream', async () => {
    const { session, server } = await talkHttp2(async () => textResponse(200, 'early'));
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test' }, { endStream: false });
    stream.write('never ended');
    expect(await answerOf(stream)).toMatchObject({ status: 200, text: 'early', rstCode: 0 });
    await until(() => server.outcomes.length === 1);
    expect(server.outcomes[0]!.outcome).toEqual({ status: 200, sentBytes: 5, complete: true });
  });

  it('asks for a body that waits to be asked for', async () => {
    const { session } = await talkHttp2(async (request) => ({
      status: 200,
      headers: new HeaderList(),
      body: createBody(await request.body!.bytes(9)),
    }));
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test', expect: '100-continue' }, { endStream: false });
    stream.once('continue', () => stream.end('body'));
    expect(await answerOf(stream)).toMatchObject({ status: 200, text: 'body', interim: [100] });
  });
});

describe('answers', () => {
  const answer = (status: number, body: ProxyResponse['body'], ...fields: string[]): Handler => {
    return async () => ({ status, headers: new HeaderList(fields), body });
  };
  it.each<[string, string, Handler, object]>([
    ['a text', 'GET', async () => textResponse(200, 'ok'), { status: 200, text: 'ok', headers: { 'content-length': '2' } }],
    ['HEAD', 'HEAD', answer(200, undefined, 'Content-Length', '7'), { text: '', headers: { 'content-length': '7' } }],
    ['HEAD with a body of its own', 'HEAD', async () => textResponse(200, 'ok'), { text: '', headers: { 'content-length': '2' } }],
    ['204', 'GET', answer(204, undefined), { status: 204, text: '', rstCode: 0 }],
    ['304', 'GET', answer(304, undefined, 'ETag', '"a"'), { status: 304, headers: { etag: '"a"' } }],
    ['205', 'GET', answer(205, createBody('no')), { status: 205, text: '', rstCode: 0 }],
    ['no body', 'GET', answer(200, undefined, 'Content-Length', '0'), { status: 200, text: '', headers: { 'content-length': '0' } }],
    [
      'repeated fields',
      'GET',
      answer(200, createBody('a'), 'Set-Cookie', 'a', 'Set-Cookie', 'b'),
      { headers: { 'set-cookie': ['a', 'b'] } },
    ],
    [
      'trailers',
      'GET',
      answer(200, createStreamBody(pieces('a', 'b'), { trailers: () => new HeaderList(['X-Sum', '2']) })),
      { text: 'ab', trailers: { 'x-sum': '2' } },
    ],
    [
      'trailers behind a length, when they are announced',
      'GET',
      answer(200, createBody('ab', new HeaderList(['X-Sum', '2'])), 'Trailer', 'X-Sum'),
      { text: 'ab', headers: { 'content-length': '2' }, trailers: { 'x-sum': '2' } },
    ],
    ['odd fields', 'GET', answer(200, undefined, 'X-A', ' b\r\nc ', 'Bad Name', '1', 'X-W', 'ü€'), { headers: { 'x-a': 'b  c' } }],
  ])('%s', async (_name, method, handler, expected) => {
    const { session } = await talkHttp2(handler);
    const answered = await ask(session, { ':method': method });
    expect(answered).toMatchObject(expected);
    expect(answered.headers.date).toBeDefined();
  });

  it('may have long fields', async () => {
    const { session } = await talkHttp2(answer(200, undefined, 'X-Long', 'a'.repeat(100_000)));
    expect((await ask(session, {})).headers['x-long']).toBe('a'.repeat(100_000));
  });

  it('leaves out what belongs to a connection', async () => {
    const fields = ['Connection', 'close', 'Keep-Alive', 'x', 'Transfer-Encoding', 'chunked', 'Upgrade', 'a', 'X-Kept', '1'];
    const { session } = await talkHttp2(answer(200, undefined, ...fields));
    const { headers } = await ask(session, {});
    expect(Object.keys(headers)).toEqual([':status', 'x-kept', 'date']);
  });

  it('sends interim answers first', async () => {
    const { session } = await talkHttp2(async (request) => {
      request.interim!(103, new HeaderList(['Link', '</a>']));
      return textResponse(200, 'ok');
    });
    expect(await ask(session, {})).toMatchObject({ status: 200, interim: [103] });
  });

  it('answers 500 when the handler fails, and resets what is cut short', async () => {
    const { session, server } = await talkHttp2(async (request) => {
      if (request.path === '/throw') throw new Error('bug');
      const body = createStreamBody(
        (async function* () {
          yield encodeText('part');
          throw new Error('cut');
        })(),
      );
      return { status: 200, headers: new HeaderList(), body };
    });
    expect(await ask(session, { ':path': '/throw' })).toMatchObject({ status: 500, text: 'Internal Server Error' });
    expect(await ask(session, { ':path': '/cut' })).toMatchObject({ status: 200, rstCode: 2 });
    expect(server.outcomes.map(({ outcome }) => outcome.complete)).toEqual([true, false]);
  });
});

describe('streams', () => {
  it('passes bodies and trailers both ways while they come', async () => {
    const { session } = await talkHttp2(echo);
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test' }, { endStream: false, waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '9', host: 'evil' }));
    const answered = answerOf(stream);
    for (const text of ['one', 'two', 'three']) {
      stream.write(text);
      await new Promise((resolve) => stream.once('data', resolve));
    }
    stream.end();
    expect(await answered).toMatchObject({ status: 200, text: 'onetwothree', trailers: { 'x-sum': '9' } });
  });

  it('passes 10 MB there and back', async () => {
    const { session } = await talkHttp2(echo);
    const body = Buffer.alloc(10_000_000, 'abcdefghij');
    const { text, rstCode } = await ask(session, { ':method': 'POST' }, body);
    expect([text.length, rstCode, Buffer.from(text, 'latin1').equals(body)]).toEqual([body.length, 0, true]);
  });

  it('serves 100 at once', async () => {
    const { session } = await talkHttp2(echo);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(session, { ':method': 'PUT' }, `body ${i}`)));
    expect(answers.map(({ text }) => text)).toEqual(answers.map((_, i) => `body ${i}`));
  });

  it('makes no more of an answer than its client reads', async () => {
    let made = 0;
    const { session } = await talkHttp2(async () => {
      const body = createStreamBody(
        (async function* () {
          for (; made < 1000; made++) yield new Uint8Array(16_384);
        })(),
      );
      return { status: 200, headers: new HeaderList(), body };
    });
    const stream = session.request({ ':authority': 'a.test' });
    stream.pause();
    await new Promise((resolve) => stream.once('response', resolve));
    await ask(session, { ':method': 'HEAD' });
    const before = made;
    await ask(session, { ':method': 'HEAD' });
    // The client's window (64 KiB) and one piece behind it.
    expect([made - before, made]).toEqual([0, expect.toSatisfy((pieces: number) => pieces > 0 && pieces < 12)]);
    stream.close();
  });

  it('takes no more of a body than its reader wants', async () => {
    let body: ProxyRequest['body'];
    const { session } = await talkHttp2(async (request) => {
      if (request.path !== '/up') return textResponse(200, 'ok');
      body = request.body;
      return new Promise(() => {});
    });
    const stream = session.request({ ':path': '/up', ':method': 'POST', ':authority': 'a.test' }, { endStream: false });
    stream.on('error', () => {});
    let left = 0;
    for (let i = 0; i < 100; i++) stream.write(Buffer.alloc(16_384), () => left++);
    await until(() => body !== undefined);
    await ask(session, { ':path': '/other' });
    expect(left).toBeLessThan(20);
    stream.close();
  });

  it('tells the handler when the client gives up', async () => {
    let seen: ProxyRequest | undefined;
    const { session, server } = await talkHttp2((request) => {
      seen = request;
      return new Promise(() => {});
    });
    const stream = session.request({ ':authority': 'a.test' });
    await until(() => seen !== undefined);
    stream.close(8);
    await until(() => seen!.cancellation.cancelled && server.outcomes.length === 1);
    expect(server.outcomes[0]!.outcome).toEqual({ status: 0, sentBytes: 0, complete: false });
  });

  it('fails a body whose client goes away', async () => {
    let failure: Promise<unknown> | undefined;
    const { session } = await talkHttp2((request) => {
      failure = request.body!.bytes(100).catch((error: unknown) => error);
      return new Promise(() => {});
    });
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test' }, { endStream: false });
    stream.on('error', () => {});
    stream.write('part');
    await until(() => failure !== undefined);
    cancelStream(stream);
    expect(await failure).toMatchObject({ code: 'upstream.aborted' });
  });
});
