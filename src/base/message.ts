/**
 * The currency of the proxy: a request and a response as records, as close to the wire as Traefik's behaviour needs.
 * WHATWG `Headers` and `URL` lose repeated values, order, case and the raw target; `Request` and `Response` cost half the speed.
 */

import type { UpstreamError } from './errors.ts';

/**
 * Header fields in the order, case and number in which they came. Look-ups ignore case. Values are one character a byte (latin1,
 * as Node and fetch have them); a text from the configuration goes through `toByteText` first.
 */
export class HeaderList {
  /** Name, value, name, value … as on the wire. */
  readonly raw: string[];

  constructor(raw: string[] = []) {
    this.raw = raw;
  }

  static from(pairs: Iterable<readonly [string, string]>): HeaderList {
    const list = new HeaderList();
    for (const [name, value] of pairs) list.raw.push(name, value);
    return list;
  }

  /** The first value. */
  get(name: string): string | undefined {
    const index = this.#indexOf(name, 0);
    return index === -1 ? undefined : this.raw[index + 1];
  }

  getAll(name: string): string[] {
    const values: string[] = [];
    for (let i = this.#indexOf(name, 0); i !== -1; i = this.#indexOf(name, i + 2)) values.push(this.raw[i + 1]!);
    return values;
  }

  has(name: string): boolean {
    return this.#indexOf(name, 0) !== -1;
  }

  append(name: string, value: string): void {
    this.raw.push(name, value);
  }

  /** Replaces the first field of the name in its place and removes the others, or appends. */
  set(name: string, value: string): void {
    const index = this.#indexOf(name, 0);
    if (index === -1) {
      this.raw.push(name, value);
      return;
    }
    this.raw[index] = name;
    this.raw[index + 1] = value;
    this.#removeFrom(name, index + 2);
  }

  delete(name: string): void {
    this.#removeFrom(name, 0);
  }

  /** Keeps the fields for which the test says true. */
  filter(keep: (name: string, value: string) => boolean): void {
    const { raw } = this;
    let to = 0;
    for (let i = 0; i < raw.length; i += 2) {
      if (!keep(raw[i]!, raw[i + 1]!)) continue;
      raw[to] = raw[i]!;
      raw[to + 1] = raw[i + 1]!;
      to += 2;
    }
    raw.length = to;
  }

  clone(): HeaderList {
    return new HeaderList(this.raw.slice());
  }

  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (let i = 0; i < this.raw.length; i += 2) yield [this.raw[i]!, this.raw[i + 1]!];
  }

  #indexOf(name: string, from: number): number {
    const { raw } = this;
    const { length } = name;
    let lower: string | undefined;
    for (let i = from; i < raw.length; i += 2) {
      const candidate = raw[i]!;
      if (candidate.length !== length) continue;
      if (candidate === name) return i;
      lower ??= name.toLowerCase();
      if (candidate.toLowerCase() === lower) return i;
    }
    return -1;
  }

  #removeFrom(name: string, from: number): void {
    let to = this.#indexOf(name, from);
    if (to === -1) return;
    const { raw } = this;
    const lower = name.toLowerCase();
    for (let i = to + 2; i < raw.length; i += 2) {
      if (raw[i]!.length === lower.length && raw[i]!.toLowerCase() === lower) continue;
      raw[to] = raw[i]!;
      raw[to + 1] = raw[i + 1]!;
      to += 2;
    }
    raw.length = to;
  }
}

/**
 * A body lent by the platform. Exactly one of `chunks`, `bytes`, `discard` is called, once; a platform that meets its own
 * handle again passes the bytes on without any of them.
 */
export interface Body {
  /** Bytes, where known before reading (Content-Length). */
  readonly length: number | undefined;
  /** Each chunk is valid until the next is asked for. Throws UpstreamError or ClientError when the sender fails. */
  chunks(): AsyncIterable<Uint8Array>;
  /** The whole body. Throws ClientError `client.too-large` (413) beyond `limit` bytes. */
  bytes(limit: number): Promise<Uint8Array>;
  /** The rest is not wanted. */
  discard(): void;
  /** Trailer fields; known only after the last chunk. */
  trailers(): HeaderList | undefined;
}

