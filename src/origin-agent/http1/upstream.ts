import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { UpstreamError } from '../../base/errors.ts';
import type { ProxyRequest, ProxyResponse } from '../../base/message.ts';
import type { Platform, ServerTarget } from '../../proxy/platform.ts';
import { Feed } from '../http2/feed.ts';
import type { UpstreamSession, UpstreamSessions } from '../http2/upstream-sessions.ts';
import { toUpstreamError } from '../rim/upstream-error.ts';
import type { Channel } from '../sockets/channel.ts';
import { Dialler } from './dial.ts';
import { DEFAULT_LIMITS, type Http1Limits } from './settings.ts';
import { UpstreamConnection, type UpstreamPool } from './upstream-connection.ts';

export interface UpstreamOptions {
  readonly clock: Clock;
  readonly limits?: Http1Limits;
}

export interface Upstream {
  readonly send: Platform['send'];
  /** Closes idle connections and keeps none from now on; exchanges end as they are. */
  close(): void;
  /** Idle connections of all servers. */
  readonly idle: number;
}

/** Connections to all servers of a thread, kept across reloads: a pool belongs to transport and URL, not to a configuration. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const pools = new Map<string, ServerPool>();
  // Targets live as long as their configuration: one look-up by identity instead of a joined key per request.
  const byTarget = new WeakMap<ServerTarget, ServerPool>();
  const poolOf = (target: ServerTarget): ServerPool => {
    let pool = byTarget.get(target);
    if (pool === undefined) {
      const key = `${target.transportName} ${target.url}`;
      pool = pools.get(key);
      // A transport that kept its name may have changed.
      if (
        pool === undefined ||
        (pool.target.transport !== target.transport && JSON.stringify(pool.target.transport) !== JSON.stringify(target.transport))
      ) {
        pool?.close();
        pool = new ServerPool(target, options);
        pools.set(key, pool);
      }
      byTarget.set(target, pool);
    }
    return pool;
  };
  return {
    send: (target, request) => poolOf(target).send(request),
    close() {
      for (const pool of pools.values()) pool.close();
    },
    get idle() {
      let count = 0;
      for (const pool of pools.values()) count += pool.idle;
      return count;
    },
  };
}

/** Idle connections kept per server where the transport says 0 or nothing. */
const DEFAULT_IDLE = 200;

/** A server that resets or forgets a request before it has looked at it gets it so often. */
const MAX_TRIES = 3;

/** What a server speaks; for TLS it is known after the first handshake. */
type Protocol = 'unknown' | 'http1' | 'http2';

function firstProtocol({ scheme, transport }: ServerTarget): Protocol {
  if (scheme === 'h2c') return 'http2';
  return scheme === 'https' && transport.disableHTTP2 !== true ? 'unknown' : 'http1';
}

/** Connections to one server: the idle ones of HTTP/1.1 as a stack, so that the least used ones grow old; those of HTTP/2 are shared. */
class ServerPool implements UpstreamPool {
  readonly target: ServerTarget;
  readonly clock: Clock;
  readonly limits: Http1Limits;
  readonly responseHeaderTimeoutMs: number;
  readonly #dialler: Dialler;
  readonly #idleTimeoutMs: number;
  readonly #maxIdle: number;
  readonly #stack: UpstreamConnection[] = [];
  #cancelSweep: (() => void) | undefined;
  #closed = false;
  #protocol: Protocol;
  #sessions: UpstreamSessions | undefined;
  /** A connection that others may share is being made. */
  #dialling: Promise<unknown> | undefined;

  constructor(target: ServerTarget, { clock, limits = DEFAULT_LIMITS }: UpstreamOptions) {
    const { responseHeaderTimeout = 0, idleConnTimeout = 90_000 } = target.transport.forwardingTimeouts ?? {};
    this.target = target;
    this.clock = clock;
    this.limits = limits;
    this.responseHeaderTimeoutMs = responseHeaderTimeout;
    this.#dialler = new Dialler(target, clock);
    this.#idleTimeoutMs = idleConnTimeout;
    this.#maxIdle = target.transport.maxIdleConnsPerHost || DEFAULT_IDLE;
    this.#protocol = firstProtocol(target);
  }

  get idle(): number {
    return this.#stack.length;
  }

