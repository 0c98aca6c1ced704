import { constants, performServerHandshake, type ServerHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { Deadline } from '../deadline.ts';
import type { Peer } from '../http1/settings.ts';
import { Allowance } from './allowance.ts';
import { Exchange, type ExchangeOwner } from './exchange.ts';
import type { Http2Settings } from './settings.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM } = constants;

/** What a stream may hold unread, and a connection: as much as the longest way needs, as little as a hostile client may cost. */
const STREAM_WINDOW_BYTES = 131_072;
const CONNECTION_WINDOW_BYTES = 1_048_576;
/** Go adds so much to the limit that it announces: ten fields' overhead. */
const LIST_OVERHEAD_BYTES = 320;
/** Megabytes that Node and nghttp2 may hold for a connection; beyond, new streams are refused. */
const SESSION_MEMORY_MB = 32;
/** Streams that a client gives up before their answer (CVE-2023-44487): at once, and a second. Browsers cancel a page's worth. */
const RESETS = [200, 20] as const;
/** Frames that ask for an answer and carry nothing. gRPC measures its path with pings. */
const PINGS = [2000, 500] as const;
const SETTINGS = [50, 5] as const;

/** One client's connection: each stream of it is an exchange. */
export class Http2Connection {
  readonly #session: ServerHttp2Session;
  readonly #settings: Http2Settings;
  readonly #peer: Peer;
  readonly #idle: Deadline;
  readonly #since: number;
  readonly #resets: Allowance;
  #open = 0;
  #requests = 0;

  /** Takes the socket over; what was read from it already must be in front of it. `onOver` is called once, when the connection is gone. */
  constructor(socket: Duplex, settings: Http2Settings, peer: Peer, onOver: () => void) {
    const { clock, limits, log, entryPoint } = settings;
    this.#settings = settings;
    this.#peer = peer;
    this.#since = clock.now();
    this.#resets = new Allowance(clock, ...RESETS);
    this.#idle = new Deadline(clock, () => this.drain());
    const session = performServerHandshake(socket, {
      settings: {
        maxConcurrentStreams: settings.maxConcurrentStreams,
        maxHeaderListSize: limits.maxHeaderBytes + LIST_OVERHEAD_BYTES,
        headerTableSize: settings.maxDecoderHeaderTableSize,
        initialWindowSize: STREAM_WINDOW_BYTES,
        enableConnectProtocol: true,
      },
      maxDeflateDynamicTableSize: settings.maxEncoderHeaderTableSize,
      // Pseudo-header fields count too.
      maxHeaderListPairs: limits.maxHeaderFields + 5,
      maxSendHeaderBlockLength: limits.maxHeaderBytes,
      maxSessionMemory: SESSION_MEMORY_MB,
      // What a server repeats is passed on as it is.
      strictSingleValueFields: false,
    } as Parameters<typeof performServerHandshake>[1]);
    this.#session = session;
    // A connection that the client ends is over.
    socket.allowHalfOpen = false;
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.on('stream', (stream, _headers, flags, raw: unknown) => {
      const exchange = new Exchange(stream, settings, this.#owner);
      this.#open++;
      this.#requests++;
      this.#idle.clear();
      exchange.begin(raw as string[], (flags & NGHTTP2_FLAG_END_STREAM) !== 0, peer);
    });
    const limit = (what: string, [burst, perSecond]: readonly [number, number]): (() => void) => {
      const allowance = new Allowance(clock, burst, perSecond);
      return () => {
        if (!allowance.take()) this.#calm(what);
      };
    };
    session.on('ping', limit('pings', PINGS));
    session.on('remoteSettings', limit('settings', SETTINGS));
    session.on('error', (error) => log.debug('An HTTP/2 connection failed', { entryPointName: entryPoint, error: error.message }));
    session.on('close', () => {
      this.#idle.dispose();
      onOver();
    });
    this.#waitForRequests();
  }

  readonly #owner: ExchangeOwner = {
    answering: () => {
      const { keepAliveMaxRequests, keepAliveMaxTimeMs } = this.#settings.limits;
      const tooMany = keepAliveMaxRequests > 0 && this.#requests >= keepAliveMaxRequests;
      const tooOld = keepAliveMaxTimeMs > 0 && this.#settings.clock.now() - this.#since >= keepAliveMaxTimeMs;
      if (tooMany || tooOld) this.drain();
    },
    onOver: (reset) => {
      this.#open--;
      if (reset && !this.#resets.take()) this.#calm('resets');
      else if (this.#open === 0) this.#waitForRequests();
    },
  };

  #waitForRequests(): void {
    const { clock, limits } = this.#settings;
    if (limits.idleTimeoutMs > 0) this.#idle.set(clock.now() + limits.idleTimeoutMs);
  }

  /** A client that costs too much is told so and cut off. */
  #calm(what: string): void {
    const session = this.#session;
    if (session.destroyed) return;
    const { log, entryPoint } = this.#settings;
    log.warn('Cut off an HTTP/2 client', { entryPointName: entryPoint, reason: `too many ${what}`, clientHost: this.#peer.address });
    session.destroy(new Error(`too many ${what}`), NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /**
   * Takes no request after those in work. The client is told which was the last, so that it knows which it may send again elsewhere
   * (RFC 9113 §6.8). Node knows no notice beforehand.
   */
  drain(): void {
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }
}
