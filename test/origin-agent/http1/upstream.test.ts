import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createStreamBody, textResponse } from '../../../src/base/body.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createRequest, HeaderList, type ProxyRequest, type ProxyResponse } from '../../../src/base/message.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { DEFAULT_LIMITS } from '../../../src/origin-agent/http1/settings.ts';
import { createUpstream, type Upstream } from '../../../src/origin-agent/http1/upstream.ts';
import type { ServerTarget } from '../../../src/proxy/platform.ts';
import { type Authority, createAuthority } from '../../support/edge/certificates.ts';
import { listenHttp1 } from '../../support/http1-server.ts';
import { createManualClock } from '../../support/middleware-harness.ts';
import { connectRaw, listenRaw, type RawConnection } from '../../support/raw-connection.ts';
import { serverTarget } from '../../support/server-target.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const textOf = async ({ body }: ProxyResponse): Promise<string> =>
  body === undefined ? '' : Buffer.from(await body.bytes(1e6)).toString('latin1');
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => void setImmediate(resolve));
};
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turns(1);
};

async function setUp(transport: object = {}, clock = createManualClock()) {
  const server = await listenRaw();
  const upstream = createUpstream({ clock });
  closers.push(server.close, upstream.close);
  const target = serverTarget(server.port, transport);
  const send = (init: Partial<ProxyRequest> = {}) => upstream.send(target, createRequest(init));
  return { server, upstream, target, send, clock };
}

/** Sends so many requests at once and answers all of them; leaves as many idle connections. */
async function open({ server, send }: Awaited<ReturnType<typeof setUp>>, count: number): Promise<RawConnection[]> {
  const answers = Array.from({ length: count }, () => send());
  const connections: RawConnection[] = [];
  for (let i = 0; i < count; i++) connections.push(await server.next());
  for (const connection of connections) {
    await connection.until('\r\n\r\n');
    connection.write(ANSWER);
  }
  for (const answer of answers) await textOf(await answer);
  return connections;
}