  send(request: ProxyRequest): Promise<ProxyResponse> {
    // As in Go, an upgrade has a connection of its own.
    if (this.#protocol !== 'http1' && request.upgrade === undefined) return this.#sendShared(request);
    const connection = this.#stack.pop();
    return connection === undefined ? this.sendFresh(request) : connection.exchange(request);
  }

  async sendFresh(request: ProxyRequest): Promise<ProxyResponse> {
    if (this.target.scheme === 'h2c') throw new UpstreamError('upstream.malformed', 'An h2c server takes no upgrade', { sent: false });
    const connection = new UpstreamConnection(this);
    const { scheme, transport } = this.target;
    // As Go: with HTTP/2 disabled nothing is offered at all.
    const channel = await this.#dialler.dial(request, connection, scheme === 'https' && !transport.disableHTTP2 ? ['http/1.1'] : []);
    return start(connection, channel).exchange(request);
  }

  /** By HTTP/2 where the server speaks it: on a connection that has room, or on one that is being made, or on a new one. */
  async #sendShared(request: ProxyRequest): Promise<ProxyResponse> {
    const feed = request.body && new Feed(request.body);
    for (let tries = 0; tries < MAX_TRIES; ) {
      let session = this.#sessions?.take();
      if (session === undefined && this.#dialling !== undefined) {
        await this.#dialling.catch(unlessAborted);
        if (this.#protocol === 'http1' && tries === 0) return this.send(request);
        continue;
      }
      if (session === undefined) {
        const made = await this.#makeShared(request);
        if (made instanceof UpstreamConnection) {
          if (tries > 0) throw new UpstreamError('upstream.refused', 'The server has given HTTP/2 up', { sent: false });
          return made.exchange(request);
        }
        session = made;
      }
      const response = await session.send(request, feed);
      if (response !== undefined) return response;
      if (request.cancellation.cancelled) break;
      tries++;
    }
    feed?.discard();
    throw new UpstreamError('upstream.refused', `The server refused the stream ${MAX_TRIES} times`);
  }

  #makeShared(request: ProxyRequest): Promise<UpstreamSession | UpstreamConnection> {
    const making = this.#dialShared(request);
    this.#dialling = making;
    const over = (): void => {
      if (this.#dialling === making) this.#dialling = undefined;
    };
    making.then(over, over);
    return making;
  }

  async #dialShared(request: ProxyRequest): Promise<UpstreamSession | UpstreamConnection> {
    const connection = new UpstreamConnection(this);
    const channel = await this.#dialler.dial(request, connection, ['h2', 'http/1.1']);
    const tls = this.target.scheme === 'https';
    if (tls && (channel.socket as TLSSocket).alpnProtocol !== 'h2') {
      this.#protocol = 'http1';
      return start(connection, channel);
    }
    this.#protocol = 'http2';
    const socket = tls ? channel.surrender() : channel.release();
    if (socket === undefined || socket.destroyed) throw toUpstreamError(undefined, false);
    socket.on('error', () => {});
    // Loaded on use: most servers speak HTTP/1.1.
    const { UpstreamSessions } = await import('../http2/upstream-sessions.ts');
    if (socket.destroyed) throw toUpstreamError(undefined, false);
    this.#sessions ??= new UpstreamSessions(this);
    return this.#sessions.add(socket);
  }

  release(connection: UpstreamConnection): void {
    if (this.#closed || this.#stack.length >= this.#maxIdle) {
      connection.channel.destroy();
      return;
    }
    connection.idleSince = this.clock.now();
    this.#stack.push(connection);
    if (this.#cancelSweep === undefined && this.#idleTimeoutMs > 0) this.#armSweep(this.#idleTimeoutMs);
  }

  #armSweep(ms: number): void {
    this.#cancelSweep = this.clock.after(ms, () => this.#sweep());
  }

  /** Closes what was idle for too long: it lies at the bottom of the stack. */
  #sweep(): void {
    this.#cancelSweep = undefined;
    const limit = this.clock.now() - this.#idleTimeoutMs;
    const old = this.#stack.findIndex((connection) => connection.idleSince > limit);
    for (const connection of this.#stack.splice(0, old === -1 ? this.#stack.length : old)) connection.channel.destroy();
    const [oldest] = this.#stack;
    if (oldest !== undefined) this.#armSweep(Math.max(1, oldest.idleSince - limit));
  }

  forget(connection: UpstreamConnection): void {
    const index = this.#stack.indexOf(connection);
    if (index !== -1) this.#stack.splice(index, 1);
  }

  close(): void {
    this.#closed = true;
    this.#cancelSweep?.();
    this.#sessions?.close();
    for (const connection of this.#stack.splice(0)) connection.channel.destroy();
  }
}

function start(connection: UpstreamConnection, channel: Channel): UpstreamConnection {
  connection.channel = channel;
  channel.resume();
  return connection;
}

/** Whose connection was being made has gone away; that says nothing about the server. */
function unlessAborted(error: unknown): void {
  if (!(error instanceof UpstreamError && error.code === 'upstream.aborted')) throw error;
}
