import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { createUpstream } from '../../../src/origin-agent/http1/upstream.ts';
import { cancelStream } from '../../../src/origin-agent/http2/reset.ts';
import type { ServerTarget } from '../../../src/proxy/platform.ts';
import { answerOf, ask, talkHttp2 } from '../../support/http2-server.ts';
import { connectRaw, listenRaw } from '../../support/raw-connection.ts';
import { serverTarget } from '../../support/server-target.ts';
import { until } from '../../support/until.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A client of HTTP/2 and one of HTTP/1.1 before the agent's two sides. */
async function front(target: ServerTarget) {
  const upstream = createUpstream({ clock: systemClock });
  const { server, session } = await talkHttp2((request) => upstream.send(target, request));
  const plain = await connectRaw(server.port);
  closers.push(upstream.close, plain.close);
  return { session, plain, server };
}

async function http2Backend(serve: (stream: ServerHttp2Stream) => void): Promise<ServerTarget> {
  const server = createServer();
  server.on('session', (session) => closers.push(() => session.destroy()));
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    serve(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return serverTarget(port, {}, 'h2c');
}

const echo = (stream: ServerHttp2Stream): void => {
  let trailers: Record<string, unknown> = {};
  stream.on('trailers', (fields) => (trailers = { ...fields }));
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers as Record<string, string>));
  stream.pipe(stream);
};

describe('HTTP/2 to HTTP/2', () => {
  it('passes 10 MB and trailers both ways', async () => {
    const { session } = await front(await http2Backend(echo));
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test' }, { endStream: false, waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    const answer = answerOf(stream);
    stream.end(Buffer.alloc(10_000_000, 'x'));
    const { text, trailers, rstCode } = await answer;
    expect([text.length, trailers, rstCode]).toEqual([10_000_000, { 'x-sum': '7' }, 0]);
  });

  it('passes pieces while they come, both ways', async () => {
    const { session } = await front(await http2Backend(echo));
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test' }, { endStream: false });
    await once(stream, 'response');
    for (const text of ['one', 'two', 'three']) {
      stream.write(text);
      expect(String((await once(stream, 'data'))[0])).toBe(text);
    }
    stream.end();
    stream.resume();
    await once(stream, 'end');
  });

  it('makes no more of either body than is read', async () => {
    let sent = 0;
    let taken = 0;
    let begun = false;
    const target = await http2Backend((stream) => {
      if (begun) return stream.respond({ ':status': 204 }, { endStream: true });
      begun = true;
      stream.respond({ ':status': 200 });
      const more = (): void => void stream.write(Buffer.alloc(16_384), () => ++sent < 2000 && more());
      more();
    });
    const { session } = await front(target);
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test' }, { endStream: false });
    stream.pause();
    for (let i = 0; i < 1000; i++) stream.write(Buffer.alloc(16_384), () => taken++);
    await once(stream, 'response');
    // What is under way when a request is sent has arrived when its answer is here: both stand still when a round changes nothing.
    let before = -1;
    while (before !== sent + taken) {
      before = sent + taken;
      for (let round = 0; round < 3; round++) expect((await ask(session, {})).status).toBe(204);
    }
    expect([sent < 200, taken < 200]).toEqual([true, true]);
    cancelStream(stream.on('error', () => {}));
  });

  it('tells the server when the client gives up, and the client when the server does', async () => {
    const streams: ServerHttp2Stream[] = [];
    const { session, server } = await front(await http2Backend((stream) => void streams.push(stream)));
    const first = session.request({ ':authority': 'a.test' });
    first.on('error', () => {});
    await until(() => streams.length === 1);
    cancelStream(first);
    await until(() => streams[0]!.closed);
    expect(streams[0]!.rstCode).toBe(8);
    const second = ask(session, {});
    await until(() => streams.length === 2);
    streams[1]!.respond({ ':status': 200 });
    streams[1]!.write('part', () => streams[1]!.destroy(new Error('cut')));
    expect(await second).toMatchObject({ status: 200, rstCode: 2 });
    await until(() => server.outcomes.length === 2);
    expect(server.outcomes.map(({ outcome }) => outcome.complete)).toEqual([false, false]);
  });

  it('serves 100 at once', async () => {
    const { session } = await front(await http2Backend(echo));
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(session, { ':method': 'PUT' }, `${i}`)));
    expect(answers.map(({ text }) => text)).toEqual(answers.map((_, i) => `${i}`));
  });
});

describe('HTTP/2 and HTTP/1.1', () => {
  it('passes bodies and trailers from HTTP/1.1 to HTTP/2 and back', async () => {
    const { plain } = await front(await http2Backend(echo));
    plain.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n');
    expect((await plain.response()).body).toBe('abc|x-t: 1\r\n');
    plain.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n${'b'.repeat(3_000_000)}`);
    expect((await plain.response()).body).toBe('b'.repeat(3_000_000));
  });

  it('passes bodies and trailers from HTTP/2 to HTTP/1.1 and back', async () => {
    const backend = await listenRaw();
    closers.push(backend.close);
    const { session } = await front(serverTarget(backend.port));
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test' }, { endStream: false, waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-t': '1' }));
    stream.end('abc');
    const answer = answerOf(stream);
    const connection = await backend.next();
    expect(await connection.until('\r\n\r\n')).toBe('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect(await connection.until('x-t: 1\r\n\r\n')).toBe('3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n');
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n');
    connection.write('0\r\nX-U: 2\r\n\r\n');
    expect(await answer).toMatchObject({ text: 'xyz', trailers: { 'x-u': '2' } });
  });

  it('passes 10 MB from a server of HTTP/1.1', async () => {
    const backend = await listenRaw();
    closers.push(backend.close);
    const { session } = await front(serverTarget(backend.port));
    const answer = ask(session, {});
    const connection = await backend.next();
    await connection.until('\r\n\r\n');
    connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n${'d'.repeat(10_000_000)}`);
    expect((await answer).text).toBe('d'.repeat(10_000_000));
  });
});
