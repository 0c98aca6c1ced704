import { randomBytes } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import net from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import { createLocalCells } from '../../../src/base/cells.ts';
import { defaultsOf } from '../../../src/base/decode.ts';
import { createLogger } from '../../../src/base/log.ts';
import { entryPoint as entryPointSchema } from '../../../src/config/static/entry-points.ts';
import type { EntryPoint } from '../../../src/config/static.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import type { Listener } from '../../../src/origin-agent/entrypoints/http.ts';
import { listenTcp } from '../../../src/origin-agent/entrypoints/tcp.ts';
import { createTcpRouting } from '../../../src/origin-agent/tcp/routing.ts';
import { createTcpServices } from '../../../src/origin-agent/tcp/services.ts';
import { generateDefaultCertificate } from '../../../src/origin-agent/tls/default-certificate.ts';
import { HttpsHosts } from '../../../src/origin-agent/tls/https-hosts.ts';
import { createTlsTermination } from '../../../src/origin-agent/tls/termination.ts';
import { ask } from '../../support/http2-server.ts';

const log = createLogger(() => {}, 'ERROR');
const echo = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('data', (bytes) => socket.write(`echo ${bytes}`));
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
});
let listener: Listener;
let port = 0;
const pair = generateDefaultCertificate(Date.now());