describe('the pool of a server', () => {
  it('takes the connection that was used last', async () => {
    const set = await setUp();
    const [first, second] = await open(set, 2);
    expect(set.upstream.idle).toBe(2);
    // Both became idle in the order of their answers: the second one lies on top.
    for (let round = 0; round < 3; round++) {
      const answer = set.send();
      await second!.until('\r\n\r\n');
      second!.write(ANSWER);
      await answer;
    }
    expect(first!.received()).toBe('');
  });

  it.each([
    [1, 1],
    [2, 2],
    [-1, 0],
    [0, 3],
    [undefined, 3],
  ])('keeps no more than maxIdleConnsPerHost %s', async (maxIdleConnsPerHost, idle) => {
    const set = await setUp({ maxIdleConnsPerHost });
    await open(set, 3);
    expect(set.upstream.idle).toBe(idle);
  });

  it('closes what was idle for idleConnTimeout', async () => {
    const set = await setUp({ forwardingTimeouts: { idleConnTimeout: 1000 } });
    const [first, second] = await open(set, 2);
    await set.clock.advance(600);
    const answer = set.send();
    await second!.until('\r\n\r\n');
    second!.write(ANSWER);
    await answer;
    await set.clock.advance(500);
    expect(await first!.end()).toBe('');
    expect(set.upstream.idle).toBe(1);
    await set.clock.advance(600);
    expect(await second!.end()).toBe('');
    expect(set.upstream.idle).toBe(0);
  });

  it.each([
    ['ends', (connection: RawConnection) => connection.socket.end()],
    ['resets', (connection: RawConnection) => connection.socket.resetAndDestroy()],
    [
      'speaks without being asked',
      (connection: RawConnection) => connection.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'),
    ],
  ])('forgets an idle connection that the server %s', async (_name, act) => {
    const set = await setUp();
    const [connection] = await open(set, 1);
    act(connection!);
    await until(() => set.upstream.idle === 0);
    const [other] = await open(set, 1);
    expect(other).not.toBe(connection);
  });

  it.each([
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['bytes behind the answer', `${ANSWER}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
    ['bytes behind a chunked answer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n'],
    ['a body for HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['a body of 204', 'HTTP/1.1 204 No Content\r\n\r\nok'],
  ])('keeps no connection after %s', async (name, text) => {
    const { server, upstream, send } = await setUp();
    const answer = send({ method: name.endsWith('HEAD') ? 'HEAD' : 'GET' });
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write(text);
    await textOf(await answer);
    await connection.end();
    expect(upstream.idle).toBe(0);
  });

  it('keeps an HTTP/1.0 connection when the server wants to', async () => {
    const { server, upstream, send } = await setUp();
    const answer = send();
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok');
    await textOf(await answer);
    expect(upstream.idle).toBe(1);
  });

  it('starts anew when a transport changes under its name', async () => {
    const set = await setUp();
    const [connection] = await open(set, 1);
    set.upstream.send(serverTarget(set.server.port, { maxIdleConnsPerHost: 5 }), createRequest()).catch(() => {});
    await (await set.server.next()).until('\r\n\r\n');
    expect(await connection!.end()).toBe('');
  });

  it('shares connections between configurations', async () => {
    const set = await setUp({ maxIdleConnsPerHost: 5 });
    const [connection] = await open(set, 1);
    const answer = set.upstream.send(serverTarget(set.server.port, { maxIdleConnsPerHost: 5 }), createRequest());
    await connection!.until('\r\n\r\n');
    connection!.write(ANSWER);
    expect(await textOf(await answer)).toBe('ok');
  });
});

describe('a kept connection that closes before any byte of the answer', () => {
  const rows: [string, Partial<ProxyRequest>, boolean][] = [
    ['GET', { method: 'GET' }, true],
    ['HEAD', { method: 'HEAD' }, true],
    ['OPTIONS', { method: 'OPTIONS' }, true],
    ['POST', { method: 'POST' }, false],
    ['PUT', { method: 'PUT' }, false],
    ['DELETE', { method: 'DELETE' }, false],
    ['POST with a key', { method: 'POST', headers: new HeaderList(['Idempotency-Key', '1']) }, true],
    ['GET with a body that flows', { method: 'GET', body: createStreamBody((async function* () {})()) }, false],
  ];
  it.each(rows)('%s', async (_name, init, again) => {
    const set = await setUp();
    const [stale] = await open(set, 1);
    const answer = set.send(init);
    answer.catch(() => {});
    await stale!.until('\r\n\r\n');
    stale!.socket.end();
    if (again) {
      const fresh = await set.server.next();
      await fresh.until('\r\n\r\n');
      fresh.write('HTTP/1.1 204 No Content\r\n\r\n');
      expect((await answer).status).toBe(204);
    } else {
      await expect(answer).rejects.toMatchObject({ code: 'upstream.closed', sent: true });
    }
  });

  it('is not tried again when a byte has come', async () => {
    const set = await setUp();
    const [connection] = await open(set, 1);
    const answer = set.send();
    answer.catch(() => {});
    await connection!.until('\r\n\r\n');
    connection!.write('H');
    connection!.socket.end();
    await expect(answer).rejects.toMatchObject({ code: 'upstream.malformed' });
  });

  it('sends a small body of a client again', async () => {
    const server = await listenRaw();
    const upstream = createUpstream({ clock: systemClock });
    const settings = {
      handler: (request: ProxyRequest) => upstream.send(serverTarget(server.port), request),
      entryPoint: 'web',
      clock: systemClock,
      log: silentLogger,
      limits: DEFAULT_LIMITS,
    };
    const front = await listenHttp1(settings);
    const client = await connectRaw(front.port);
    closers.push(server.close, upstream.close, front.close, client.close);
    const text = 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
    client.write(text);
    const stale = await server.next();
    await stale.until('body');
    stale.write(ANSWER);
    await client.response();
    client.write(text);
    await stale.until('body');
    stale.socket.resetAndDestroy();
    const fresh = await server.next();
    expect(await fresh.until('body')).toContain('Content-Length: 4\r\n\r\nbody');
    fresh.write(ANSWER);
    expect((await client.response()).body).toBe('ok');
  });
});

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
    const { server, send, upstream } = await setUp();
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
    const { server, send } = await setUp();
    const answer = send({ upgrade: 'websocket' });
    answer.catch(() => {});
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n');
    await expect(answer).rejects.toMatchObject({ code: 'upstream.malformed' });
  });

  it('fails the body on a bad chunk behind good ones', async () => {
    const { server, send } = await setUp();
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
    const { server, send } = await setUp();
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
    const { server, send } = await setUp();
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
    const { server, send, clock } = await setUp();
    send(expecting('later')).catch(() => {});
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    await clock.advance(999);
    expect(connection.received()).toBe('');
    await clock.advance(2);
    await connection.until('5\r\nlater\r\n0\r\n\r\n');
  });

  it('are never sent when the answer comes first; the connection is not used again', async () => {
    const { server, send } = await setUp();
    const answer = send(expecting('never'));
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    expect((await answer).status).toBe(403);
    expect(await connection.end()).toBe('');
  });

  it('stop when the server has answered completely', async () => {
    const { server, send, upstream } = await setUp();
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
    const server = await listenRaw();
    const upstream = createUpstream({ clock: systemClock });
    const front = await listenHttp1({
      handler: (request) => upstream.send(serverTarget(server.port), request),
      entryPoint: 'web',
      clock: systemClock,
      log: silentLogger,
      limits: DEFAULT_LIMITS,
    });
    const client = await connectRaw(front.port);
    closers.push(server.close, upstream.close, front.close, client.close);
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
    const server = await listenRaw();
    const upstream = createUpstream({ clock: systemClock });
    const front = await listenHttp1({
      handler: (request) => upstream.send(serverTarget(server.port), request),
      entryPoint: 'web',
      clock: systemClock,
      log: silentLogger,
      limits: DEFAULT_LIMITS,
    });
    const client = await connectRaw(front.port);
    closers.push(server.close, upstream.close, front.close, client.close);
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

describe('ways to a server', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = createAuthority();
  });

  const tlsTarget = (port: number, transport: object): ServerTarget => ({
    ...serverTarget(port, transport),
    url: `https://127.0.0.1:${port}`,
    scheme: 'https',
  });

  async function tlsServer(options: tls.TlsOptions): Promise<{ port: number; sockets: tls.TLSSocket[]; reused: boolean[] }> {
    const { key, certificate } = authority.issue(['one.test']);
    const sockets: tls.TLSSocket[] = [];
    const reused: boolean[] = [];
    const server = tls.createServer({ key, cert: certificate, ...options }, (socket) => {
      sockets.push(socket);
      reused.push(socket.isSessionReused());
      socket.on('error', () => {});
      socket.on('data', () => socket.write(ANSWER));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: (server.address() as net.AddressInfo).port, sockets, reused };
  }

  const newUpstream = (): Upstream => {
    const upstream = createUpstream({ clock: systemClock });
    closers.push(upstream.close);
    return upstream;
  };

  it('TLS: name, own authority, and a session that is taken up again', async () => {
    const { port, sockets, reused } = await tlsServer({});
    const upstream = newUpstream();
    const target = tlsTarget(port, { serverName: 'one.test', rootCAs: [authority.certificate] });
    expect(await textOf(await upstream.send(target, createRequest()))).toBe('ok');
    sockets[0]!.destroy();
    await until(() => upstream.idle === 0);
    expect(await textOf(await upstream.send(target, createRequest()))).toBe('ok');
    expect(sockets.map((socket) => socket.servername)).toEqual(['one.test', 'one.test']);
    expect(reused).toEqual([false, true]);
  });

  const untrusted: [string, () => object, string][] = [
    ['an unknown authority', () => ({ serverName: 'one.test' }), 'upstream.tls'],
    ['another name', () => ({ serverName: 'two.test', rootCAs: [authority.certificate] }), 'upstream.tls'],
    ['the address as name', () => ({ rootCAs: [authority.certificate] }), 'upstream.tls'],
    [
      'a URI that is not there',
      () => ({ serverName: 'one.test', rootCAs: [authority.certificate], peerCertURI: 'spiffe://x' }),
      'upstream.tls',
    ],
    [
      'an authority that is no PEM',
      () => ({ rootCAs: ['nonsense'], certificates: [{ certFile: 'nonsense', keyFile: 'x' }] }),
      'upstream.tls',
    ],
    [
      'no version in common',
      () => ({ insecureSkipVerify: true, maxVersion: 'VersionTLS11', minVersion: 'VersionTLS11' }),
      'upstream.refused',
    ],
    [
      'no suite in common',
      () => ({ insecureSkipVerify: true, maxVersion: 'VersionTLS12', cipherSuites: ['TLS_RSA_WITH_AES_128_GCM_SHA256'] }),
      'upstream.refused',
    ],
  ];
  it.each(untrusted)('TLS: %s fails', async (_name, transport, code) => {
    const { port } = await tlsServer({});
    await expect(newUpstream().send(tlsTarget(port, transport()), createRequest())).rejects.toMatchObject({ code });
  });

  it('TLS: insecureSkipVerify trusts anybody', async () => {
    const { port } = await tlsServer({});
    expect(await textOf(await newUpstream().send(tlsTarget(port, { insecureSkipVerify: true }), createRequest()))).toBe('ok');
  });

  it('TLS: shows a certificate to a server that wants one', async () => {
    const { port, sockets } = await tlsServer({
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority.certificate,
      maxVersion: 'TLSv1.2',
    });
    const client = authority.issue(['client.test']);
    const upstream = newUpstream();
    await expect(upstream.send(tlsTarget(port, { insecureSkipVerify: true }), createRequest())).rejects.toMatchObject({
      code: 'upstream.refused',
    });
    const certificates = [{ certFile: client.certificate, keyFile: client.key }];
    expect(await textOf(await upstream.send(tlsTarget(port, { insecureSkipVerify: true, certificates }), createRequest()))).toBe('ok');
    expect(sockets[0]!.getPeerCertificate().subject.CN).toBe('client.test');
  });

  it('dialTimeout counts until the handshake is over', async () => {
    const { server, clock, upstream } = await setUp();
    const answer = upstream.send(tlsTarget(server.port, { forwardingTimeouts: { dialTimeout: 1000 } }), createRequest());
    answer.catch(() => {});
    const connection = await server.next();
    await connection.bytes(1);
    await clock.advance(1001);
    await expect(answer).rejects.toMatchObject({ code: 'upstream.timeout', sent: false });
    await connection.end();
  });

  it('gives up dialling when the client goes away', async () => {
    const { server, upstream } = await setUp();
    const request = createRequest();
    const answer = upstream.send(tlsTarget(server.port, {}), request);
    answer.catch(() => {});
    await (await server.next()).bytes(1);
    request.cancellation.cancel();
    await expect(answer).rejects.toMatchObject({ code: 'upstream.aborted', sent: false });
    await expect(upstream.send(serverTarget(server.port), request)).rejects.toMatchObject({ code: 'upstream.aborted', sent: false });
  });

  it('Unix sockets', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'edgeway-unix-'));
    const socketPath = path.join(folder, 'a b.sock');
    const server = net.createServer((socket) => void socket.on('data', () => socket.write(ANSWER))).listen(socketPath);
    await new Promise((resolve) => server.once('listening', resolve));
    const upstream = newUpstream();
    closers.push(
      () => server.close(),
      () => rmSync(folder, { recursive: true }),
    );
    const target = { ...serverTarget(0), url: `unix://${folder}/a%20b.sock`, host: 'localhost' };
    expect(await textOf(await upstream.send(target, createRequest()))).toBe('ok');
  });

  it('a Unix socket that is not there', async () => {
    const target = { ...serverTarget(0), url: 'unix:///nowhere.sock', host: 'localhost' };
    await expect(newUpstream().send(target, createRequest())).rejects.toMatchObject({ code: 'upstream.refused', sent: false });
  });
});

