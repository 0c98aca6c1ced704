import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An Engine API made of a map: path without version → JSON, or what answers. */
export type Answer = JsonValue | ((request: IncomingMessage, response: ServerResponse) => void);
export type Answers = Record<string, Answer>;
type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export interface FakeEngine {
  readonly endpoint: string;
  /** Method and target of everything that was asked. */
  readonly asked: string[];
  /** The heads of what was asked. */
  readonly requests: IncomingMessage[];
  /** Sends a line to all who listen to events. */
  emit(event: unknown): void;
  /** Ends all streams of events. */
  endEvents(): void;
  /** How many listen to events. */
  listeners(): number;
  /** Closes all connections at once, and takes no others. */
  cut(): void;
  close(): Promise<void>;
}

interface FakeEngineOptions {
  readonly tls?: ServerOptions;
  readonly tcp?: boolean;
  /** Header of `/_ping`; none when null. */
  readonly apiVersion?: string | null;
}

export async function startFakeEngine(answers: Answers, { tls, tcp, apiVersion = '1.41' }: FakeEngineOptions = {}): Promise<FakeEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-engine-'));
  const asked: string[] = [];
  const requests: IncomingMessage[] = [];
  const listeners = new Set<ServerResponse>();
  const handle: RequestListener = (request, response) => {
    const path = request.url!.replace(/^\/v[\d.]+(?=\/)/, '').replace(/\?.*$/, '');
    asked.push(`${request.method} ${request.url}`);
    requests.push(request);
    const answer = answers[path];
    if (typeof answer === 'function') return answer(request, response);
    if (path === '/_ping') {
      if (apiVersion !== null) response.setHeader('Api-Version', apiVersion);
      return response.end('OK');
    }
    if (path === '/events' && answer === undefined) {
      response.writeHead(200).flushHeaders();
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
      return;
    }
    response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'page not found' }));
  };
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  const socket = join(folder, 'engine.sock');
  await new Promise<void>((resolve) => {
    if (tcp || tls !== undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(socket, resolve);
  });
  return {
    endpoint: tcp || tls !== undefined ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${socket}`,
    asked,
    requests,
    emit(event) {
      const line = typeof event === 'string' ? event : `${JSON.stringify(event)}\n`;
      for (const listener of listeners) listener.write(line);
    },
    endEvents() {
      for (const listener of listeners) listener.end();
    },
    listeners: () => listeners.size,
    cut() {
      server.closeAllConnections();
      server.close();
    },
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Something on a socket that is no engine: `talk` gets every connection. */
export async function startRawEngine(talk: (socket: Socket) => void): Promise<{ endpoint: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