beforeAll(async () => {
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(echo.address() as net.AddressInfo).port}`;
  const tcpRouter = (rule: string, more: object = {}) => ({
    entryPoints: ['main'],
    middlewares: [],
    service: 'echo',
    rule,
    priority: 10,
    ...more,
  });
  const tcp = {
    routers: {
      plain: tcpRouter('ClientIP(`127.0.0.9`)'),
      ended: tcpRouter('HostSNI(`echo.test`)', { tls: {} }),
      full: tcpRouter('ClientIP(`127.0.0.8`)', { middlewares: ['one'] }),
    },
    services: { echo: { loadBalancer: { servers: [{ address }] } } },
    middlewares: { one: { inFlightConn: { amount: 1 } } },
    serversTransports: {},
  } as never;
  const https = new HttpsHosts();
  https.update({
    routers: {
      site: { entryPoints: ['main'], rule: 'Host(`site.test`)', tls: { options: 'strict' }, middlewares: [], service: 's', priority: 1 },
    },
  } as never);
  const routing = createTcpRouting(tcp, { cells: createLocalCells(), precedence: undefined });
  const services = createTcpServices(tcp, createLocalCells());
  const tls = createTlsTermination(
    {
      certificates: [{ ...pair, names: ['site.test'] }],
      fallback: pair,
      options: { default: {}, strict: { sniStrict: true, alpnProtocols: ['h2', 'http/1.1'], minVersion: 'VersionTLS13' } } as never,
      ticketKeys: randomBytes(48),
    },
    log,
  );
  const entryPoint = {
    ...(defaultsOf(entryPointSchema) as EntryPoint),
    address: '127.0.0.1:0',
    proxyProtocol: { trustedIPs: ['127.0.0.7'] },
  };
  listener = await listenTcp('main', entryPoint, {
    handler: async (request) =>
      textResponse(200, `${request.scheme} ${request.clientAddress} ${request.tls?.serverName ?? '-'} ${request.tls?.options ?? '-'}`),
    clock: systemClock,
    log,
    reusePort: false,
    streams: { https, routing, services: () => services, tls: () => tls },
  });
  port = listener.port;
});

afterAll(async () => {
  listener.close();
  await listener.drain();
  await new Promise((resolve) => echo.close(resolve));
});

/** Sends the pieces one by one and reads until the text has come or the connection is over. */
function talk(socket: net.Socket, pieces: readonly (string | Buffer)[], until: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (): void => {
      resolve(text);
      socket.destroy();
    };
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (text.includes(until)) finish();
    });
    socket.on('error', () => {});
    socket.on('close', finish);
    for (const piece of pieces) socket.write(piece);
  });
}

const GET = 'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n';
const plain = (localAddress = '127.0.0.1'): net.Socket => net.connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
const secure = (servername: string, more: object = {}): TLSSocket =>
  connectTls({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ...more });

describe('one entry point', () => {
  it('serves plain HTTP', async () => {
    expect(await talk(plain(), [GET], 'http 127')).toContain('http 127.0.0.1 - -');
  });

  it('serves HTTPS with the options of the host', async () => {
    expect(await talk(secure('site.test'), [GET], 'strict')).toContain('https 127.0.0.1 site.test strict');
  });

  it('gives names of nobody the default options', async () => {
    expect(await talk(secure('else.test'), [GET], 'default')).toContain('https 127.0.0.1 else.test default');
  });

  it.each([
    ['site.test', ['h2', 'http/1.1'], 'h2'],
    ['site.test', ['http/1.1'], 'http/1.1'],
    // Its options name no protocols.
    ['else.test', ['h2', 'http/1.1'], false],
  ])('agrees with %s, which speaks %j, on %s', async (name, protocols, chosen) => {
    const socket = secure(name, { ALPNProtocols: protocols });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.alpnProtocol).toBe(chosen);
    socket.destroy();
  });

  it.each([
    ['over TLS', () => secure('site.test', { ALPNProtocols: ['h2'] }), 'https 127.0.0.1 site.test strict'],
    ['to who knows of it', () => plain(), 'http 127.0.0.1 - -'],
  ])('speaks HTTP/2 %s', async (_name, connect, text) => {
    const session = connectHttp2('https://site.test', { createConnection: connect });
    const answers = await Promise.all([ask(session, {}), ask(session, { ':method': 'POST' }, 'body')]);
    expect(answers.map((answer) => answer.text)).toEqual([text, text]);
    await new Promise<void>((resolve) => session.close(resolve));
  });

  it('refuses a version that the options leave out', async () => {
    const socket = secure('site.test', { maxVersion: 'TLSv1.2' });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('resumes a session with the ticket keys', async () => {
    const first = secure('site.test');
    const session = new Promise<Buffer>((resolve) => first.once('session', resolve));
    await talk(first, [GET], 'strict');
    const again = secure('site.test', { session: await session });
    await new Promise((resolve) => again.once('secureConnect', resolve));
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
  });

  it('takes a hello that comes in crumbs', async () => {
    const way = plain();
    const client = connectTls({ socket: chopped(way), servername: 'site.test', rejectUnauthorized: false });
    expect(await talk(client, [GET], 'strict')).toContain('https 127.0.0.1 site.test strict');
    way.destroy();
  });

  it('terminates TLS for a TCP router', async () => {
    expect(await talk(secure('echo.test'), ['hi'], 'echo hi')).toBe('echo hi');
  });

  it('gives a plain TCP router its clients', async () => {
    expect(await talk(plain('127.0.0.9'), ['hi'], 'echo hi')).toBe('echo hi');
  });

  it('grants Postgres TLS and routes by its name', async () => {
    const socket = plain();
    const granted = await new Promise<Buffer>((resolve) => {
      socket.once('data', resolve);
      socket.write(Buffer.from('0000000804d2162f', 'hex'));
    });
    expect(granted.toString()).toBe('S');
    socket.removeAllListeners('data');
    expect(await talk(connectTls({ socket, servername: 'echo.test', rejectUnauthorized: false }), ['hi'], 'echo hi')).toBe('echo hi');
  });

  it('counts connections of one address', async () => {
    const first = plain('127.0.0.8');
    await new Promise<void>((resolve) => {
      first.once('data', () => resolve());
      first.write('a');
    });
    expect(await talk(plain('127.0.0.8'), ['b'], 'never')).toBe('');
    first.destroy();
  });

  it('believes the PROXY header of a trusted peer only', async () => {
    const header = 'PROXY TCP4 203.0.113.7 198.51.100.1 4321 443\r\n';
    expect(await talk(plain('127.0.0.7'), [header, GET], 'http 203')).toContain('http 203.0.113.7');
    expect(await talk(plain(), [header, GET], 'http 127')).toContain('http 127.0.0.1 - -');
  });

  it('closes what begins like TLS and is none', async () => {
    expect(await talk(plain(), [Buffer.from([22, 3, 1, 0, 0])], 'never')).toBe('');
  });
});

/** Lets the first bytes through in pieces of ten. */
function chopped(socket: net.Socket): net.Socket {
  const write = socket._write.bind(socket);
  let left = 60;
  socket._writev = undefined as never;
  socket._write = (chunk: Buffer, encoding, done) => {
    if (left <= 0 || chunk.length <= 10) return write(chunk, encoding, done);
    left -= 1;
    write(chunk.subarray(0, 10), encoding, () => setImmediate(() => socket._write(chunk.subarray(10), encoding, done)));
  };
  return socket;
}
