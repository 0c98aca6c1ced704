import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import type { Handler, ProxyRequest } from '../../src/base/message.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { createHttp1Connection, peerOf } from '../../src/origin-agent/http1/accept.ts';
import { DEFAULT_LIMITS, type Http1Limits, type Http1Settings, type Outcome } from '../../src/origin-agent/http1/settings.ts';
import { serveHttp2 } from '../../src/origin-agent/http2/door.ts';
import type { Live } from '../../src/origin-agent/tcp/serve.ts';

export interface Http2TestServer {
  readonly port: number;
  /** HTTP/2 connections open now. */
  readonly connections: Set<Live>;
  readonly outcomes: { request: ProxyRequest; outcome: Outcome }[];
  close(): void;
}

export interface Http2TestOptions {
  readonly clock?: Clock;
  readonly limits?: Partial<Http1Limits>;
  readonly maxConcurrentStreams?: number;
}

/** A plain entry point that speaks HTTP/1.1, and HTTP/2 with who begins so. */
export async function listenHttp2(handler: Handler, options: Http2TestOptions = {}): Promise<Http2TestServer> {
  const connections = new Set<Live>();
  const outcomes: Http2TestServer['outcomes'] = [];
  const settings: Http1Settings = {
    handler,
    entryPoint: 'web',
    clock: options.clock ?? systemClock,
    log: silentLogger,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    onOutcome: (request, outcome) => void outcomes.push({ request, outcome }),
    onHttp2(socket, peer, first) {
      const tables = { maxDecoderHeaderTableSize: 4096, maxEncoderHeaderTableSize: 4096 };
      const http2 = { ...settings, ...tables, maxConcurrentStreams: options.maxConcurrentStreams ?? 250 };
      const live: Live = serveHttp2(socket, http2, peer, first, () => connections.delete(live));
      connections.add(live);
    },
  };
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    createHttp1Connection(socket, settings, peerOf(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    connections,
    outcomes,
    close() {
      for (const connection of connections) connection.destroy();
      server.close();
    },
  };
}

/** A client of Node's; errors are for those who wait for them. */
export function connectHttp2(port: number, options: object = {}): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, { maxSendHeaderBlockLength: 1_000_000, maxSessionMemory: 100, ...options });
  session.on('error', () => {});
  return session;
}

export interface Http2Talk {
  readonly server: Http2TestServer;
  readonly session: ClientHttp2Session;
  /** Of the client's end. */
  readonly socket: net.Socket;
}

/** A server and a client of it; both go with the test. */
export async function talkHttp2(handler: Handler, options: Http2TestOptions = {}): Promise<Http2Talk> {
  const server = await listenHttp2(handler, options);
  const socket = net.connect(server.port, '127.0.0.1');
  const session = connectHttp2(server.port, { createConnection: () => socket });
  onTestFinished(() => {
    server.close();
    session.destroy();
  });
  return { server, session, socket };
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly trailers: Record<string, unknown> | undefined;
  readonly interim: number[];
  readonly rstCode: number;
}

/** Sends a request and waits until its stream is closed, however. */
export function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string | Buffer): Promise<Http2Answer> {
  const stream = session.request({ ':authority': 'a.test', ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: Record<string, unknown> | undefined;
    const interim: number[] = [];
    const pieces: Buffer[] = [];
    stream.on('response', (fields) => (headers = fields));
    stream.on('headers', (fields) => interim.push(Number(fields[':status'])));
    stream.on('trailers', (fields) => (trailers = Object.fromEntries(Object.entries(fields))));
    stream.on('data', (piece) => pieces.push(piece));
    stream.on('error', () => {});
    stream.on('close', () => {
      const text = Buffer.concat(pieces).toString('latin1');
      resolve({ status: Number(headers[':status']), headers, text, trailers, interim, rstCode: stream.rstCode ?? 0 });
    });
  });
}
