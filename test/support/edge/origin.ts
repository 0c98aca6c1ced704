import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Origin {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Requests so far. */
  readonly count: () => number;
  stop(): Promise<void>;
}

/** What the origin tells of a request. */
export interface Echo {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly headers: string[];
  readonly body: string;
}

/** A server behind an agent. Without a handler it answers with what it got. */
export async function startOrigin(
  name: string,
  handle: (request: IncomingMessage, response: ServerResponse) => void = echo(name),
): Promise<Origin> {
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    count: () => count,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export const echo =
  (name: string) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1');
      const text = JSON.stringify({
        name,
        method: request.method,
        target: request.url,
        headers: request.rawHeaders,
        body,
      } satisfies Partial<Echo>);
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
    });
  };

/** Values of a field in raw headers. */
export const valuesOf = (headers: readonly string[], name: string): string[] =>
  headers.flatMap((text, i) => (i % 2 === 0 && text.toLowerCase() === name.toLowerCase() ? [headers[i + 1]!] : []));
