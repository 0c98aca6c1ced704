import { DurableObject } from 'cloudflare:workers';
import { Credit, decodeCredit, decodeFrame, decodeHead, encodeCredit, encodeFrame, encodeHead, FRAME } from '../frames.ts';

interface Env {
  readonly LINK: DurableObjectNamespace;
  readonly ORIGIN: string;
}

interface Exchange {
  readonly credit: Credit;
  readonly answer: (response: Response) => void;
  readonly fail: (error: Error) => void;
  body?: ReadableStreamDefaultController<Uint8Array>;
}

/** `/.link` is where the agent dials in; `/direct…` goes to the origin by `fetch`, to compare; all else over the agent's socket. */
export default {
  fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/direct')) return fetch(env.ORIGIN + pathname.slice('/direct'.length), request);
    return env.LINK.getByName('agent-1').fetch(request);
  },
};

/** One object an agent: the socket that the agent opened, and all requests for it. */
export class Link extends DurableObject<Env> {
  #socket: WebSocket | undefined;
  #exchanges = new Map<number, Exchange>();
  #next = 1;

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/.link') {
      const { 0: client, 1: server } = new WebSocketPair();
      this.ctx.acceptWebSocket(server);
      this.#socket = server;
      return new Response(null, { status: 101, webSocket: client });
    }
    return this.#exchange(request);
  }

  #exchange(request: Request): Promise<Response> {
    const socket = this.#socket;
    if (socket === undefined) return Promise.resolve(new Response('no agent', { status: 503 }));
    const stream = this.#next++;
    const { pathname, search } = new URL(request.url);
    const head = encodeHead({
      method: request.method,
      target: pathname + search,
      headers: [...request.headers],
      hasBody: request.body !== null,
    });
    socket.send(encodeFrame(FRAME.head, stream, head));
    return new Promise((answer, fail) => {
      const exchange: Exchange = { credit: new Credit(), answer, fail };
      this.#exchanges.set(stream, exchange);
      if (request.body !== null) void this.#sendBody(socket, stream, exchange, request.body);
    });
  }

  async #sendBody(socket: WebSocket, stream: number, { credit }: Exchange, body: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of body) {
      await credit.take(chunk.length);
      socket.send(encodeFrame(FRAME.data, stream, chunk));
    }
    socket.send(encodeFrame(FRAME.end, stream));
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const { type, stream, payload } = decodeFrame(message as ArrayBuffer);
    const exchange = this.#exchanges.get(stream);
    if (exchange === undefined) return;
    if (type === FRAME.head) exchange.answer(this.#response(socket, stream, exchange, payload));
    else if (type === FRAME.data) exchange.body?.enqueue(payload);
    else if (type === FRAME.credit) exchange.credit.give(decodeCredit(payload));
    else if (type === FRAME.end) {
      exchange.body?.close();
      this.#exchanges.delete(stream);
    }
  }

  #response(socket: WebSocket, stream: number, exchange: Exchange, payload: Uint8Array): Response {
    const { status, headers, hasBody } = decodeHead(payload);
    const init = { status: status!, headers: headers.map(([name, value]): [string, string] => [name, value]) };
    if (!hasBody) return new Response(null, init);
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (exchange.body = controller),
        // What is wanted is what has room again.
        pull: () => void socket.send(encodeFrame(FRAME.credit, stream, encodeCredit(64 * 1024))),
        cancel: () => void socket.send(encodeFrame(FRAME.abort, stream)),
      },
      { highWaterMark: 512 * 1024, size: (chunk) => chunk?.length ?? 0 },
    );
    return new Response(body, init);
  }

  override webSocketClose(): void {
    this.#socket = undefined;
    for (const { fail } of this.#exchanges.values()) fail(new Error('The agent has gone'));
    this.#exchanges.clear();
  }
}
