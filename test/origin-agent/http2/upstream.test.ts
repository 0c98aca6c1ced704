import { once } from 'node:events';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createBody, createStreamBody } from '../../../src/base/body.ts';
import { encodeText } from '../../../src/base/bytes.ts';
import { createRequest, HeaderList, type ProxyRequest } from '../../../src/base/message.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { createUpstream, type Upstream } from '../../../src/origin-agent/http1/upstream.ts';
import type { ServerTarget } from '../../../src/proxy/platform.ts';
import { createTestPlatform } from '../../support/platform.ts';
import { serverTarget } from '../../support/server-target.ts';
import { until } from '../../support/until.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

type Serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, session: ServerHttp2Session) => void;

interface Backend {
  readonly target: ServerTarget;
  readonly sessions: ServerHttp2Session[];
  readonly upstream: Upstream;
}

/** An h2c server of Node's, and the agent's way to it. */
async function backend(serve: Serve, { transport = {}, clock = systemClock, maxConcurrentStreams = 100 } = {}): Promise<Backend> {
  const sessions: ServerHttp2Session[] = [];
  const server: Http2Server = createServer({ settings: { maxConcurrentStreams } });
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    serve(stream, headers, stream.session as ServerHttp2Session);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = createUpstream({ clock });
  closers.push(upstream.close, () => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { target: serverTarget((server.address() as net.AddressInfo).port, transport, 'h2c'), sessions, upstream };
}

const textOf = async (body: ProxyRequest['body']): Promise<string> =>
  body === undefined ? '' : new TextDecoder('latin1').decode(await body.bytes(2e7));

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield encodeText(text);
}

const echo: Serve = (stream) => {
  stream.respond({ ':status': 200 });
  stream.pipe(stream);
};

const answer = (stream: ServerHttp2Stream, headers: OutgoingHttpHeaders, text: string): void => {
  stream.respond(headers);
  stream.end(text);
};

/** Reads all of a request, then answers with what came. */
const report: Serve = (stream, headers) => {
  let text = '';
  let trailers: object | undefined;
  stream.on('trailers', (fields) => (trailers = { ...fields }));
  stream.setEncoding('latin1');
  stream.on('data', (piece) => (text += piece));
  stream.on('end', () => {
    stream.respond({ ':status': 200 });
    stream.end(JSON.stringify({ headers: { ...headers }, text, trailers }));
  });
};

const ask = async ({ upstream, target }: Backend, init: Partial<ProxyRequest> = {}) =>
  JSON.parse(await textOf((await upstream.send(target, createRequest({ host: 'a.test', ...init }))).body));

describe('requests', () => {
  it('goes out as the record says, without what belongs to a connection', async () => {
    const headers = new HeaderList(['X-B', '1', 'x-b', '2', 'Connection', 'x', 'Te', 'trailers', 'Keep-Alive', '1', 'Content-Length', '7']);
    const seen = await ask(await backend(report), { path: '/a%2Fb', query: 'q', host: 'A.test', headers });
    const pseudo = { ':method': 'GET', ':authority': 'A.test', ':scheme': 'http', ':path': '/a%2Fb?q' };
    expect(seen).toEqual({ headers: { ...pseudo, 'x-b': '1, 2', te: 'trailers' }, text: '' });
  });

  it.each<[string, string, () => ProxyRequest['body'], object]>([
    ['no body of a POST', 'POST', () => undefined, { text: '', headers: { 'content-length': '0' } }],
    ['a known length', 'POST', () => createBody('hello'), { text: 'hello', headers: { 'content-length': '5' } }],
    ['an unknown length', 'PUT', () => createStreamBody(pieces('ab', 'cde')), { text: 'abcde' }],
    [
      'trailers',
      'PUT',
      () => createStreamBody(pieces('ab'), { trailers: () => new HeaderList(['X-S', '1']) }),
      { text: 'ab', trailers: { 'x-s': '1' } },
    ],
  ])('sends %s', async (_name, method, body, expected) => {
    expect(await ask(await backend(report), { method, body: body() })).toMatchObject(expected);
  });

  it('shares one connection among all, from the first on', async () => {
    const server = await backend(echo);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        server.upstream.send(server.target, createRequest({ method: 'PUT', body: createBody(`${i}`) })),
      ),
    );
    expect(await Promise.all(answers.map(({ body }) => textOf(body)))).toEqual(answers.map((_, i) => `${i}`));
    expect(server.sessions.length).toBe(1);
  });

  it('makes another connection when the server takes no more streams', async () => {
    const waiting: ServerHttp2Stream[] = [];
    const server = await backend((stream) => void waiting.push(stream), { maxConcurrentStreams: 5 });
    const first = server.upstream.send(server.target, createRequest());
    await until(() => waiting.length === 1);
    const others = Array.from({ length: 11 }, () => server.upstream.send(server.target, createRequest()));
    await until(() => server.sessions.length > 1 && waiting.length >= 10);
    for (let i = 0; i < 12; i++) {
      await until(() => waiting.length > i);
      waiting[i]!.respond({ ':status': 204 }, { endStream: true });
    }
    expect((await Promise.all([first, ...others])).map(({ status }) => status)).toEqual(Array(12).fill(204));
  });

  it('passes 10 MB there and back', async () => {
    const { upstream, target } = await backend(echo);
    const bytes = new Uint8Array(10_000_000).fill(65);
    const { body } = await upstream.send(target, createRequest({ method: 'POST', body: createBody(bytes) }));
    expect(Buffer.from(await body!.bytes(2e7)).equals(bytes)).toBe(true);
  });
});

