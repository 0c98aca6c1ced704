import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { UpstreamError } from '../../base/errors.ts';
import type { ProxyRequest, ProxyResponse } from '../../base/message.ts';
import type { Platform, ServerTarget } from '../../proxy/platform.ts';
import { unixPath, upstreamTlsOptions } from '../rim/server-target.ts';
import { toUpstreamError } from '../rim/upstream-error.ts';
import { Channel, type DialOptions } from '../sockets/channel.ts';
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

function secureContextOf(target: ServerTarget, options: ConnectionOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw new UpstreamError('upstream.tls', `The transport '${target.transportName}' has unusable certificates or options`, {
      sent: false,
      cause,
    });
  }
}

const abortedBeforeSent = (): UpstreamError => new UpstreamError('upstream.aborted', 'The client went away', { sent: false });

/** Idle connections kept per server where the transport says 0 or nothing. */
const DEFAULT_IDLE = 200;

/** Connections to one server: the idle ones as a stack, so that the least used ones grow old. */
class ServerPool implements UpstreamPool {
  readonly target: ServerTarget;
  readonly clock: Clock;
  readonly limits: Http1Limits;
  readonly responseHeaderTimeoutMs: number;
  readonly #dialTimeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #maxIdle: number;
  readonly #stack: UpstreamConnection[] = [];
  #cancelSweep: (() => void) | undefined;
  #closed = false;
  #secureContext: SecureContext | undefined;
  #session: Buffer | undefined;

  constructor(target: ServerTarget, { clock, limits = DEFAULT_LIMITS }: UpstreamOptions) {
    const { dialTimeout = 30_000, responseHeaderTimeout = 0, idleConnTimeout = 90_000 } = target.transport.forwardingTimeouts ?? {};
    this.target = target;
    this.clock = clock;
    this.limits = limits;
    this.responseHeaderTimeoutMs = responseHeaderTimeout;
    this.#dialTimeoutMs = dialTimeout;
    this.#idleTimeoutMs = idleConnTimeout;
    this.#maxIdle = target.transport.maxIdleConnsPerHost || DEFAULT_IDLE;
  }

  get idle(): number {
    return this.#stack.length;
  }

  send(request: ProxyRequest): Promise<ProxyResponse> {
    const connection = this.#stack.pop();
    return connection === undefined ? this.sendFresh(request) : connection.exchange(request);
  }

  async sendFresh(request: ProxyRequest): Promise<ProxyResponse> {
    const connection = await this.#dial(request);
    return connection.exchange(request);
  }

  #dial(request: ProxyRequest): Promise<UpstreamConnection> {
    if (request.cancellation.cancelled) return Promise.reject(abortedBeforeSent());
    return new Promise((resolve, reject) => {
      const connection = new UpstreamConnection(this);
      const fail = (error: UpstreamError): void => {
        finish();
        connection.channel.destroy();
        reject(error);
      };
      const finish = (): void => {
        cancelTimer?.();
        offCancel();
        connection.channel.owner = connection;
      };
      const connected = (): void => {
        finish();
        connection.channel.resume();
        resolve(connection);
      };
      const cancelTimer =
        this.#dialTimeoutMs > 0
          ? this.clock.after(this.#dialTimeoutMs, () =>
              fail(
                new UpstreamError('upstream.timeout', `The server did not accept the connection within ${this.#dialTimeoutMs} ms`, {
                  sent: false,
                }),
              ),
            )
          : undefined;
      const dialler = {
        onBytes: () => false,
        onWritten() {},
        onEnd: () => fail(toUpstreamError(undefined, false)),
        onClose: (error: Error | undefined) => fail(toUpstreamError(error, false)),
      };
      try {
        connection.channel = this.#open(dialler, connected);
      } catch (error) {
        // An unusable certificate, or an address that Node refuses to look at.
        cancelTimer?.();
        reject(error);
        return;
      }
      const offCancel = request.cancellation.onCancel(() => fail(abortedBeforeSent()));
    });
  }

  #open(owner: Channel['owner'], connected: () => void): Channel {
    const { target } = this;
    const path = unixPath(target);
    const where: DialOptions = path === undefined ? { host: target.host, port: target.port } : { path };
    if (target.scheme !== 'https') return Channel.dial(where, owner, connected);
    const tls = upstreamTlsOptions(target);
    this.#secureContext ??= secureContextOf(target, tls);
    const options = {
      ...where,
      ...tls,
      // As Go: with HTTP/2 disabled nothing is offered at all.
      ...(target.transport.disableHTTP2 ? {} : { ALPNProtocols: ['http/1.1'] }),
      secureContext: this.#secureContext,
      ...(this.#session === undefined ? {} : { session: this.#session }),
    };
    const channel = Channel.dialTls(options, owner, connected);
    // A resumed session spares the server and us most of the handshake.
    channel.socket.on('session', (session: Buffer) => {
      this.#session = session;
    });
    return channel;
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
    for (const connection of this.#stack.splice(0)) connection.channel.destroy();
  }
}
