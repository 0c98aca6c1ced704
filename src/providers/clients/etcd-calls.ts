import type { Infer } from '../../base/schema.ts';
import type { etcd as etcdOptions } from '../../config/static/stores.ts';
import { readClientTls } from './client-tls.ts';
import { readLines } from './json-lines.ts';
import { StoreError } from './store.ts';
import { createStoreHttp, parseAnswer } from './store-http.ts';

export type EtcdStoreOptions = Omit<Infer<typeof etcdOptions>, 'rootKey'>;

/** The v3 API as JSON, which every etcd from 3.4 on speaks on its client port. Throws StoreError. */
export interface EtcdCalls {
  call<T>(method: string, body: object): Promise<T>;
  /** Answers of a watch, as they come; a line that is too long to be kept is undefined. */
  watch(requests: readonly object[], signal: AbortSignal): Promise<AsyncIterable<WatchAnswer | undefined>>;
  close(): void;
}

export interface WatchAnswer {
  readonly result?: {
    readonly created?: boolean;
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    readonly compact_revision?: string;
    readonly events?: readonly { readonly kv?: { readonly key?: string } }[];
  };
  readonly error?: { readonly message?: string };
}

interface Refusal {
  readonly error?: string;
  readonly message?: string;
  readonly code?: number;
}

/** gRPC's codes: the token is old or unknown. */
const UNAUTHENTICATED = 16;
const UNAVAILABLE = [1, 4, 14];

/** Throws ConfigError when a TLS file cannot be read. */
export async function createEtcdCalls({ endpoints, username, password, tls }: EtcdStoreOptions): Promise<EtcdCalls> {
  const http = createStoreHttp(endpoints, 2379, tls && (await readClientTls(tls)));
  let token: Promise<string> | undefined;

  async function ask<T>(method: string, body: object, headers: Record<string, string>): Promise<T> {
    const answer = await http.ask({ method: 'POST', path: `/v3/${method}`, headers, body: JSON.stringify(body) });
    if (answer.status === 200) return parseAnswer<T>(answer);
    throw refusal(parseAnswer<Refusal>(answer), answer.status);
  }
  function authorization(): Promise<string> | undefined {
    if (!username) return undefined;
    token ??= ask<{ token: string }>('auth/authenticate', { name: username, password: password ?? '' }, {}).then(({ token }) => token);
    token.catch(() => (token = undefined));
    return token;
  }
  async function headers(): Promise<Record<string, string>> {
    const token = await authorization();
    return token === undefined ? {} : { authorization: token };
  }
  /** Once more with a new token when the old one ran out. */
  async function authorized<T>(work: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    try {
      return await work(await headers());
    } catch (error) {
      if (token === undefined || !(error instanceof TokenError)) throw error;
      token = undefined;
      return work(await headers());
    }
  }

  return {
    call: (method, body) => authorized((headers) => ask(method, body, headers)),
    watch: (requests, signal) =>
      authorized(async (headers) => {
        const body = requests.map((request) => JSON.stringify({ create_request: request })).join('\n');
        // A member that lost its leader ends the watch instead of keeping silent.
        const question = {
          method: 'POST',
          path: '/v3/watch',
          headers: { ...headers, 'grpc-metadata-hasleader': 'true' },
          body,
          signal,
        } as const;
        const { status, chunks } = await http.stream(question);
        if (status !== 200) {
          const text = await new Response(chunks as never).text();
          throw refusal(parseAnswer<Refusal>({ status, headers: {}, text }), status);
        }
        return answersOf(readLines(chunks));
      }),
    close: http.close,
  };
}

async function* answersOf(lines: ReturnType<typeof readLines>): AsyncGenerator<WatchAnswer | undefined> {
  for await (const line of lines) yield 'json' in line ? (line.json as WatchAnswer) : undefined;
}

class TokenError extends StoreError {
  constructor(message: string) {
    super('refused', message);
  }
}

function refusal({ error, message, code }: Refusal, status: number): StoreError {
  const text = message ?? error ?? `status ${status}`;
  if (code === UNAUTHENTICATED || /invalid auth token|auth store is old/.test(text)) return new TokenError(text);
  return new StoreError(UNAVAILABLE.includes(code ?? 0) || status === 503 ? 'unreachable' : 'refused', text);
}
