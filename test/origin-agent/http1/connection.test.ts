import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createBody, createStreamBody, textResponse } from '../../../src/base/body.ts';
import { ClientError } from '../../../src/base/errors.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { type Handler, HeaderList, type ProxyRequest, type ProxyResponse } from '../../../src/base/message.ts';
import { createHttp1Connection } from '../../../src/origin-agent/http1/accept.ts';
import { DEFAULT_LIMITS, type Http1Limits, type Http1Settings, type Outcome } from '../../../src/origin-agent/http1/settings.ts';
import { Channel, nobody } from '../../../src/origin-agent/sockets/channel.ts';
import { type Http1TestServer, listenHttp1 } from '../../support/http1-server.ts';
import { createManualClock } from '../../support/middleware-harness.ts';
import { connectRaw, type RawConnection } from '../../support/raw-connection.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Talk {
  client: RawConnection;
  server: Http1TestServer;
  clock: ReturnType<typeof createManualClock>;
  outcomes: Outcome[];
}

async function talk(handler: Handler, limits: Partial<Http1Limits> = {}): Promise<Talk> {
  const clock = createManualClock();
  const outcomes: Outcome[] = [];
  const settings: Http1Settings = {
    handler,
    entryPoint: 'web',
    clock,
    log: silentLogger,
    limits: { ...DEFAULT_LIMITS, ...limits },
    onOutcome: (_request, outcome) => void outcomes.push(outcome),
  };
  const server = await listenHttp1(settings);
  const client = await connectRaw(server.port);
  closers.push(
    () => client.close(),
    () => server.close(),
  );
  return { client, server, clock, outcomes };
}

const ok: Handler = async () => textResponse(200, 'ok');
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => void setImmediate(resolve));
};
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turns(1);
};

describe('keeping a connection', () => {
  it('says close with the last request of keepAliveMaxRequests', async () => {
    const { client } = await talk(ok, { keepAliveMaxRequests: 2 });
    client.write(GET);
    expect((await client.response()).head).not.toContain('Connection');
    client.write(GET);
    expect((await client.response()).head).toContain('Connection: close\r\n');
    expect(await client.end()).toBe('');
  });

  it('says close once keepAliveMaxTime is over', async () => {
    const { client, clock } = await talk(ok, { keepAliveMaxTimeMs: 1000 });
    client.write(GET);
    expect((await client.response()).head).not.toContain('Connection');
    await clock.advance(1000);
    client.write(GET);
    expect((await client.response()).head).toContain('Connection: close\r\n');
    expect(await client.end()).toBe('');
  });

  it('closes after an answer that says so', async () => {
    const { client } = await talk(async () => textResponse(200, 'ok', { headers: ['Connection', 'close'] }));
    client.write(GET);
    expect((await client.response()).head).toContain('Connection: close\r\n');
    expect(await client.end()).toBe('');
  });

  it('keeps HTTP/1.0 connections that ask for it', async () => {
    const { client } = await talk(ok);
    for (let round = 0; round < 2; round++) {
      client.write('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n');
      const { head, body } = await client.response();
      expect(head).toMatch(/^HTTP\/1.0 200 OK\r\n[\s\S]*Connection: keep-alive\r\n/);
      expect(body).toBe('ok');
    }
  });

  it('ends an answer of unknown length by closing for HTTP/1.0', async () => {
    async function* chunks() {
      yield Buffer.from('one');
      yield Buffer.from('two');
    }
    const { client } = await talk(async () => ({ status: 200, headers: new HeaderList(), body: createStreamBody(chunks()) }));
    client.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    const { head, body } = await client.response();
    expect(head).toMatch(/^HTTP\/1.0 200 OK\r\nDate: [^\r]*\r\n\r\n$/);
    expect(body).toBe('onetwo');
  });

  it('drains: an idle connection closes at once, a busy one with its answer', async () => {
    const idle = await talk(ok);
    idle.client.write(GET);
    await idle.client.response();
    idle.server.connections[0]!.drain();
    expect(await idle.client.end()).toBe('');

    let answer = (_response: ProxyResponse): void => {};
    const busy = await talk(() => new Promise((resolve) => void (answer = resolve)));
    busy.client.write(GET);
    await until(() => busy.server.connections[0]?.idle === false);
    busy.server.connections[0]!.drain();
    answer(textResponse(200, 'last'));
    const { head, body } = await busy.client.response();
    expect([head.includes('Connection: close\r\n'), body]).toEqual([true, 'last']);
    expect(await busy.client.end()).toBe('');
  });

  it('answers a hundred pipelined requests with bodies in order', async () => {
    const { client } = await talk(async ({ path, body }) =>
      textResponse(200, `${path}${body === undefined ? '' : Buffer.from(await body.bytes(99))}`),
    );
    const requests = Array.from({ length: 100 }, (_, i) =>
      i % 3 === 0
        ? `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`
        : i % 3 === 1
          ? `POST /${i} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n|${i % 10}|`
          : `POST /${i} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n|\r\n2\r\n${i % 10}|\r\n0\r\n\r\n`,
    );
    client.write(requests.join(''));
    for (let i = 0; i < 100; i++) expect((await client.response()).body).toBe(i % 3 === 0 ? `/${i}` : `/${i}|${i % 10}|`);
  });

  it('keeps a pipelining client waiting without keeping all it sends', async () => {
    let answer = (): void => {};
    const { client, server } = await talk(() => new Promise((resolve) => void (answer = () => resolve(textResponse(200, 'ok')))));
    client.write(GET.repeat(300_000));
    await until(() => server.connections.length === 1);
    await turns(50);
    // What the kernels hold of 8.7 MB is not ours; what the process took is a little more than the limit.
    expect((server.connections[0]!.channel.socket as unknown as { bytesRead: number }).bytesRead).toBeLessThan(200_000);
    answer();
    await client.response();
  });
});

