import { type Agent, type IncomingMessage, request as startRequest } from 'node:http';
import { ConfigError } from '../../base/errors.ts';
import type { ClientTls } from './client-tls.ts';
import { createEngineAgent, resolveEndpoint } from './docker-connect.ts';
import { type EngineLine, readLines } from './json-lines.ts';

/** The range of the Engine API that is spoken. What is read from it has been the same since 1.24 (Docker 1.12). */
const OLDEST_API = [1, 24];
const NEWEST_API = [1, 52];

/** A list of a thousand containers with long labels has some ten megabytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const DEFAULT_TIMEOUT_MS = 30_000;

export interface DockerClientOptions {
  readonly endpoint: string;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ClientTls;
  /** Milliseconds; 0 and nothing mean 30 s. */
  readonly httpClientTimeout?: number;
}

/** The engine answered, but not as asked: the one request failed, others may work. */
export class EngineAnswerError extends Error {
  override readonly name = 'EngineAnswerError';
  /** 0 when the answer itself could not be read. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Question {
  readonly query?: Readonly<Record<string, string>>;
  /** Goes the API's way, as JSON in the query. */
  readonly filters?: Readonly<Record<string, readonly string[]>>;
  /** Less than the client's own. */
  readonly timeoutMs?: number;
}

/**
 * The read side of the Engine API. Methods throw ConfigError when the engine cannot be reached, EngineAnswerError when it
 * refuses, answers nonsense, or not in time.
 */
export interface DockerClient {
  readonly endpoint: string;
  /** Negotiated, as `1.41`. */
  readonly apiVersion: string;
  /** The JSON of an answer, unchecked. */
  get(path: string, question?: Question): Promise<unknown>;
  /** Resolves when the engine confirmed the subscription; the lines end, or throw, when the stream does. */
  events(filters: Record<string, string[]>): Promise<AsyncIterable<EngineLine>>;
  close(): void;
}

export async function connectDocker(
  options: DockerClientOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DockerClient> {
  const address = await resolveEndpoint(options.endpoint, options.tls, environment);
  const agent = createEngineAgent(address.connect);
  const calls = createCalls(agent, address.endpoint, options);
  try {
    const apiVersion = environment.DOCKER_API_VERSION || (await negotiate(calls));
    return {
      endpoint: address.endpoint,
      apiVersion,
      get: async (path, question = {}) => calls.json(`/v${apiVersion}${path}${queryText(question)}`, question.timeoutMs),
      events: async (filters) => calls.stream(`/v${apiVersion}/events${queryText({ filters })}`),
      close: calls.close,
    };
  } catch (error) {
    calls.close();
    throw error;
  }
}

function queryText({ query, filters }: Question): string {
  const parameters = new URLSearchParams(query);
  if (filters !== undefined) parameters.set('filters', JSON.stringify(filters));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** The newest version that both sides speak; the engine names its own in a header of `/_ping` (since 1.25), else in `/version`. */
async function negotiate(calls: Calls): Promise<string> {
  const named = (await calls.ping()) ?? ((await calls.json('/version')) as { ApiVersion?: unknown })?.ApiVersion;
  const match = /^(\d+)\.(\d+)$/.exec(typeof named === 'string' ? named : '');
  if (match === null) throw new ConfigError('config.io', `${calls.endpoint} does not answer like a Docker engine (no API version)`);
  const theirs = [Number(match[1]), Number(match[2])];
  if (compare(theirs, OLDEST_API) < 0) {
    throw new ConfigError('config.unsupported', `${calls.endpoint} speaks API ${named}; at least ${OLDEST_API.join('.')} is needed`);
  }
  return (compare(theirs, NEWEST_API) < 0 ? theirs : NEWEST_API).join('.');
}

const compare = (a: readonly number[], b: readonly number[]): number => a[0]! - b[0]! || a[1]! - b[1]!;

interface Calls {
  readonly endpoint: string;
  /** The version the engine names, undefined when it names none. */
  ping(): Promise<string | undefined>;
  json(target: string, timeoutMs?: number): Promise<unknown>;
  stream(target: string): Promise<AsyncIterable<EngineLine>>;
  close(): void;
}

function createCalls(agent: Agent, endpoint: string, options: DockerClientOptions): Calls {
  const defaultMs = options.httpClientTimeout || DEFAULT_TIMEOUT_MS;
  const headers: Record<string, string> = { host: 'docker', 'user-agent': 'edgeway' };
  if (options.username && options.password) {
    headers.authorization = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`;
  }
  const closed = new AbortController();

  /** The head of an answer. Whoever got it must read or destroy it. An idle connection that the engine had closed is replaced. */
  const open = (target: string, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = startRequest({ agent, path: target, headers, signal });
      request.on('response', resolve);
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (request.reusedSocket && error.code === 'ECONNRESET') resolve(open(target, signal));
        else reject(unreachable(endpoint, error));
      });
      request.end();
    });

  /** Runs with one time limit from the connection to the last byte. */
  const limited = async <T>(target: string, use: (response: IncomingMessage) => Promise<T>, wantedMs = defaultMs): Promise<T> => {
    const timeoutMs = Math.min(wantedMs, defaultMs);
    const timeout = AbortSignal.timeout(timeoutMs);
    let response: IncomingMessage | undefined;
    try {
      response = await open(target, AbortSignal.any([timeout, closed.signal]));
      return await use(response);
    } catch (error) {
      throw timeout.aborted ? new EngineAnswerError(0, `${endpoint} did not answer ${target} within ${timeoutMs}ms`) : error;
    } finally {
      response?.destroy();
    }
  };

  return {
    endpoint,
    ping: () =>
      limited('/_ping', async (response) => {
        await readText(response, MAX_ERROR_BYTES);
        const version = response.headers['api-version'];
        return typeof version === 'string' ? version : undefined;
      }),
    json: (target, timeoutMs) =>
      limited(
        target,
        async (response) => {
          if (response.statusCode !== 200) throw await refusal(target, response);
          const text = await readText(response, MAX_ANSWER_BYTES);
          try {
            return JSON.parse(text);
          } catch {
            throw new EngineAnswerError(0, `${target}: the answer is no JSON: ${JSON.stringify(text.slice(0, 60))}`);
          }
        },
        timeoutMs,
      ),
    async stream(target) {
      const response = await open(target, closed.signal);
      if (response.statusCode !== 200) throw await refusal(target, response);
      return readLines(response);
    },
    close() {
      closed.abort();
      agent.destroy();
    },
  };
}

const unreachable = (endpoint: string, error: Error): ConfigError =>
  error instanceof ConfigError
    ? error
    : new ConfigError('config.io', `${endpoint} cannot be reached: ${error.message}`, {}, { cause: error });

/** The body as text. A body above the limit is not read on: nothing says how long it would become. */
async function readText(response: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw new EngineAnswerError(0, `The answer of the engine is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function refusal(target: string, response: IncomingMessage): Promise<EngineAnswerError> {
  const status = response.statusCode ?? 0;
  const text = await readText(response, MAX_ERROR_BYTES).catch(() => '');
  response.destroy();
  let message = text.trim().slice(0, 200);
  try {
    const parsed: unknown = (JSON.parse(text) as { message?: unknown }).message;
    if (typeof parsed === 'string') message = parsed.slice(0, 200);
  } catch {
    // A proxy's page or plain text: shown as it is.
  }
  return new EngineAnswerError(status, `${target.split('?')[0]}: the engine answers ${status} ${message}`);
}
