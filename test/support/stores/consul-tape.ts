import { type Answer, createStoreHttp } from '../../../src/providers/clients/store-http.ts';

/** One question and its answer, as they went over the wire. */
export interface Exchange {
  readonly request: { readonly method: Method; readonly path: string; readonly token?: string; readonly body?: unknown };
  readonly answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown };
  /** Milliseconds, of questions that wait. */
  readonly tookMs?: number;
}

/** What `record-consul.ts` writes. */
export interface Recording {
  /** Version of the Consul. */
  readonly consul: string;
  readonly scenes: Readonly<Record<string, readonly Exchange[]>>;
}

type Method = 'GET' | 'PUT';

export interface Tape {
  ask(method: Method, path: string, more?: { readonly token?: string; readonly body?: string }): Promise<Answer>;
  /** Saves all; what it gives restores it. Not noted: no client of ours does it. */
  snapshot(): Promise<() => Promise<unknown>>;
  /** In the order in which they were asked. */
  readonly exchanges: () => Promise<readonly Exchange[]>;
  close(): void;
}

/** Of no meaning for what is compared: they change with the clock and the connection. */
const PASSING = new Set(['date', 'content-length', 'connection', 'keep-alive', 'transfer-encoding']);
/** Longer bodies are told by their length. */
const MAX_BODY = 2_000;

/** Notes what is asked of a Consul, through the transport of our client. */
export function createTape(port: number): Tape {
  const http = createStoreHttp([`127.0.0.1:${port}`], port, undefined);
  const noted: Promise<Exchange>[] = [];
  return {
    ask(method, path, { token, body } = {}) {
      const began = performance.now();
      const answer = http.ask({ method, path, body, headers: token === undefined ? {} : { 'x-consul-token': token } });
      noted.push(
        answer.then(({ status, headers, text }) => ({
          request: { method, path, ...(token && { token }), ...(body !== undefined && { body: bodyOf(body) }) },
          answer: { status, headers: headersOf(headers), body: bodyOf(text) },
          ...(path.includes('wait=') && { tookMs: Math.round(performance.now() - began) }),
        })),
      );
      return answer;
    },
    async snapshot() {
      const url = `http://127.0.0.1:${port}/v1/snapshot`;
      const body = await (await fetch(url)).arrayBuffer();
      return () => fetch(url, { method: 'PUT', body });
    },
    exchanges: () => Promise.all(noted),
    close: () => http.close(),
  };
}

const headersOf = (headers: Answer['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !PASSING.has(name))
      .map(([name, value]): [string, string] => [name, String(value)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

function bodyOf(text: string): unknown {
  if (text.length > MAX_BODY) return { characters: text.length };
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Which call of the API it is: `GET /v1/kv/* index keys wait`. Namespaces are told in a query too, and are the same call. */
export function callOf(method: string, path: string): string {
  const { pathname, searchParams } = new URL(path, 'http://consul');
  const place = pathname.replace(/^(\/v1\/(?:kv|session\/[a-z]+))\/.*$/, '$1/*');
  return [method, place, ...[...searchParams.keys()].filter((name) => name !== 'ns').sort()].join(' ');
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const INDEXES = new Set(['CreateIndex', 'ModifyIndex', 'x-consul-index']);

/** Without what differs from server to server: ids by their first appearance, indexes by their order in the scene. */
export function comparable(exchanges: readonly Exchange[], keep: readonly string[] = []): unknown {
  const names = new Map<string, string>();
  const named = JSON.parse(
    JSON.stringify(exchanges).replace(UUID, (id) => {
      if (keep.includes(id)) return id;
      if (!names.has(id)) names.set(id, `id ${names.size + 1}`);
      return names.get(id)!;
    }),
  ) as Exchange[];
  const found = new Set<number>();
  visit(named, (value) => found.add(value) && value);
  const ranks = new Map([...found].sort((a, b) => a - b).map((value, rank) => [value, rank]));
  return visit(
    named.map(({ tookMs: _, ...exchange }) => exchange),
    (value) => `index ${ranks.get(value)}`,
  );
}

function visit(value: unknown, toIndex: (index: number) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => visit(item, toIndex));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (name === 'path') return [name, String(item).replace(/index=(\d+)/, (_, index) => `index=${toIndex(Number(index))}`)];
      return [name, INDEXES.has(name) ? toIndex(Number(item)) : visit(item, toIndex)];
    }),
  );
}
