import { createBody, textResponse } from '../../src/base/body.ts';
import { decodeText } from '../../src/base/bytes.ts';
import { createLocalCells } from '../../src/base/cells.ts';
import { decode } from '../../src/base/decode.ts';
import { ConfigError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/log.ts';
import {
  createRequest,
  finish,
  type Handler,
  HeaderList,
  type ProxyRequest,
  type ProxyResponse,
  requestTarget,
} from '../../src/base/message.ts';
import type { MiddlewareContext, MiddlewareDefinition } from '../../src/middlewares/middleware.ts';
import { createManualClock } from './manual-clock.ts';

/** A request as a test writes it: headers as pairs, body as text. */
export type Ask = Partial<Omit<ProxyRequest, 'headers' | 'body'>> & {
  headers?: readonly (readonly [string, string])[];
  body?: string | undefined;
};

export const makeRequest = ({ headers = [], body, ...rest }: Ask = {}): ProxyRequest =>
  createRequest({ host: 'x.test', ...rest, headers: HeaderList.from(headers), body: body === undefined ? undefined : createBody(body) });

/** What a server behind the middleware saw. */
export interface Seen {
  readonly line: string;
  readonly host: string;
  readonly headers: [string, string][];
  readonly body: string | undefined;
}

export interface Harness {
  /** Sends a request through the middleware and reads the answer. */
  ask(request?: Ask): Promise<Answer>;
  /** The same with the records themselves. */
  run(request: ProxyRequest): Promise<ProxyResponse>;
  readonly seen: Seen[];
}

export interface Answer {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body: string;
  header(name: string): string | undefined;
}

/** The options as a configuration file has them, decoded and handed to `create`. Behind it stands `server`, or one that says `from a`. */
export function build(
  definition: MiddlewareDefinition,
  options: unknown,
  { server, ...context }: Partial<MiddlewareContext> & { server?: Handler } = {},
): Harness {
  const { value, problems } = decode(definition.options, options);
  if (problems.length > 0)
    throw new ConfigError('config.bad-value', problems.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '));
  const middleware = definition.create!(value as never, createContext(context));
  const seen: Seen[] = [];
  const next: Handler = async (request) => {
    const entry = {
      line: `${request.method} ${requestTarget(request)}`,
      host: request.host,
      headers: [...request.headers],
      body: undefined as string | undefined,
    };
    seen.push(entry);
    if (server !== undefined) return server(request);
    if (request.body !== undefined) entry.body = decodeText(await request.body.bytes(1e9));
    return textResponse(200, 'from a', { contentType: 'text/plain' });
  };
  const run = (request: ProxyRequest): Promise<ProxyResponse> => middleware(request, next);
  const ask = async (init?: Ask): Promise<Answer> => {
    const request = makeRequest(init);
    try {
      return await readAnswer(await run(request));
    } finally {
      finish(request.facts);
    }
  };
  return { run, seen, ask };
}

export async function readAnswer(response: ProxyResponse): Promise<Answer> {
  const headers = [...response.headers];
  return {
    status: response.status,
    headers,
    body: response.body === undefined ? '' : decodeText(await response.body.bytes(1e9)),
    header: (name) => response.headers.get(name),
  };
}

export const createContext = (changes: Partial<MiddlewareContext> = {}): MiddlewareContext => ({
  name: 'm@file',
  router: 'r@file',
  place: 'agent',
  clock: createManualClock(),
  random: () => 0.5,
  cells: createLocalCells(),
  sharedCells: createLocalCells(),
  log: silentLogger,
  service(name) {
    throw new ConfigError('config.reference', `the service '${name}' does not exist`);
  },
  fetch: async () => {
    throw new Error('no fetch here');
  },
  platform: {},
  ...changes,
});

/** What the operator is told of options that are refused, at decoding or at creation; undefined when they are fine. */
export function refusal(definition: MiddlewareDefinition, options: unknown, context: Partial<MiddlewareContext> = {}): string | undefined {
  try {
    build(definition, options, context);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
