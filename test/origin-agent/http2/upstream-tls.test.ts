import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type Server, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createRequest, HeaderList } from '../../../src/base/message.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { createUpstream } from '../../../src/origin-agent/http1/upstream.ts';
import { generateDefaultCertificate } from '../../../src/origin-agent/tls/default-certificate.ts';
import type { ServerTarget } from '../../../src/proxy/platform.ts';

const pair = generateDefaultCertificate(Date.now());
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server of HTTP/1.1 and, unless `old`, of HTTP/2, that answers with the version spoken and what was offered. */
async function serve(old: boolean, transport: object = {}) {
  const connections: TLSSocket[] = [];
  const options = { ...pair, allowHTTP1: true, ALPNProtocols: old ? ['http/1.1'] : ['h2', 'http/1.1'] };
  const server: Server | Http2SecureServer = old
    ? createTlsServer(options, (socket) => {
        socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n1.1'));
        socket.on('error', () => {});
      })
    : createSecureServer(options, (request, response) => {
        if (request.headers.upgrade !== undefined) response.writeHead(200);
        response.end(request.httpVersion);
      });
  server.on('secureConnection', (socket: TLSSocket) => connections.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const upstream = createUpstream({ clock: systemClock });
  closers.push(upstream.close, () => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  const target: ServerTarget = {
    url: `https://127.0.0.1:${port}`,
    scheme: 'https',
    host: '127.0.0.1',
    port,
    transportName: 'default@internal',
    transport: { insecureSkipVerify: true, ...transport } as ServerTarget['transport'],
  };
  const ask = async (init: Parameters<typeof createRequest>[0] = {}): Promise<string> => {
    const { body } = await upstream.send(target, createRequest({ host: 'a.test', ...init }));
    return new TextDecoder().decode(await body!.bytes(100));
  };
  return { connections, ask, upstream };
}

const many = <T>(count: number, make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, make));

describe('servers with TLS', () => {
  it('are spoken to by HTTP/2 when they agree on it, on one connection', async () => {
    const { ask, connections } = await serve(false);
    expect(new Set(await many(20, () => ask()))).toEqual(new Set(['2.0']));
    expect(connections.map(({ alpnProtocol }) => alpnProtocol)).toEqual(['h2']);
  });

  it('are spoken to by HTTP/1.1 when they do not', async () => {
    const { ask, connections, upstream } = await serve(true);
    expect(new Set(await many(5, () => ask()))).toEqual(new Set(['1.1']));
    expect(connections.length).toBe(5);
    expect(await ask()).toBe('1.1');
    expect([connections.length, upstream.idle]).toEqual([5, 5]);
  });

  it('are offered nothing with disableHTTP2', async () => {
    const { ask, connections } = await serve(false, { disableHTTP2: true });
    expect(await many(2, () => ask())).toEqual(['1.1', '1.1']);
    expect(connections.map(({ alpnProtocol }) => alpnProtocol)).toEqual([false, false]);
  });

  it('get upgrades by HTTP/1.1, whatever else they speak', async () => {
    const { ask, connections } = await serve(false);
    expect(await ask()).toBe('2.0');
    expect(await ask({ upgrade: 'websocket', headers: new HeaderList(['Upgrade', 'websocket']) })).toBe('1.1');
    expect(await ask()).toBe('2.0');
    expect(connections.map(({ alpnProtocol }) => alpnProtocol)).toEqual(['h2', 'http/1.1']);
  });

  it('that are not trusted fail all requests that wait', async () => {
    const { ask } = await serve(false, { insecureSkipVerify: false });
    const results = await Promise.allSettled([ask(), ask(), ask()]);
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(Array(3).fill('upstream.tls'));
  });

  it('go on when the one who connects first goes away', async () => {
    const { ask } = await serve(false);
    const leaving = createRequest();
    const first = ask({ cancellation: leaving.cancellation });
    const second = ask();
    leaving.cancellation.cancel();
    await expect(first).rejects.toMatchObject({ code: 'upstream.aborted', sent: false });
    expect(await second).toBe('2.0');
  });
});
