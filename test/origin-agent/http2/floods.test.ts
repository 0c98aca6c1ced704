import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import type { Handler } from '../../../src/base/message.ts';
import { ask, connectHttp2, type Http2TestOptions, type Http2TestServer, listenHttp2, talkHttp2 } from '../../support/http2-server.ts';
import { createRandom } from '../../support/random.ts';
import { until } from '../../support/until.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(handler: Handler, options: Http2TestOptions = {}): Promise<Http2TestServer> {
  const server = await listenHttp2(handler, options);
  closers.push(server.close);
  return server;
}

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const CONTINUATION = 9;
const END_HEADERS = 4;
const END_STREAM = 1;
const ACK = 1;

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** `GET http /` of HPACK's static table, and an authority as a literal. */
const REQUEST = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x41, 6]), Buffer.from('a.test')]);
const START = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0)]);

interface RawClient {
  readonly socket: Socket;
  /** Types and payloads of the frames that came. */
  readonly frames: { type: number; payload: Buffer }[];
  readonly over: () => boolean;
}

function connectFrames(port: number, start = true): RawClient {
  const socket = connect(port, '127.0.0.1');
  const frames: RawClient['frames'] = [];
  let bytes = Buffer.alloc(0);
  let over = false;
  socket.on('error', () => {});
  socket.on('close', () => (over = true));
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      if (bytes.length < 9 || bytes.length < 9 + bytes.readUIntBE(0, 3)) return;
      const end = 9 + bytes.readUIntBE(0, 3);
      frames.push({ type: bytes[3]!, payload: bytes.subarray(9, end) });
      bytes = bytes.subarray(end);
    }
  });
  if (start) socket.write(START);
  closers.push(() => socket.destroy());
  return { socket, frames, over: () => over };
}

/** Writes until the server has had enough, at most `rounds` times. */
async function flood({ socket, over }: RawClient, make: (round: number) => Buffer, rounds: number): Promise<void> {
  for (let round = 0; round < rounds && !over(); round++) {
    await new Promise<void>((resolve) => socket.write(make(round), () => resolve()));
  }
  await until(over);
}

const goawayCode = ({ frames }: RawClient): number | undefined => frames.find(({ type }) => type === GOAWAY)?.payload.readUInt32BE(4);
const INTERNAL_ERROR = 2;
const ENHANCE_YOUR_CALM = 11;

