import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { Clock } from '../../base/clock.ts';
import { UpstreamError } from '../../base/errors.ts';
import { HeaderList, type ProxyRequest, type ProxyResponse } from '../../base/message.ts';
import { targetText } from '../http1/head-text.ts';
import { isReplayable } from '../rim/upstream-error.ts';
import { Http2Body } from './body.ts';
import { BodyWriter, mayHaveTrailers } from './body-writer.ts';
import type { Feed } from './feed.ts';
import { appendFields } from './fields.ts';
import { breakStream, cancelStream } from './reset.ts';

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;
/** Interim answers to one request; more are an attack on whoever counts them. */
const MAX_INTERIMS = 64;
const NEEDS_LENGTH = /^(?:POST|PUT|PATCH)$/;

/** What an exchange wants from the session that it is on. */
export interface ExchangeSession {
  readonly session: ClientHttp2Session;
  readonly scheme: 'http' | 'https';
  readonly clock: Clock;
  /** 0 for no limit. */
  readonly responseHeaderTimeoutMs: number;
  /** The server said, or the connection's end does, that it has not looked at the stream. */
  isUnseen(stream: ClientHttp2Stream): boolean;
  /** The connection is gone. */
  readonly lost: boolean;
  /** Exchanges that ended well before. */
  readonly served: number;
  onOver(answered: boolean): void;
}

/**
 * Sends a request on a stream of its own. Resolves with the head of its answer, or with undefined when the server has not looked at the
 * request and it may be sent again; rejects with UpstreamError.
 */
export function exchange(on: ExchangeSession, request: ProxyRequest, feed: Feed | undefined): Promise<ProxyResponse | undefined> {
  return new Promise((resolve, reject) => {
    try {
      new UpstreamExchange(on, request, feed, resolve, reject);
    } catch (cause) {
      on.onOver(false);
      reject(new UpstreamError('upstream.malformed', 'The request cannot be sent by HTTP/2', { sent: false, cause }));
    }
  });
}

class UpstreamExchange {
  readonly #on: ExchangeSession;
  readonly #request: ProxyRequest;
  readonly #feed: Feed | undefined;
  readonly #stream: ClientHttp2Stream;
  readonly #resolve: (response: ProxyResponse | undefined) => void;
  readonly #reject: (error: unknown) => void;
  readonly #writer: BodyWriter | undefined;
  #cancelTimer: (() => void) | undefined;
  #interims = 0;
  #answered = false;
  /** Why we gave up ourselves. */
  #failure: unknown;

