import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { ClientError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import {
  type Body,
  Cancellation,
  createFacts,
  finish,
  type Handler,
  HeaderList,
  type ProxyRequest,
  type ProxyResponse,
} from '../../base/message.ts';
import { statusText } from '../../base/status-text.ts';
import { Channel, nobody } from '../sockets/channel.ts';
import { NodeBody } from './node-body.ts';
import { hasToken, parseRequestTarget, upgradeOf } from './request-target.ts';
import { joinTunnel, type Tunnel } from './tunnel.ts';

export interface NodeHttpServerOptions {
  readonly handler: Handler;
  readonly entryPoint: string;
  readonly scheme: 'http' | 'https';
  readonly clock: Clock;
  readonly log: Logger;
  /** Facts of the TLS connection, for `scheme: 'https'`. */
  readonly tlsFacts?: (socket: Duplex) => ProxyRequest['tls'];
  /** Milliseconds; 0 or absent is no limit. */
  readonly readTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly maxHeaderBytes?: number;
}

/** A server that hands every request to the handler as a record. Feed it connections by `listen` or `emit('connection', socket)`. */
export function createNodeHttpServer(options: NodeHttpServerOptions): Server {
  const server = createServer({
    keepAliveTimeout: options.idleTimeoutMs ?? 0,
    requestTimeout: options.readTimeoutMs ?? 0,
    headersTimeout: options.readTimeoutMs ?? 0,
    maxHeaderSize: options.maxHeaderBytes ?? 1_048_576,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
  });
  server.on('request', (incoming, outgoing) => void serve(options, incoming, outgoing, false));
  server.on('checkContinue', (incoming, outgoing) => void serve(options, incoming, outgoing, true));
  server.on('checkExpectation', (_incoming, outgoing: ServerResponse) => {
    outgoing.writeHead(417, { Connection: 'close', 'Content-Length': 0 }).end();
  });
  for (const event of ['upgrade', 'connect'] as const) {
    server.on(event, (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      void serveDetached(options, incoming, socket);
    });
  }
  return server;
}

async function serve(options: NodeHttpServerOptions, incoming: IncomingMessage, outgoing: ServerResponse, expects: boolean): Promise<void> {
  const request = createRecord(options, incoming, outgoing, expects);
  if (request === undefined) {
    outgoing.writeHead(400, { Connection: 'close', 'Content-Length': 0 }).end();
    return;
  }
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) request.cancellation.cancel();
    finish(request.facts);
  });
  try {
    await writeResponse(request, await options.handler(request), outgoing, options.clock);
  } catch (error) {
    if (outgoing.headersSent) outgoing.destroy();
    else if (error instanceof ClientError) outgoing.writeHead(error.status, { Connection: 'close', 'Content-Length': 0 }).end();
    else {
      options.log.error('The handler failed', { error });
      outgoing.writeHead(500, { Connection: 'close', 'Content-Length': 0 }).end();
    }
  }
}

/** Upgrade and CONNECT: `node:http` has let go of the socket. An ordinary answer is written with a response of our own; then the connection closes. */
async function serveDetached(options: NodeHttpServerOptions, incoming: IncomingMessage, socket: Socket): Promise<void> {
  socket.on('error', () => {});
  const outgoing = new ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  outgoing.assignSocket(socket);
  const request = createRecord(options, incoming, outgoing, false);
  const onClose = (): void => {
    request?.cancellation.cancel();
    if (request !== undefined) finish(request.facts);
  };
  socket.on('close', onClose);
  outgoing.on('finish', () => socket.end());
  try {
    if (request === undefined) throw new ClientError('client.malformed', 400, 'The request target is malformed');
    const response = await options.handler(request);
    if (response.status !== 101 || response.tunnel === undefined) {
      await writeResponse(request, response, outgoing, options.clock);
      return;
    }
    outgoing.detachSocket(socket);
    socket.off('close', onClose);
    socket.on('close', () => finish(request.facts));
    socket.write(interimHead(101, response.headers), 'latin1');
    joinTunnel({ channel: Channel.over(socket, nobody) }, response.tunnel as Tunnel);
  } catch (error) {
    if (!(error instanceof ClientError)) options.log.error('The handler failed', { error });
    if (outgoing.headersSent) socket.destroy();
    else outgoing.writeHead(error instanceof ClientError ? error.status : 500, { 'Content-Length': 0 }).end();
  }
}