describe('a client that costs more than it pays', () => {
  it('is cut off when it resets its requests without end, after few of them reached the handler', async () => {
    let begun = 0;
    const server = await serve(() => {
      begun++;
      return new Promise(() => {});
    });
    const client = connectFrames(server.port);
    const reset = Buffer.from([0, 0, 0, 8]);
    const round = (from: number): Buffer =>
      Buffer.concat(
        Array.from({ length: 100 }, (_, i) => {
          const stream = 2 * (from * 100 + i) + 1;
          return Buffer.concat([frame(HEADERS, END_HEADERS | END_STREAM, stream, REQUEST), frame(RST_STREAM, 0, stream, reset)]);
        }),
      );
    await flood(client, round, 1000);
    expect(begun).toBeLessThan(1500);
    await until(() => server.connections.size === 0);
    expect(server.outcomes.every(({ request }) => request.cancellation.cancelled)).toBe(true);
  });

  it('may reset as many as a browser does', async () => {
    const server = await serve((request) => (request.path === '/' ? new Promise(() => {}) : Promise.resolve(textResponse(200, 'ok'))));
    const session = connectHttp2(server.port);
    closers.push(() => session.destroy());
    for (let i = 0; i < 150; i++) {
      const stream = session.request({ ':authority': 'a.test' });
      stream.on('error', () => {});
      stream.close(8);
    }
    expect((await ask(session, { ':path': '/still' })).text).toBe('ok');
  });

  it.each<[string, () => Buffer]>([
    ['pings', () => frame(PING, 0, 0, Buffer.alloc(8))],
    ['settings', () => frame(SETTINGS, 0, 0)],
    ['settings that change', () => frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255]))],
  ])('is cut off when it sends %s without end', async (_name, make) => {
    const server = await serve(async () => textResponse(200, 'ok'));
    const client = connectFrames(server.port);
    const many = Buffer.concat(Array.from({ length: 200 }, make));
    await flood(client, () => many, 100);
    // nghttp2 has a limit of its own (INTERNAL_ERROR) on what it has to acknowledge.
    expect([ENHANCE_YOUR_CALM, INTERNAL_ERROR]).toContain(goawayCode(client));
  });

  it('is cut off when it does not read the answers to its pings', async () => {
    const server = await serve(async () => textResponse(200, 'ok'));
    const client = connectFrames(server.port);
    client.socket.pause();
    const many = Buffer.concat(Array.from({ length: 500 }, () => frame(PING, 0, 0, Buffer.alloc(8))));
    await flood(client, () => many, 1000);
    expect(server.connections.size).toBe(0);
  });

  it('is cut off when a header section goes on and on (CVE-2024-27316)', async () => {
    let begun = 0;
    const server = await serve(async () => {
      begun++;
      return textResponse(200, 'ok');
    });
    const client = connectFrames(server.port);
    client.socket.write(frame(HEADERS, END_STREAM, 1, REQUEST));
    const field = Buffer.concat([Buffer.from([0, 1]), Buffer.from('a'), Buffer.from([1]), Buffer.from('b')]);
    const more = frame(CONTINUATION, 0, 1, Buffer.concat(Array.from({ length: 100 }, () => field)));
    await flood(client, () => more, 1000);
    expect([begun, goawayCode(client)]).toEqual([0, expect.any(Number)]);
  });

  it('is served when its first bytes come one by one', async () => {
    const server = await serve(async () => textResponse(200, 'ok'));
    const client = connectFrames(server.port, false);
    client.socket.setNoDelay(true);
    for (const byte of START) await new Promise<void>((resolve) => client.socket.write(Buffer.of(byte), () => setImmediate(resolve)));
    client.socket.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, REQUEST));
    await until(() => client.frames.some(({ type, payload }) => type === DATA && String(payload) === 'ok'));
  });

  it('ends its own connection alone with nonsense', async () => {
    const server = await serve(async () => textResponse(200, 'ok'));
    const random = createRandom(7);
    for (let round = 0; round < 50; round++) {
      const client = connectFrames(server.port);
      const payload = Buffer.from(Array.from({ length: random() * 60 }, () => random() * 256));
      for (let i = 0; i < 20; i++) client.socket.write(frame(random() * 12, random() * 256, random() * 8, payload));
      client.socket.end();
      await until(client.over);
    }
    await until(() => server.connections.size === 0);
    const session = connectHttp2(server.port);
    closers.push(() => session.destroy());
    expect((await ask(session, {})).text).toBe('ok');
  });

  it('gets no answer to more fields than there may be', async () => {
    let begun = 0;
    const { session } = await talkHttp2(async () => {
      begun++;
      return textResponse(200, 'ok');
    });
    const many = Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`x-${i}`, '1']));
    expect(await ask(session, many)).toMatchObject({ status: Number.NaN, rstCode: ENHANCE_YOUR_CALM });
    expect(await ask(session, { 'x-long': 'a'.repeat(100_000) })).toMatchObject({ status: 200 });
    expect(begun).toBe(1);
  });

  it('gets no answer to more bytes of fields than maxHeaderBytes', async () => {
    const { session } = await talkHttp2(async () => textResponse(200, 'ok'), { limits: { maxHeaderBytes: 5000 } });
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect(session.remoteSettings.maxHeaderListSize).toBe(5320);
    expect(await ask(session, { 'x-long': 'a'.repeat(6000) })).toMatchObject({ rstCode: ENHANCE_YOUR_CALM });
  });

  it('ends its connection with a field beyond what nghttp2 decodes', async () => {
    const { server, session } = await talkHttp2(async () => textResponse(200, 'ok'));
    // No shorter when it is encoded, as letters are.
    expect(await ask(session, { 'x-long': '~'.repeat(110_000) })).toMatchObject({ status: Number.NaN });
    await until(() => session.destroyed && server.connections.size === 0);
  });

  it('waits when it opens more streams than it may', async () => {
    let open = 0;
    let most = 0;
    const { session } = await talkHttp2(
      async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
        return textResponse(200, 'ok');
      },
      { maxConcurrentStreams: 3 },
    );
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(session, {})));
    expect([answers.every(({ status }) => status === 200), most <= 3]).toEqual([true, true]);
  });

  it('is cut off when it opens more streams than it was told that it may', async () => {
    let begun = 0;
    const server = await serve(
      () => {
        begun++;
        return new Promise(() => {});
      },
      { maxConcurrentStreams: 3 },
    );
    const client = connectFrames(server.port);
    await until(() => client.frames.some(({ type }) => type === SETTINGS));
    client.socket.write(frame(SETTINGS, ACK, 0));
    for (let i = 0; i < 10; i++) client.socket.write(frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, REQUEST));
    await until(client.over);
    expect(begun).toBe(3);
  });
});