describe('time limits', () => {
  it.each([
    ['a silent client', ''],
    ['a slow head', 'GET / HTTP/1.1\r\nHost: a'],
  ])('closes on %s after readTimeout, without a word', async (_name, text) => {
    const { client, server, clock } = await talk(ok, { readTimeoutMs: 400 });
    client.write(text);
    await until(() => server.connections.length === 1 && (text === '' || !server.connections[0]!.idle));
    await clock.advance(399);
    await turns(5);
    expect(client.socket.readableEnded).toBe(false);
    await clock.advance(2);
    expect(await client.end()).toBe('');
  });

  it('does not let a slow head live longer by sending on', async () => {
    const { client, server, clock } = await talk(ok, { readTimeoutMs: 400 });
    client.write('GET / HTTP/1.1\r\n');
    for (let round = 0; round < 5; round++) {
      const before = server.connections[0]?.idle;
      client.write('X: y\r\n');
      await until(() => server.connections[0]?.idle === false || before === undefined);
      await clock.advance(100);
    }
    expect(await client.end()).toBe('');
  });

  it('tells a slow body 408 after readTimeout', async () => {
    const { client, clock } = await talk(async ({ body }) => textResponse(200, String((await body!.bytes(99)).length)), {
      readTimeoutMs: 400,
    });
    client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n');
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    await clock.advance(401);
    expect((await client.response()).head).toMatch(/^HTTP\/1.1 408 [\s\S]*Connection: close\r\n/);
    expect(await client.end()).toBe('');
  });

  it('closes an idle connection after idleTimeout, not before, and counts anew after each request', async () => {
    const { client, clock } = await talk(ok, { idleTimeoutMs: 300, readTimeoutMs: 400 });
    for (let round = 0; round < 3; round++) {
      client.write(GET);
      await client.response();
      await clock.advance(299);
    }
    await clock.advance(2);
    expect(await client.end()).toBe('');
  });

  it('cuts the answer at writeTimeout', async () => {
    const { client, clock, outcomes } = await talk(() => new Promise(() => {}), { writeTimeoutMs: 300 });
    client.write(GET);
    await until(() => clock.waiting > 1);
    await clock.advance(301);
    expect(await client.end()).toBe('');
    expect(outcomes).toEqual([{ status: 0, sentBytes: 0, complete: false }]);
  });

  it('leaves a request in work alone', async () => {
    let answer = (_response: ProxyResponse): void => {};
    const { client, server, clock } = await talk(() => new Promise((resolve) => void (answer = resolve)), {
      idleTimeoutMs: 300,
      readTimeoutMs: 300,
    });
    client.write(GET);
    await until(() => server.connections[0]?.idle === false);
    await clock.advance(3_600_000);
    answer(textResponse(200, 'late'));
    expect((await client.response()).body).toBe('late');
  });
});