function createRecord(
  options: NodeHttpServerOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expects: boolean,
): ProxyRequest | undefined {
  const method = incoming.method!;
  const target = parseRequestTarget(method, incoming.url!);
  if (target === undefined) return undefined;
  const headers = new HeaderList(incoming.rawHeaders.slice());
  const host = target.authority ?? headers.get('Host') ?? '';
  headers.delete('Host');
  const socket = incoming.socket;
  const onOpen = expects ? () => outgoing.writeContinue() : undefined;
  return {
    method,
    path: target.path,
    query: target.query,
    host,
    protocol: `HTTP/${incoming.httpVersion}`,
    scheme: options.scheme,
    headers,
    body: hasRequestBody(headers) ? new NodeBody(incoming, 'client', onOpen) : undefined,
    clientAddress: socket.remoteAddress ?? '',
    clientPort: socket.remotePort ?? 0,
    tls: options.tlsFacts?.(socket),
    entryPoint: options.entryPoint,
    upgrade: upgradeOf(headers),
    cancellation: new Cancellation(),
    // A response that waits behind another one (pipelining) has no socket yet: the hint is dropped.
    interim:
      incoming.httpVersion === '1.0' ? undefined : (status, fields) => void outgoing.socket?.write(interimHead(status, fields), 'latin1'),
    facts: createFacts(options.clock.now()),
  };
}

function hasRequestBody(headers: HeaderList): boolean {
  if (headers.has('Transfer-Encoding')) return true;
  const length = headers.get('Content-Length');
  return length !== undefined && Number(length) !== 0;
}

function interimHead(status: number, headers: HeaderList): string {
  let head = `HTTP/1.1 ${status} ${statusText(status)}\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}

async function writeResponse(request: ProxyRequest, response: ProxyResponse, outgoing: ServerResponse, clock: Clock): Promise<void> {
  const { body, status } = response;
  const bodyless = request.method === 'HEAD' || status === 204 || status === 304;
  const headers = response.headers.clone();
  const close = hasToken(headers, 'Connection', 'close');
  const announced = request.method === 'HEAD' ? headers.get('Content-Length') : undefined;
  for (const name of ['Connection', 'Transfer-Encoding', 'Content-Length']) headers.delete(name);
  const length = announced ?? (status === 204 || status === 304 ? undefined : (body?.length ?? (body === undefined ? 0 : undefined)));
  if (length !== undefined) headers.set('Content-Length', String(length));
  if (close) headers.append('Connection', 'close');
  // Persistence is the default of HTTP/1.1: node:http is told to leave its `Connection: keep-alive` away.
  else if (outgoing.shouldKeepAlive && request.protocol === 'HTTP/1.1') outgoing.removeHeader('Connection');
  outgoing.sendDate = !headers.has('Date');
  outgoing.writeHead(status, statusText(status), headers.raw);
  if (bodyless || body === undefined) {
    if (bodyless) body?.discard();
    outgoing.flushHeaders();
    if (close) await takeRest(outgoing.req, clock);
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  if (!(await writeBody(body, outgoing, request.cancellation))) return;
  if (close) await takeRest(outgoing.req, clock);
  endWithTrailers(body, outgoing);
}

/** How long a client may still send what nobody reads. */
const LINGER_MS = 500;

/** A connection that is closed with something unread is reset, and the client may lose the answer (RFC 9112 §9.6). */
function takeRest(incoming: IncomingMessage, clock: Clock): Promise<void> {
  if (incoming.complete) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = clock.after(LINGER_MS, resolve);
    incoming.once('close', () => {
      stop();
      resolve();
    });
    incoming.once('end', () => {
      stop();
      resolve();
    });
    incoming.resume();
  });
}

/** False when the client went away. */
async function writeBody(body: Body, outgoing: ServerResponse, cancellation: Cancellation): Promise<boolean> {
  for await (const chunk of body.chunks()) {
    if (cancellation.cancelled) return false;
    // A chunk is lent until the next is asked for, so the write must be over by then.
    await new Promise<void>((resolve) => {
      const off = cancellation.onCancel(resolve);
      outgoing.write(chunk, () => {
        off();
        resolve();
      });
    });
  }
  return !cancellation.cancelled;
}

function endWithTrailers(body: Body, outgoing: ServerResponse): void {
  const trailers = body.trailers();
  if (trailers !== undefined) outgoing.addTrailers([...trailers]);
  outgoing.end();
}
