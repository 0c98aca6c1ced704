import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { readLines } from '../providers/clients/json-lines.ts';

/** The agent that serves now, seen by the one that comes. */
export interface Predecessor {
  readonly pid: number;
  /** Addresses of its entry points, as they are written. */
  readonly addresses: readonly string[];
  /** Asks it to leave; resolves when it listens no more, or is gone. */
  leave(): Promise<void>;
  /** Lets it be: it goes on as if nobody had come. */
  release(): void;
}

/** The wish of an agent that comes, and what the one that serves answers. */
type Message = { readonly pid: number; readonly addresses: readonly string[] } | { readonly leave: true } | { readonly left: true };

/** For an answer of the process that listens at the socket. */
const ANSWER_MS = 10_000;
/** What Linux takes for the path of a socket. */
const MAX_PATH_BYTES = 107;

/** The agent that awaits a successor at this path; undefined when there is none. Throws ConfigError when it does not answer. */
export async function findPredecessor(path: string): Promise<Predecessor | undefined> {
  const socket = connect(path);
  const answers = readMessages(socket);
  const next = async (): Promise<Message | undefined> => {
    const late = setTimeout(() => socket.destroy(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
    try {
      return (await answers.next()).value ?? undefined;
    } finally {
      clearTimeout(late);
    }
  };
  let hello: Message | undefined;
  try {
    hello = await next();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // Nobody is there: never was, or ended without tidying up.
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw new ConfigError('config.io', `The agent at '${path}' cannot be asked: ${message}`, { object: 'edge.takeover' }, { cause });
  }
  if (hello === undefined || !('pid' in hello)) return undefined;
  return {
    pid: hello.pid,
    addresses: hello.addresses,
    async leave() {
      socket.write(`${JSON.stringify({ leave: true } satisfies Message)}\n`);
      await next().catch(() => {});
      socket.destroy();
    },
    release: () => socket.destroy(),
  };
}

export interface SuccessionOptions {
  readonly path: string;
  readonly addresses: readonly string[];
  /** Called at most once. Resolves when nothing is listened on any more. */
  readonly leave: () => Promise<void>;
}

/** Awaits the agent that will take over. Only who may open the folder may ask. Throws ConfigError when the path cannot be used. */
export async function awaitSuccessor({ path, addresses, leave }: SuccessionOptions): Promise<{ close(): void }> {
  let leaving: Promise<void> | undefined;
  const server = createServer(async (socket) => {
    socket.on('error', () => {});
    socket.write(`${JSON.stringify({ pid: process.pid, addresses } satisfies Message)}\n`);
    try {
      for await (const message of readMessages(socket)) {
        if (!('leave' in message)) continue;
        // The path is the successor's from the moment of the answer on: closing later would take its socket away.
        server.close();
        leaving ??= leave();
        await leaving;
        socket.end(`${JSON.stringify({ left: true } satisfies Message)}\n`);
      }
    } catch {
      socket.destroy();
    }
  });
  try {
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new Error(`a path of a socket has at most ${MAX_PATH_BYTES} bytes`);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  } catch (cause) {
    const { message } = cause as Error;
    throw new ConfigError(
      'config.io',
      `A successor cannot be awaited at '${path}': ${message}; set edge.stateDirectory to a short path that can be written`,
      { object: 'edge.takeover' },
      { cause },
    );
  }
  return {
    close() {
      if (leaving === undefined) server.close();
    },
  };
}

/** Lines that are no message are passed over. */
async function* readMessages(socket: Socket): AsyncGenerator<Message, void, void> {
  for await (const line of readLines(socket)) {
    if ('json' in line && typeof line.json === 'object' && line.json !== null) yield line.json as Message;
  }
}
