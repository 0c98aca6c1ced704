import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { ProxyRequest, ProxyResponse } from '../../base/message.ts';
import type { ServerTarget } from '../../proxy/platform.ts';
import { Deadline } from '../deadline.ts';
import type { Http1Limits } from '../http1/settings.ts';
import type { Feed } from './feed.ts';
import { type ExchangeSession, exchange } from './upstream-exchange.ts';

/** Until a server says how many streams it takes at once (RFC 9113 §6.5.2 wants no less). */
const FIRST_STREAMS = 100;
/** More on one connection would wait behind each other. */
const MAX_STREAMS = 1000;
const STREAM_WINDOW_BYTES = 262_144;
const CONNECTION_WINDOW_BYTES = 16_777_216;
const SESSION_MEMORY_MB = 128;

export interface SessionOptions {
  readonly target: ServerTarget;
  readonly clock: Clock;
  readonly limits: Http1Limits;
}

/** The HTTP/2 connections to one server, each shared by many requests. */
export class UpstreamSessions {
  readonly #options: SessionOptions;
  readonly #sessions: UpstreamSession[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** One that takes another request. */
  take(): UpstreamSession | undefined {
    return this.#sessions.find((session) => session.hasRoom);
  }

  /** Speaks HTTP/2 on a socket that is connected and that nobody reads. */
  add(socket: Duplex): UpstreamSession {
    const session = new UpstreamSession(socket, this.#options, () => {
      const index = this.#sessions.indexOf(session);
      if (index !== -1) this.#sessions.splice(index, 1);
    });
    this.#sessions.push(session);
    return session;
  }

  /** Those in use end with their last exchange. */
  close(): void {
    for (const session of [...this.#sessions]) session.close();
  }
}

/** One connection to a server. */
export class UpstreamSession implements ExchangeSession {
  readonly session: ClientHttp2Session;
  readonly scheme: 'http' | 'https';
  readonly clock: Clock;
  readonly responseHeaderTimeoutMs: number;
  served = 0;
  readonly #socket: Duplex & { bytesRead?: number };
  readonly #idle: Deadline;
  readonly #idleTimeoutMs: number;
  readonly #onGone: () => void;
  #room = FIRST_STREAMS;
  #active = 0;
  /** Streams above this one were not looked at by the server. */
  #lastSeen = Number.POSITIVE_INFINITY;
  #leaving = false;
  #cancelWatch: (() => void) | undefined;

  constructor(socket: Duplex, { target, clock, limits }: SessionOptions, onGone: () => void) {
    const {
      idleConnTimeout = 90_000,
      responseHeaderTimeout = 0,
      readIdleTimeout = 0,
      pingTimeout = 15_000,
    } = target.transport.forwardingTimeouts ?? {};
    this.clock = clock;
    this.scheme = target.scheme === 'https' ? 'https' : 'http';
    this.responseHeaderTimeoutMs = responseHeaderTimeout;
    this.#idleTimeoutMs = idleConnTimeout;
    this.#socket = socket;
    this.#onGone = onGone;
    this.#idle = new Deadline(clock, () => this.close());
    const session = connect('http://server', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES, maxHeaderListSize: limits.maxHeaderBytes },
      maxHeaderListPairs: limits.maxHeaderFields + 5,
      maxSessionMemory: SESSION_MEMORY_MB,
      maxSendHeaderBlockLength: limits.maxHeaderBytes,
      strictSingleValueFields: false,
    } as Parameters<typeof connect>[1]);
    this.session = session;
    // A connection that the server ends is over.
    socket.allowHalfOpen = false;
    // The session takes what the socket reads, and does not start it.
    socket.read(0);
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      this.#room = Math.min(maxConcurrentStreams ?? MAX_STREAMS, MAX_STREAMS);
    });
    session.on('goaway', (_code, lastStreamId) => {
      this.#lastSeen = Math.min(this.#lastSeen, lastStreamId);
      this.#leave();
    });
    session.on('error', () => {});
    session.on('close', () => {
      this.#leave();
      this.#idle.dispose();
      this.#cancelWatch?.();
    });
    this.#waitForRequests();
    if (readIdleTimeout > 0) this.#watch(readIdleTimeout, pingTimeout);
  }

  get hasRoom(): boolean {
    return !this.#leaving && this.#active < this.#room && !this.session.closed;
  }

  get lost(): boolean {
    return this.session.destroyed || this.#socket.destroyed;
  }

  isUnseen({ id }: ClientHttp2Stream): boolean {
    return id === undefined || id > this.#lastSeen;
  }

  /** As `exchange`. */
  send(request: ProxyRequest, feed: Feed | undefined): Promise<ProxyResponse | undefined> {
    this.#active++;
    this.#idle.clear();
    return exchange(this, request, feed);
  }

  onOver(answered: boolean): void {
    this.#active--;
    if (answered) this.served++;
    if (this.#active === 0) this.#waitForRequests();
  }

  #waitForRequests(): void {
    if (this.#idleTimeoutMs > 0) this.#idle.set(this.clock.now() + this.#idleTimeoutMs);
  }

  /** Pings a server that says nothing for so long, and gives it up when it does not answer (readIdleTimeout, pingTimeout). */
  #watch(silenceMs: number, answerMs: number): void {
    const before = this.#socket.bytesRead;
    this.#cancelWatch = this.clock.after(silenceMs, () => {
      if (this.#socket.bytesRead !== before || this.session.destroyed) return this.#watch(silenceMs, answerMs);
      this.#cancelWatch = this.clock.after(answerMs, () => this.session.destroy());
      this.session.ping(() => {
        this.#cancelWatch?.();
        if (!this.session.destroyed) this.#watch(silenceMs, answerMs);
      });
    });
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#onGone();
  }

  /** Takes no further request. */
  close(): void {
    this.#leave();
    if (!this.session.closed) this.session.close();
  }
}