describe('answers', () => {
  it.each<[string, string, Serve, object]>([
    [
      'with fields',
      'GET',
      (s) => answer(s, { ':status': 201, 'x-a': '1', 'set-cookie': ['a', 'b'] }, 'ok'),
      { status: 201, text: 'ok', raw: ['x-a', '1', 'set-cookie', 'a', 'set-cookie', 'b'] },
    ],
    ['with a length', 'GET', (s) => answer(s, { 'content-length': 2 }, 'ok'), { text: 'ok', length: 2 }],
    ['to HEAD', 'HEAD', (s) => s.respond({ 'content-length': 9 }), { text: '', length: undefined, raw: ['content-length', '9'] }],
    ['204', 'GET', (s) => s.respond({ ':status': 204 }), { status: 204, text: '' }],
    ['304', 'GET', (s) => s.respond({ ':status': 304, etag: '"a"' }), { status: 304, text: '' }],
    [
      'trailers alone',
      'POST',
      (s) => s.respond({ 'grpc-status': '5' }, { endStream: true }),
      { text: '', trailers: undefined, raw: ['grpc-status', '5'] },
    ],
    [
      'with trailers',
      'GET',
      (s) => {
        s.respond({}, { waitForTrailers: true });
        s.on('wantTrailers', () => s.sendTrailers({ 'grpc-status': '0' }));
        s.end('x');
      },
      { text: 'x', trailers: ['grpc-status', '0'] },
    ],
  ])('%s', async (_name, method, serve, expected) => {
    const { upstream, target } = await backend(serve);
    const { status, headers, body } = await upstream.send(target, createRequest({ method }));
    headers.delete('date');
    const text = await textOf(body);
    expect({ status, raw: headers.raw, text, length: body?.length, trailers: body?.trailers()?.raw }).toMatchObject(expected);
  });

  it('hands on interim answers', async () => {
    const { upstream, target } = await backend((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': 200 }, { endStream: true });
    });
    const seen: unknown[] = [];
    await upstream.send(target, createRequest({ interim: (status, { raw }) => void seen.push([status, raw]) }));
    expect(seen).toEqual([[103, ['link', '</a>']]]);
  });

  it('gives up the rest of a request that is answered early', async () => {
    let closed = false;
    const { upstream, target } = await backend((stream) => {
      stream.on('close', () => (closed = true));
      stream.respond({ ':status': 413 }, { endStream: true });
    });
    let returned = false;
    const endless = (async function* () {
      try {
        for (;;) {
          yield new Uint8Array(1000);
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        returned = true;
      }
    })();
    expect((await upstream.send(target, createRequest({ method: 'POST', body: createStreamBody(endless) }))).status).toBe(413);
    await until(() => closed && returned);
  });
});

describe('failures', () => {
  it.each<[string, Serve, string]>([
    ['resets the stream', (stream) => stream.close(2), 'upstream.malformed'],
    ['ends the connection', (_stream, _headers, session) => session.destroy(), 'upstream.closed'],
    ['cuts the connection', (_stream, _headers, session) => session.socket.destroy(), 'upstream.closed'],
    ['refuses every stream', (stream) => stream.close(7), 'upstream.refused'],
  ])('a server that %s', async (_name, serve, code) => {
    const { upstream, target } = await backend(serve);
    await expect(upstream.send(target, createRequest())).rejects.toMatchObject({ name: 'UpstreamError', code, sent: true });
  });

  it('says that a refused connection sent nothing, to all who waited for it', async () => {
    const { upstream } = await backend(echo);
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const target = serverTarget((server.address() as net.AddressInfo).port, {}, 'h2c');
    await new Promise((resolve) => server.close(resolve));
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => upstream.send(target, createRequest())));
    expect(results.map((result) => result.status === 'rejected' && [result.reason.code, result.reason.sent])).toEqual(
      Array(5).fill(['upstream.refused', false]),
    );
  });

  it.each<[string, Partial<ProxyRequest>]>([
    ['a method that is none', { method: 'BAD METHOD' }],
    ['a host that is none', { host: 'a b' }],
  ])('refuses %s, and goes on', async (_name, init) => {
    const server = await backend(report);
    await expect(server.upstream.send(server.target, createRequest(init))).rejects.toMatchObject({ name: 'UpstreamError' });
    expect(await ask(server)).toMatchObject({ text: '' });
  });

  it('sends again what the server refused before it looked at it, body and all', async () => {
    let tries = 0;
    const server = await backend((stream, headers, session) => {
      if (++tries < 3) stream.close(7);
      else report(stream, headers, session);
    });
    const body = createStreamBody(pieces('one', 'two'), { trailers: () => new HeaderList(['x-t', '1']) });
    expect(await ask(server, { method: 'POST', body })).toMatchObject({ text: 'onetwo', trailers: { 'x-t': '1' } });
    expect(tries).toBe(3);
  });

  it('sends again elsewhere what a server that is going away has not looked at', async () => {
    let first = true;
    const server = await backend((stream, headers, session) => {
      if (stream.id === 1 || !first) return report(stream, headers, session);
      first = false;
      session.goaway(0, 1);
    });
    await ask(server);
    expect((await ask(server, { method: 'POST', body: createBody('kept') })).text).toBe('kept');
    expect(server.sessions.length).toBe(2);
  });

  it('finishes what is in work on a connection that is going away, and goes on with another', async () => {
    const waiting: ServerHttp2Stream[] = [];
    const server = await backend((stream) => void waiting.push(stream));
    const first = server.upstream.send(server.target, createRequest());
    await until(() => waiting.length === 1);
    server.sessions[0]!.close();
    let second: ReturnType<Upstream['send']> | undefined;
    await until(() => {
      // Whether it hears of the end before or after it sends, it gets its answer.
      second ??= server.upstream.send(server.target, createRequest());
      return waiting.length === 2;
    });
    for (const stream of waiting) {
      stream.respond({ ':status': 200 });
      stream.end('done');
    }
    expect([await textOf((await first).body), await textOf((await second!).body)]).toEqual(['done', 'done']);
  });

  it.each<[string, Partial<ProxyRequest>, boolean]>([
    ['a GET', {}, true],
    ['a POST', { method: 'POST', body: createBody('x') }, false],
  ])('when a kept connection is lost, %s', async (_name, init, again) => {
    let tries = 0;
    const server = await backend((stream, headers, session) => {
      if (++tries === 2) session.socket.destroy();
      else report(stream, headers, session);
    });
    await ask(server);
    const result = ask(server, init);
    if (again) await result;
    else await expect(result).rejects.toMatchObject({ code: 'upstream.closed' });
    expect(tries).toBe(again ? 3 : 2);
  });

  it('resets the stream with CANCEL when the client goes away', async () => {
    let stream: ServerHttp2Stream | undefined;
    const { upstream, target } = await backend((opened) => void (stream = opened));
    const request = createRequest();
    const answer = upstream.send(target, request);
    await until(() => stream !== undefined);
    request.cancellation.cancel();
    await expect(answer).rejects.toMatchObject({ code: 'upstream.aborted' });
    await until(() => stream!.closed);
    expect(stream!.rstCode).toBe(8);
  });

  it('never ends a body that its client has cut short', async () => {
    let [text, ended, code] = ['', false, -1];
    const { upstream, target } = await backend((stream) => {
      stream.on('data', (piece) => (text += piece));
      stream.on('close', () => {
        code = stream.rstCode ?? 0;
        ended = !stream.aborted;
      });
    });
    const cut = (async function* () {
      yield encodeText('part');
      await until(() => text === 'part');
      throw new Error('client gone');
    })();
    const answer = upstream.send(target, createRequest({ method: 'POST', body: createStreamBody(cut) }));
    await expect(answer).rejects.toThrow('client gone');
    await until(() => code !== -1);
    expect([text, ended, code]).toEqual(['part', false, 2]);
  });

  it.each<[string, Serve]>([
    ['a reset', (stream) => stream.destroy(new Error('cut'))],
    ['CANCEL', (stream) => stream.close(8)],
    ['the end of the connection', (stream) => stream.session!.destroy()],
  ])('fails the body of an answer that is cut by %s', async (_name, cut) => {
    const { upstream, target } = await backend((stream, headers, session) => {
      stream.respond({ ':status': 200, 'content-length': 10 });
      stream.write('part', () => cut(stream, headers, session));
    });
    const { body } = await upstream.send(target, createRequest());
    await expect(textOf(body)).rejects.toMatchObject({ code: 'upstream.closed' });
  });

  it('closes the stream of an answer that nobody wants', async () => {
    let stream: ServerHttp2Stream | undefined;
    const { upstream, target } = await backend((opened) => {
      stream = opened;
      opened.respond({ ':status': 200 });
      opened.write('part');
    });
    const { body } = await upstream.send(target, createRequest());
    body!.discard();
    await until(() => stream!.closed);
    expect(stream!.rstCode).toBe(8);
  });
});

