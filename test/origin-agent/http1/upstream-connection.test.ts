import { describe, expect, it, onTestFinished } from 'vitest';
import { createStreamBody, textResponse } from '../../../src/base/body.ts';
import { HeaderList, type ProxyRequest } from '../../../src/base/message.ts';
import { http1Settings, listenHttp1 } from '../../support/http1-server.ts';
import { ANSWER, listenBefore, reach, talkThrough, textOf } from '../../support/http1-upstream.ts';
import { connectRaw } from '../../support/raw-connection.ts';
import { turns, until } from '../../support/until.ts';

describe('answers that are refused', () => {
  const head = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\nabc`;
  it.each([
    ['no status line', 'hello\r\n\r\n'],
    ['a request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another protocol', 'ICY 200 OK\r\n\r\n'],
    ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['status 099', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['signed status', 'HTTP/1.1 +20 OK\r\n\r\n'],
    ['no space behind the status', 'HTTP/1.1 200OK\r\n\r\n'],
    ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['control byte in the phrase', 'HTTP/1.1 200 O\x01K\r\n\r\n'],
    ['LF alone', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ['leading line', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['folded field', head('X: a\r\n b')],
    ['bad name', head('Bad Name: 1')],
    ['NUL', head('X: \0')],
    ['two lengths', head('Content-Length: 3\r\nContent-Length: 3')],
    ['length and chunked', head('Content-Length: 3\r\nTransfer-Encoding: chunked')],
    ['bad length', head('Content-Length: 3x')],
    ['gzip, chunked', head('Transfer-Encoding: gzip, chunked')],
    ['identity', head('Transfer-Encoding: identity')],
    ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['bad first chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ['101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(60_000)}\r\n`.repeat(20)}`],
    ['endless interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)],
    ['too many fields', head('X: y\r\n'.repeat(1001).trimEnd())],
  ])('%s', async (_name, text) => {
    const { server, send, upstream } = await reach();
    const answer = send();
    answer.catch(() => {});
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write(text);
    await expect(answer).rejects.toMatchObject({ name: 'UpstreamError', code: 'upstream.malformed' });
    await connection.end();
    expect(upstream.idle).toBe(0);
  });

  it('refuses a switch to another protocol than was asked for', async () => {
    const { server, send } = await reach();
    const answer = send({ upgrade: 'websocket' });
    answer.catch(() => {});
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n');
    await expect(answer).rejects.toMatchObject({ code: 'upstream.malformed' });
  });

  it('fails the body on a bad chunk behind good ones', async () => {
    const { server, send } = await reach();
    const answer = send();
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
    const content = textOf(await answer);
    content.catch(() => {});
    connection.write('2\r\nokX');
    await expect(content).rejects.toMatchObject({ code: 'upstream.malformed' });
  });

  it.each([
    ['HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 200],
    ['HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', 200],
    ['HTTP/1.1 999 Nines \xe9\r\nContent-Length: 2\r\n\r\nok', 999],
    ['HTTP/1.1 200 OK\r\nX-\xe9'.replace('-\xe9', ': \xe9\r\nContent-Length: 2\r\n\r\nok'), 200],
  ])('takes %j', async (text, status) => {
    const { server, send } = await reach();
    const answer = send();
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    for (const character of text) {
      connection.write(character);
      await turns(1);
    }
    expect((await answer).status).toBe(status);
    expect(await textOf(await answer)).toBe('ok');
  });
});

describe('bodies towards a server', () => {
  const expecting = (body: string): Partial<ProxyRequest> => ({
    method: 'POST',
    headers: new HeaderList(['Expect', '100-continue']),
    body: createStreamBody(
      (async function* () {
        yield Buffer.from(body);
      })(),
    ),
  });

  it('hold back what expects 100 until it comes', async () => {
    const { server, send } = await reach();
    const answer = send(expecting('later'));
    const connection = await server.next();
    await connection.until('Transfer-Encoding: chunked\r\n\r\n');
    await turns(20);
    expect(connection.received()).toBe('');
    connection.write('HTTP/1.1 100 Continue\r\n\r\n');
    await connection.until('5\r\nlater\r\n0\r\n\r\n');
    connection.write(ANSWER);
    expect(await textOf(await answer)).toBe('ok');
  });

  it('are sent after a second without 100', async () => {
    const { server, send, clock } = await reach();
    send(expecting('later')).catch(() => {});
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    await clock.advance(999);
    expect(connection.received()).toBe('');
    await clock.advance(2);
    await connection.until('5\r\nlater\r\n0\r\n\r\n');
  });

  it('are never sent when the answer comes first; the connection is not used again', async () => {
    const { server, send } = await reach();
    const answer = send(expecting('never'));
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    expect((await answer).status).toBe(403);
    expect(await connection.end()).toBe('');
  });

  it('stop when the server has answered completely', async () => {
    const { server, send, upstream } = await reach();
    let closed = false;
    async function* endless() {
      try {
        for (;;) {
          yield Buffer.alloc(65_536);
          await turns(1);
        }
      } finally {
        closed = true;
      }
    }
    const answer = send({ method: 'POST', body: createStreamBody(endless()) });
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write(ANSWER);
    expect(await textOf(await answer)).toBe('ok');
    await until(() => closed);
    expect(upstream.idle).toBe(0);
  });
});

describe('an early answer through the proxy', () => {
  it('reaches the client before its body is complete', async () => {
    const { server, client } = await talkThrough();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nstart');
    const connection = await server.next();
    await connection.until('start');
    connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    const { head, body } = await client.response();
    expect([head.slice(0, 22), body]).toEqual(['HTTP/1.1 403 Forbidden', 'no']);
    await client.end();
    await connection.end();
  });

  it('may flow while the body still does', async () => {
    const { server, client } = await talkThrough();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    const connection = await server.next();
    await connection.until('1\r\na\r\n');
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n');
    await client.until('1\r\nA\r\n');
    client.write('1\r\nb\r\n');
    await connection.until('1\r\nb\r\n');
    connection.write('1\r\nB\r\n');
    await client.until('1\r\nB\r\n');
    client.write('0\r\n\r\n');
    await connection.until('0\r\n\r\n');
    connection.write('0\r\n\r\n');
    await client.until('0\r\n\r\n');
    client.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    await connection.until('GET /next');
  });
});

it('passes bodies of all sizes unchanged, by length and chunked, to quick and slow clients', async () => {
  const sizes = [0, 1, 1000, 16_000, 16_384, 16_385, 65_536, 65_537, 300_000, 2_000_000];
  const content = (size: number): string =>
    Array.from({ length: Math.ceil(size / 10) }, (_, i) => String(i).padStart(10, '-'))
      .join('')
      .slice(0, size);
  const back = await listenHttp1(
    http1Settings(async (request) => {
      const text = content(Number(request.query));
      if (request.path === '/length') return textResponse(200, text);
      async function* pieces() {
        for (let at = 0; at < text.length; at += 40_000) yield Buffer.from(text.slice(at, at + 40_000));
      }
      return { status: 200, headers: new HeaderList(), body: createStreamBody(pieces()) };
    }),
  );
  onTestFinished(() => back.close());
  const port = await listenBefore(back.port);
  const ask = async (slow: boolean): Promise<void> => {
    const client = await connectRaw(port);
    for (const size of sizes) {
      for (const frame of ['length', 'chunked']) {
        client.write(`GET /${frame}?${size} HTTP/1.1\r\nHost: a\r\n\r\n`);
        if (slow) {
          client.socket.pause();
          await turns(20);
          client.socket.resume();
        }
        expect((await client.response()).body === content(size)).toBe(true);
      }
    }
    client.close();
  };
  await Promise.all([ask(false), ask(true), ask(false), ask(true)]);
});