  constructor(
    on: ExchangeSession,
    request: ProxyRequest,
    feed: Feed | undefined,
    resolve: (response: ProxyResponse | undefined) => void,
    reject: (error: unknown) => void,
  ) {
    this.#on = on;
    this.#request = request;
    this.#feed = feed;
    this.#resolve = resolve;
    this.#reject = reject;
    const waitForTrailers = feed !== undefined && mayHaveTrailers(feed.body, request.headers);
    const stream = on.session.request(requestFields(request, on.scheme), { endStream: feed === undefined, waitForTrailers });
    this.#stream = stream;
    stream.on('error', () => {});
    stream.on('headers', (fields, _flags, raw: unknown) => this.#onInterim(Number(fields[':status']), raw as string[]));
    stream.on('response', (fields, flags, raw: unknown) => this.#onResponse(Number(fields[':status']), flags, raw as string[]));
    stream.on('close', () => this.#onClose());
    request.cancellation.add(this.#onCancel);
    if (on.responseHeaderTimeoutMs > 0) this.#startTimer(on.responseHeaderTimeoutMs);
    if (feed === undefined) return;
    this.#writer = new BodyWriter(stream, feed, this, waitForTrailers);
    this.#writer.start();
  }

  readonly #onCancel = (): void => {
    this.#failure ??= new UpstreamError('upstream.aborted', 'The client went away');
    cancelStream(this.#stream);
  };

  #startTimer(ms: number): void {
    this.#cancelTimer = this.#on.clock.after(ms, () => {
      this.#failure ??= new UpstreamError('upstream.timeout', `The server sent no head of an answer within ${ms} ms`);
      cancelStream(this.#stream);
    });
  }

  onBodyFailed(error: unknown): void {
    this.#failure ??= error;
    breakStream(this.#stream, error);
  }

  #onInterim(status: number, raw: readonly string[]): void {
    if (++this.#interims > MAX_INTERIMS) {
      this.#failure ??= new UpstreamError('upstream.malformed', "The server's answer is malformed: too many interim answers");
      cancelStream(this.#stream);
      return;
    }
    // The client's own expectation is met when its body is opened.
    if (status !== 100 || !this.#request.headers.has('Expect')) this.#request.interim?.(status, withoutPseudo(raw));
  }

  #onResponse(status: number, flags: number, raw: readonly string[]): void {
    this.#answered = true;
    this.#cancelTimer?.();
    this.#feed?.settle();
    const headers = withoutPseudo(raw);
    const stream = this.#stream;
    let body: Http2Body | undefined;
    if ((flags & NGHTTP2_FLAG_END_STREAM) === 0) {
      const announced = headers.get('Content-Length');
      body = new Http2Body(stream, {
        length: this.#request.method === 'HEAD' || announced === undefined ? undefined : Number(announced),
        failure: () => this.#bodyFailure(),
        onDiscarded: () => cancelStream(stream),
        onComplete: () => this.#finish(),
      });
    } else {
      stream.resume();
      this.#finish();
    }
    this.#resolve({ status, headers, body });
  }

  #bodyFailure(): Error {
    if (this.#failure instanceof Error) return this.#failure;
    return new UpstreamError('upstream.closed', `The server ended the answer before its body was complete: ${this.#reset()}`);
  }

  /** The answer is complete: what is still to come of the request has no use any more. */
  #finish(): void {
    if (this.#writer !== undefined && !this.#stream.writableEnded) cancelStream(this.#stream);
  }

  #reset(): string {
    const code = this.#stream.rstCode ?? 0;
    return `stream reset with ${
      Object.entries(constants)
        .find(([name, value]) => value === code && ERROR_NAME.test(name))?.[0]
        .slice(8) ?? code
    }`;
  }

  #onClose(): void {
    const { cancellation } = this.#request;
    cancellation.remove(this.#onCancel);
    this.#cancelTimer?.();
    this.#writer?.stop();
    this.#on.onOver(this.#answered);
    if (this.#answered) {
      this.#feed?.discard();
      return;
    }
    if (this.#failure === undefined && this.#mayRepeat()) {
      this.#resolve(undefined);
      return;
    }
    this.#feed?.discard();
    this.#reject(this.#failure ?? this.#cause());
  }

  #mayRepeat(): boolean {
    if (this.#feed !== undefined && !this.#feed.repeatable) return false;
    if (this.#stream.rstCode === NGHTTP2_REFUSED_STREAM || this.#on.isUnseen(this.#stream)) return true;
    // A kept connection that the server closed meanwhile says nothing about the server.
    return this.#on.lost && this.#on.served > 0 && isReplayable(this.#request);
  }

  #cause(): UpstreamError {
    const code = this.#stream.rstCode;
    if (this.#on.lost || code === NGHTTP2_NO_ERROR || code === NGHTTP2_CANCEL)
      return new UpstreamError('upstream.closed', 'The server closed the connection without an answer');
    if (code === NGHTTP2_REFUSED_STREAM) return new UpstreamError('upstream.refused', 'The server refused the stream');
    return new UpstreamError('upstream.malformed', `The server gave no answer: ${this.#reset()}`);
  }
}

const ERROR_NAME = /^NGHTTP2_(?!FLAG|SETTINGS|ERR_|STREAM|HCAT|NV|SESSION|DEFAULT)/;

const withoutPseudo = (raw: readonly string[]): HeaderList => {
  const list: string[] = [];
  for (let i = 0; i < raw.length; i += 2) if (raw[i]!.charCodeAt(0) !== 0x3a) list.push(raw[i]!, raw[i + 1]!);
  return new HeaderList(list);
};

function requestFields(request: ProxyRequest, scheme: string): string[] {
  const { method, host, body } = request;
  const fields = [':method', method];
  // An empty one is malformed.
  if (host !== '') fields.push(':authority', host);
  if (method !== 'CONNECT') fields.push(':scheme', scheme, ':path', targetText(request));
  appendFields(fields, request.headers);
  const length = body === undefined ? (NEEDS_LENGTH.test(method) ? 0 : undefined) : body.length;
  if (length !== undefined) fields.push('content-length', String(length));
  return fields;
}