describe('time limits', () => {
  it('waits for the head of the answer no longer than responseHeaderTimeout', async () => {
    const platform = createTestPlatform();
    let begun = false;
    const transport = { forwardingTimeouts: { responseHeaderTimeout: 500 } };
    const { upstream, target } = await backend(() => void (begun = true), { transport, clock: platform.clock });
    const answer = upstream.send(target, createRequest());
    await until(() => begun);
    platform.advance(501);
    await expect(answer).rejects.toMatchObject({ code: 'upstream.timeout', sent: true });
  });

  it('closes a connection that is idle for idleConnTimeout', async () => {
    const platform = createTestPlatform();
    const transport = { forwardingTimeouts: { idleConnTimeout: 1000 } };
    const server = await backend(report, { transport, clock: platform.clock });
    await ask(server);
    const before = platform.clock.now();
    await until(() => {
      platform.advance(250);
      return server.sessions[0]!.destroyed;
    });
    expect(platform.clock.now() - before).toBeGreaterThan(999);
  });

  it('gives up a server that says nothing and answers no ping (readIdleTimeout, pingTimeout)', async () => {
    const platform = createTestPlatform();
    let socket: net.Socket | undefined;
    const transport = { forwardingTimeouts: { readIdleTimeout: 1000, pingTimeout: 500 } };
    const silent = net.createServer((opened) => void (socket = opened.resume().on('error', () => {}))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const upstream = createUpstream({ clock: platform.clock });
    closers.push(upstream.close, () => silent.close());
    const answer = upstream.send(serverTarget((silent.address() as net.AddressInfo).port, transport, 'h2c'), createRequest());
    const failed = answer.catch((error: unknown) => error);
    await until(() => (socket?.bytesRead ?? 0) > 24);
    platform.advance(1001);
    platform.advance(501);
    expect(await failed).toMatchObject({ code: 'upstream.closed' });
  });
});