describe('bodies that nobody reads', () => {
  it.each([
    ['complete', 'Content-Length: 3\r\n\r\nabc', true],
    ['small, to come', 'Content-Length: 100000\r\n\r\nabc', true],
    ['chunked, to come', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', true],
    ['large', 'Content-Length: 1000000\r\n\r\nabc', false],
    ['expected', 'Expect: 100-continue\r\nContent-Length: 3\r\n\r\n', false],
  ])('%s', async (_name, frame, kept) => {
    const { client } = await talk(ok);
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${frame}`);
    const { head } = await client.response();
    expect(head.includes('Connection: close')).toBe(!kept);
    if (!kept) {
      expect(await client.end()).toBe('');
      return;
    }
    if (frame.includes('100000')) client.write('x'.repeat(99_997));
    if (frame.includes('chunked')) client.write('0\r\n\r\n');
    client.write(GET);
    expect((await client.response()).body).toBe('ok');
  });

  it('gives up on a body that does not end', async () => {
    const { client } = await talk(ok);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect((await client.response()).head).not.toContain('Connection');
    const chunk = `8000\r\n${'x'.repeat(32_768)}\r\n`;
    for (let i = 0; i < 20; i++) client.write(chunk);
    expect(await client.end()).toBe('');
  });

  it('closes when the body that it throws away is broken', async () => {
    const { client } = await talk(ok);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.response();
    client.write('zz\r\n');
    expect(await client.end()).toBe('');
  });
});

describe('clients that go', () => {
  it('cancels a request whose client ends its side', async () => {
    let cancelled: Promise<void> | undefined;
    const { client } = await talk((request) => {
      cancelled = new Promise((resolve) => request.cancellation.onCancel(resolve));
      return new Promise(() => {});
    });
    client.write(GET);
    await until(() => cancelled !== undefined);
    client.socket.end();
    await cancelled;
    expect(await client.end()).toBe('');
  });

  it('still serves a client that ends its side behind the answer', async () => {
    const large = 'x'.repeat(5_000_000);
    const { client } = await talk(async () => ({ status: 200, headers: new HeaderList(), body: createBody(large) }));
    client.socket.pause();
    client.write(GET);
    await turns(20);
    client.socket.resume();
    expect((await client.response()).body.length).toBe(large.length);
    client.socket.end();
    expect(await client.end()).toBe('');
  });

  it('tells how each exchange went', async () => {
    const { client, outcomes } = await talk(async ({ path }) => textResponse(path === '/404' ? 404 : 200, 'hello'));
    client.write(`${GET}GET /404 HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.response();
    await client.response();
    expect(outcomes).toEqual([
      { status: 200, sentBytes: 5, complete: true },
      { status: 404, sentBytes: 5, complete: true },
    ]);
  });

  it('takes no more from a source than a slow client takes', async () => {
    let made = 0;
    async function* endless() {
      for (;;) {
        made += 65_536;
        yield Buffer.alloc(65_536);
      }
    }
    const { client } = await talk(async () => ({ status: 200, headers: new HeaderList(), body: createStreamBody(endless()) }));
    client.socket.pause();
    client.write(GET);
    let before = -1;
    while (before !== made || made === 0) {
      before = made;
      await turns(100);
    }
    // The kernel's buffers on both sides of the loopback.
    expect(made).toBeLessThan(20_000_000);
  });
});

describe('tunnels', () => {
  const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n';

  async function tunnel(extra: string) {
    const [near, far] = pair();
    const asked = await talk(async () => ({
      status: 101,
      headers: new HeaderList(['Connection', 'Upgrade', 'Upgrade', 'x']),
      body: undefined,
      tunnel: { channel: Channel.over(near, nobody), early: Buffer.from('hi ') },
    }));
    asked.client.write(`${UPGRADE}${extra}`);
    return { ...asked, far };
  }

  it('tell how they went when they are over', async () => {
    const { client, far, outcomes } = await tunnel('\r\nearly');
    await client.until('\r\n\r\n');
    far.write('there');
    expect(await client.bytes(8)).toBe('hi there');
    expect(String((await once(far, 'data'))[0])).toBe('early');
    expect(outcomes).toEqual([]);
    client.socket.end();
    await once(far, 'end');
    far.end();
    await until(() => outcomes.length > 0);
    expect(outcomes).toEqual([{ status: 101, sentBytes: 8, complete: true }]);
  });

  it('do not begin while the body of their request is coming', async () => {
    const { client } = await tunnel('Content-Length: 5\r\n\r\nab');
    expect(await client.end()).toBe('');
  });
});

describe('what handlers make', () => {
  const headers = (raw: string[]) => async (): Promise<ProxyResponse> => ({ status: 200, headers: new HeaderList(raw), body: undefined });
  it.each([
    ['a line break in a value', ['X', 'a\r\nSet-Cookie: b'], 'X: a  Set-Cookie: b\r\n'],
    ['NUL in a value', ['X', 'a\0b'], 'X: a b\r\n'],
    ['a wide character whose low byte is LF', ['X', 'a\u010ab'], 'X: a\xc4\x8ab\r\n'],
    ['a wide character', ['X', '\u4e2d'], 'X: \xe4\xb8\xad\r\n'],
    ['a name that is none and a value that is none', ['X Y\r\nZ', 'a\nb'], ''],
  ])('makes %s safe', async (_name, raw, line) => {
    const { client } = await talk(headers(raw));
    client.write(GET);
    const { head } = await client.response();
    expect(head.replace(/^Date: .*\r\n/m, '')).toBe(`HTTP/1.1 200 OK\r\n${line}Content-Length: 0\r\n\r\n`);
  });

  it.each([
    ['too short', 'abc', 5],
    ['too long', 'abcdef', 5],
  ])('cuts a body that is %s for its length', async (_name, text, length) => {
    const { client, outcomes } = await talk(async () => ({
      status: 200,
      headers: new HeaderList(),
      body: { ...createBody(text), length },
    }));
    client.write(GET);
    expect(await client.end()).not.toContain('\r\n\r\nabcdef');
    expect(outcomes[0]?.complete).toBe(false);
  });

  it.each([
    ['ClientError', new ClientError('client.too-large', 413, 'too large'), 413],
    ['an error of ours', new Error('bug'), 500],
  ])('answers %s', async (_name, error, status) => {
    const { client } = await talk(async () => {
      throw error;
    });
    client.write(GET);
    expect((await client.response()).head).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*Connection: close\r\n`));
    expect(await client.end()).toBe('');
  });

  it('answers 500 when a handler throws at once', async () => {
    const { client } = await talk((() => {
      throw new Error('bug');
    }) as Handler);
    client.write(GET);
    expect((await client.response()).head).toMatch(/^HTTP\/1.1 500 /);
  });
});

describe('other ways in', () => {
  it('begins with bytes that were read before', async () => {
    const seen: ProxyRequest[] = [];
    const [near, far] = pair();
    const settings: Http1Settings = {
      handler: async (request) => {
        seen.push(request);
        return textResponse(200, 'ok');
      },
      entryPoint: 'websecure',
      clock: createManualClock(),
      log: silentLogger,
      limits: DEFAULT_LIMITS,
    };
    const tls = { serverName: 'a', version: '1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientCertificates: [], options: 'default' };
    createHttp1Connection(near, settings, { address: '192.0.2.1', port: 99, scheme: 'https', tls }, 'GET /peeked HTTP/1.1\r\nHo');
    far.write('st: a\r\n\r\n');
    await until(() => seen.length === 1);
    expect(seen[0]).toMatchObject({
      path: '/peeked',
      clientAddress: '192.0.2.1',
      clientPort: 99,
      scheme: 'https',
      tls,
      entryPoint: 'websecure',
    });
  });
});

/** Two ends of a connection in memory. */
function pair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        other().push(chunk);
        done();
      },
      final(done) {
        other().push(null);
        done();
      },
    });
  const near: Duplex = make(() => far);
  const far: Duplex = make(() => near);
  return [near, far];
}
