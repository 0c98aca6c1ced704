import { Agent, type IncomingMessage, request as startRequest } from 'node:http';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { parseEndpoint } from './endpoint.ts';
import { MAX_TEXT } from './pair-list.ts';
import { StoreError } from './store.ts';

export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the connection to the last byte; the client's own when absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** HTTP to whichever of some equal servers answers. Methods throw StoreError `unreachable`, or `bad-answer` beyond all bounds. */
export interface StoreHttp {
  ask(question: Question): Promise<Answer>;
  /** The head and the bytes of an answer without an end; `signal` ends it. */
  stream(question: Question): Promise<{ status: number; chunks: IncomingMessage }>;
  close(): void;
}

const CONNECT_MS = 5_000;
const TIMEOUT_MS = 15_000;
/** A dead server behind TCP is noticed after this and ten probes of a second (libuv). */
const KEEP_ALIVE_MS = 15_000;
/** Base64 and JSON make more of it. */
const MAX_ANSWER_BYTES = 2 * MAX_TEXT;

/** Endpoints are `host:port`; TLS when there are options for it. */
export function createStoreHttp(endpoints: readonly string[], defaultPort: number, tls: ConnectionOptions | undefined): StoreHttp {
  const closed = new AbortController();
  const servers = endpoints.map((endpoint) => {
    const agent = new Agent({ keepAlive: true });
    const target = parseEndpoint(endpoint, defaultPort);
    agent.createConnection = (() => connect(target, tls)) as Agent['createConnection'];
    return { agent, host: endpoint };
  });
  let current = 0;

  const openAt = ({ agent, host }: (typeof servers)[number], question: Question, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { method, path, headers, body } = question;
      const length = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
      const request = startRequest({ agent, method, path, headers: { host, ...length, ...headers }, signal });
      request.on('response', resolve);
      request.on('error', (error: NodeJS.ErrnoException) => {
        // An idle connection that the server had closed meanwhile.
        if (request.reusedSocket && error.code === 'ECONNRESET') resolve(openAt({ agent, host }, question, signal));
        else reject(error);
      });
      request.end(body);
    });

  /** The first server that can be asked, beginning with the one that answered last. */
  async function open(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    let failure: Error | undefined;
    for (let tried = 0; tried < servers.length; tried++) {
      try {
        return await openAt(servers[current]!, question, signal);
      } catch (error) {
        failure = error as Error;
        if (signal.aborted) break;
        current = (current + 1) % servers.length;
      }
    }
    throw failure;
  }

  return {
    async ask(question) {
      const timeoutMs = question.timeoutMs ?? TIMEOUT_MS;
      const timeout = AbortSignal.timeout(timeoutMs);
      const signal = AbortSignal.any([timeout, closed.signal, ...(question.signal ? [question.signal] : [])]);
      let response: IncomingMessage | undefined;
      try {
        response = await open(question, signal);
        return { status: response.statusCode ?? 0, headers: response.headers, text: await readText(response) };
      } catch (error) {
        throw toUnreachable(timeout.aborted ? new Error(`No answer within ${timeoutMs} ms`) : error);
      } finally {
        if (response?.complete === false) response.destroy();
      }
    },
    async stream(question) {
      const signal = AbortSignal.any([closed.signal, ...(question.signal ? [question.signal] : [])]);
      try {
        const chunks = await open(question, signal);
        return { status: chunks.statusCode ?? 0, chunks };
      } catch (error) {
        throw toUnreachable(error);
      }
    },
    close() {
      closed.abort();
      for (const { agent } of servers) agent.destroy();
    },
  };
}

function connect({ host, port }: ReturnType<typeof parseEndpoint>, tls: ConnectionOptions | undefined): Duplex {
  const target = { host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  const socket =
    tls === undefined ? connectTcp(target) : connectTls({ ...target, ...tls, servername: /^[\d.]+$|:/.test(host) ? '' : host });
  const timer = setTimeout(
    () => socket.destroy(new Error(`${host}:${port} does not take the connection within ${CONNECT_MS} ms`)),
    CONNECT_MS,
  );
  for (const event of [tls === undefined ? 'connect' : 'secureConnect', 'close']) socket.once(event, () => clearTimeout(timer));
  return socket;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new StoreError('bad-answer', `The answer is longer than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const toUnreachable = (error: unknown): StoreError =>
  error instanceof StoreError ? error : new StoreError('unreachable', (error as Error).message || String(error));

/** The JSON of an answer. Throws StoreError `bad-answer`. */
export function parseAnswer<T>({ text, status }: Answer): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new StoreError('bad-answer', `The answer (status ${status}) is no JSON: ${JSON.stringify(text.slice(0, 60))}`);
  }
}