/** Facts of the TLS connection that the client made. */
export interface TlsFacts {
  readonly serverName: string | undefined;
  /** As Traefik logs it: `1.2`, `1.3`. */
  readonly version: string;
  /** Go's name of the suite. */
  readonly cipher: string;
  /** The client's certificate chain as DER, leaf first; empty without. */
  readonly clientCertificates: readonly Uint8Array[];
  /** Key of the TLS options in force on the connection (`default`, `strict@file`). */
  readonly options: string;
}

/** Tells once that nobody waits for the answer any more. */
export class Cancellation {
  cancelled = false;
  /** One callback is the rule: it needs no list. */
  #callbacks: (() => void) | (() => void)[] | undefined;

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    const callbacks = this.#callbacks;
    this.#callbacks = undefined;
    if (typeof callbacks === 'function') callbacks();
    else if (callbacks !== undefined) for (const callback of callbacks) callback();
  }

  /** Calls back at once when it is cancelled already. The returned function takes the callback away. */
  onCancel(callback: () => void): () => void {
    this.add(callback);
    return () => this.remove(callback);
  }

  /** `onCancel` for those who keep the callback themselves. */
  add(callback: () => void): void {
    if (this.cancelled) callback();
    else if (this.#callbacks === undefined) this.#callbacks = callback;
    else if (typeof this.#callbacks === 'function') this.#callbacks = [this.#callbacks, callback];
    else this.#callbacks.push(callback);
  }

  remove(callback: () => void): void {
    const callbacks = this.#callbacks;
    if (callbacks === callback) this.#callbacks = undefined;
    else if (typeof callbacks === 'object') this.#callbacks = callbacks.filter((other) => other !== callback);
  }
}

/** A request as it was before any middleware, and what became of it; kept only while somebody wants to know. */
export interface Observation {
  /** The record that is told of: behind the edge the client's request, not the one that brought it. */
  readonly request: ProxyRequest;
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly host: string;
  /** First X-Forwarded-For that the entry point believed. */
  readonly forwardedFor: string | undefined;
  /** Later middlewares may change it, as in Traefik. */
  readonly headers: HeaderList;
  readonly upgrade: string | undefined;
  readonly body: Body | undefined;
  /** The matched router's service. */
  serviceOfRouter: string | undefined;
  accessLogs: boolean;
  metrics: boolean;
  /** The service is one of our own (ping, API …). */
  internal: boolean;
  /** Answers of services, the retried ones too. */
  readonly tries: ServiceTry[];
  /** Header of the server's last answer. */
  originHeaders: HeaderList | undefined;
  responseHeaders: HeaderList | undefined;
}

export interface ServiceTry {
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds until the head. */
  durationMs: number;
  /** 0 until it is there. */
  status: number;
  /** Bytes of the body, where known. */
  size: number | undefined;
}

/** What logs, metrics and traces want to know of one request; filled on its way. */
export interface RequestFacts {
  /** Milliseconds since the epoch, with fractions. */
  startedAt: number;
  routerName: string | undefined;
  serviceName: string | undefined;
  /** The chosen server's URL as configured. */
  serviceUrl: string | undefined;
  clientUsername: string | undefined;
  /** Tries beyond the first. */
  retryAttempts: number;
  originStatus: number | undefined;
  /** Milliseconds from the choice of a server until its head came. */
  originDurationMs: number | undefined;
  originContentSize: number | undefined;
  /** At the edge or behind it: the agent that answered. */
  site: string | undefined;
  /** Set by the proxy while access log or metrics are on. */
  observation: Observation | undefined;
  /** Called when the answer has left or nobody waits for it any more; use `whenFinished`. */
  finished: (() => void)[] | undefined;
}

export interface ProxyRequest {
  method: string;
  /** Percent-encoded path of the target, without the query. `*` for `OPTIONS *`. */
  path: string;
  /** Without `?`; undefined when the target has no `?`. */
  query: string | undefined;
  /** Host as the client sent it, port included; empty when it sent none. */
  host: string;
  /** `HTTP/1.0`, `HTTP/1.1`, `HTTP/2.0`. */
  protocol: string;
  scheme: 'http' | 'https';
  /** Without Host. */
  headers: HeaderList;
  body: Body | undefined;
  /** Peer of the connection, after the PROXY protocol; empty in a request that no client sent (an error page's). */
  clientAddress: string;
  clientPort: number;
  tls: TlsFacts | undefined;
  entryPoint: string;
  /** The protocol of the Upgrade that the client asks for (`websocket`), when Connection names it. */
  upgrade: string | undefined;
  /** Aborted when the client goes away. */
  cancellation: Cancellation;
  /** Sends an interim answer (1xx) to the client; undefined where the platform cannot. */
  interim: ((status: number, headers: HeaderList) => void) | undefined;
  /** True: the server is not told the client's address in X-Forwarded-For (an empty one among `customRequestHeaders`). */
  omitForwardedFor?: boolean;
  facts: RequestFacts;
}

export interface ProxyResponse {
  status: number;
  headers: HeaderList;
  body: Body | undefined;
  /** With status 101: the platform's own handle of the upgraded connection, passed through untouched. */
  tunnel?: unknown;
  /** Set when this answer stands for a failure towards the server (502, 504 …): retry and circuitBreaker look at it. */
  failure?: UpstreamError;
}

/** Steps of a chain take the request and give the response of what stands behind them. */
export type Handler = (request: ProxyRequest) => Promise<ProxyResponse>;

export function createFacts(startedAt: number): RequestFacts {
  return {
    startedAt,
    routerName: undefined,
    serviceName: undefined,
    serviceUrl: undefined,
    clientUsername: undefined,
    retryAttempts: 0,
    originStatus: undefined,
    originDurationMs: undefined,
    originContentSize: undefined,
    site: undefined,
    observation: undefined,
    finished: undefined,
  };
}

/** Calls back once when the request's answer has left completely, or was given up. */
export function whenFinished(facts: RequestFacts, callback: () => void): void {
  facts.finished ??= [];
  facts.finished.push(callback);
}

/** Where the callbacks stand; `finishSince` calls those that come after. */
export const finishMark = (facts: RequestFacts): number => facts.finished?.length ?? 0;

/** For whoever throws an answer away and asks again: what began since the mark is over, the request is not. */
export function finishSince(facts: RequestFacts, mark: number): void {
  for (const callback of facts.finished?.splice(mark) ?? []) callback();
}

/** For rims: the answer is out, or the client is gone. May be called again without harm. */
export function finish(facts: RequestFacts): void {
  const callbacks = facts.finished;
  if (callbacks === undefined) return;
  facts.finished = undefined;
  for (const callback of callbacks) callback();
}

/** A request that a test or an internal caller makes up; what is not given is a plain `GET /` from 127.0.0.1. */
export function createRequest(init: Partial<ProxyRequest> = {}): ProxyRequest {
  return {
    method: 'GET',
    path: '/',
    query: undefined,
    host: '',
    protocol: 'HTTP/1.1',
    scheme: 'http',
    headers: new HeaderList(),
    body: undefined,
    clientAddress: '127.0.0.1',
    clientPort: 0,
    tls: undefined,
    entryPoint: '',
    upgrade: undefined,
    cancellation: new Cancellation(),
    interim: undefined,
    facts: createFacts(0),
    ...init,
  };
}

/** The target as it stands in the request line. */
export const requestTarget = (request: Pick<ProxyRequest, 'path' | 'query'>): string =>
  request.query === undefined ? request.path || '/' : `${request.path || '/'}?${request.query}`;