it('passes bodies of all sizes unchanged, by length and chunked, to quick and slow clients', async () => {
  const sizes = [0, 1, 1000, 16_000, 16_384, 16_385, 65_536, 65_537, 300_000, 2_000_000];
  const content = (size: number): string =>
    Array.from({ length: Math.ceil(size / 10) }, (_, i) => String(i).padStart(10, '-'))
      .join('')
      .slice(0, size);
  const back = await listenHttp1({
    handler: async (request) => {
      const text = content(Number(request.query));
      if (request.path === '/length') return textResponse(200, text);
      async function* pieces() {
        for (let at = 0; at < text.length; at += 40_000) yield Buffer.from(text.slice(at, at + 40_000));
      }
      return { status: 200, headers: new HeaderList(), body: createStreamBody(pieces()) };
    },
    entryPoint: 'back',
    clock: systemClock,
    log: silentLogger,
    limits: DEFAULT_LIMITS,
  });
  const upstream = createUpstream({ clock: systemClock });
  const front = await listenHttp1({
    handler: (request) => upstream.send(serverTarget(back.port), request),
    entryPoint: 'front',
    clock: systemClock,
    log: silentLogger,
    limits: DEFAULT_LIMITS,
  });
  closers.push(back.close, upstream.close, front.close);
  const ask = async (slow: boolean): Promise<void> => {
    const client = await connectRaw(front.port);
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
