import { once } from 'node:events';
import net from 'node:net';

/** A socket spoken to byte by byte. All text is latin1. */
export interface RawConnection {
  readonly socket: net.Socket;
  /** Everything received so far that no `until` took. */
  readonly received: () => string;
  write(text: string): void;
  /** Waits for the text and takes everything up to and with it. Fails when the connection ends before. */
  until(text: string): Promise<string>;
  /** Takes exactly so many bytes. */
  bytes(count: number): Promise<string>;
  /** One answer with its body as Content-Length, chunked framing or `bodyless` say; `raw` chunks stay framed. */
  response(options?: { bodyless?: boolean }): Promise<{ head: string; body: string }>;
  /** Waits for the end; gives what was still there. */
  end(): Promise<string>;
  close(): void;
}

export async function connectRaw(port: number, host = '127.0.0.1'): Promise<RawConnection> {
  const socket = net.connect({ port, host, allowHalfOpen: true });
  await once(socket, 'connect');
  return rawConnection(socket);
}

export function rawConnection(socket: net.Socket): RawConnection {
  let received = '';
  let ended = false;
  let wake = (): void => {};
  const news = (): Promise<void> => new Promise((resolve) => void (wake = resolve));
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    wake();
  });
  for (const event of ['end', 'close'])
    socket.on(event, () => {
      ended = true;
      wake();
    });
  const take = (length: number): string => {
    const text = received.slice(0, length);
    received = received.slice(length);
    return text;
  };
  const connection: RawConnection = {
    socket,
    received: () => received,
    write: (text) => void socket.write(text, 'latin1'),
    async until(text) {
      for (;;) {
        const index = received.indexOf(text);
        if (index !== -1) return take(index + text.length);
        if (ended) throw new Error(`The connection ended before ${JSON.stringify(text)}; received ${JSON.stringify(received)}`);
        await news();
      }
    },
    async bytes(count) {
      while (received.length < count) {
        if (ended) throw new Error(`The connection ended after ${received.length} of ${count} bytes`);
        await news();
      }
      return take(count);
    },
    async response({ bodyless = false } = {}) {
      const head = await connection.until('\r\n\r\n');
      const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1];
      if (bodyless) return { head, body: '' };
      if (/^transfer-encoding: *chunked\r$/im.test(head)) return { head, body: await readChunked(connection) };
      if (length !== undefined) return { head, body: await connection.bytes(Number(length)) };
      return { head, body: await connection.end() };
    },
    async end() {
      while (!ended) await news();
      return take(received.length);
    },
    close: () => socket.destroy(),
  };
  return connection;
}

/** The content, then `|` and the trailer section when there is one. */
async function readChunked(connection: RawConnection): Promise<string> {
  let body = '';
  for (;;) {
    const size = Number.parseInt(await connection.until('\r\n'), 16);
    if (size === 0) break;
    body += await connection.bytes(size);
    await connection.bytes(2);
  }
  let trailers = '';
  for (;;) {
    const line = await connection.until('\r\n');
    if (line === '\r\n') return trailers === '' ? body : `${body}|${trailers}`;
    trailers += line;
  }
}

/** A server whose every connection is spoken to by hand. `next` gives connections in the order in which they came. */
export async function listenRaw(): Promise<{ port: number; next: () => Promise<RawConnection>; close: () => void }> {
  const waiting: RawConnection[] = [];
  const takers: ((connection: RawConnection) => void)[] = [];
  const all = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    all.add(socket);
    const connection = rawConnection(socket);
    const taker = takers.shift();
    if (taker === undefined) waiting.push(connection);
    else taker(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    next: () => {
      const first = waiting.shift();
      return first === undefined ? new Promise((resolve) => void takers.push(resolve)) : Promise.resolve(first);
    },
    close() {
      for (const socket of all) socket.destroy();
      server.close();
    },
  };
}
