import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { UpstreamError } from '../../base/errors.ts';
import type { ProxyRequest } from '../../base/message.ts';
import type { ServerTarget } from '../../proxy/platform.ts';
import { unixPath, upstreamTlsOptions } from '../rim/server-target.ts';
import { toUpstreamError } from '../rim/upstream-error.ts';
import { Channel, type ChannelOwner, type DialOptions, nobody } from '../sockets/channel.ts';

export const abortedBeforeSent = (): UpstreamError => new UpstreamError('upstream.aborted', 'The client went away', { sent: false });

/** Connects to one server. TLS sessions are kept, so that later handshakes are short. */
export class Dialler {
  readonly #target: ServerTarget;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #secureContext: SecureContext | undefined;
  #session: Buffer | undefined;

  constructor(target: ServerTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    this.#timeoutMs = target.transport.forwardingTimeouts?.dialTimeout ?? 30_000;
  }

  /**
   * Resolves with a channel that is connected and does not read yet; `owner` has it from then on. `protocols` are offered by ALPN.
   * Rejects with UpstreamError; nothing was sent then.
   */
  dial(request: ProxyRequest, owner: ChannelOwner, protocols: readonly string[]): Promise<Channel> {
    if (request.cancellation.cancelled) return Promise.reject(abortedBeforeSent());
    return new Promise((resolve, reject) => {
      let channel: Channel | undefined;
      const fail = (error: UpstreamError): void => {
        finish(nobody);
        channel?.destroy();
        reject(error);
      };
      const finish = (next: ChannelOwner): void => {
        cancelTimer?.();
        offCancel();
        if (channel !== undefined) channel.owner = next;
      };
      const connected = (): void => {
        finish(owner);
        resolve(channel!);
      };
      const tooLate = `The server did not accept the connection within ${this.#timeoutMs} ms`;
      const cancelTimer =
        this.#timeoutMs > 0
          ? this.#clock.after(this.#timeoutMs, () => fail(new UpstreamError('upstream.timeout', tooLate, { sent: false })))
          : undefined;
      const dialling: ChannelOwner = {
        onBytes: () => false,
        onWritten() {},
        onEnd: () => fail(toUpstreamError(undefined, false)),
        onClose: (error) => fail(toUpstreamError(error, false)),
      };
      try {
        channel = this.#open(dialling, connected, protocols);
      } catch (error) {
        // An unusable certificate, or an address that Node refuses to look at.
        cancelTimer?.();
        reject(error);
        return;
      }
      const offCancel = request.cancellation.onCancel(() => fail(abortedBeforeSent()));
    });
  }

  #open(owner: ChannelOwner, connected: () => void, protocols: readonly string[]): Channel {
    const target = this.#target;
    const path = unixPath(target);
    const where: DialOptions = path === undefined ? { host: target.host, port: target.port } : { path };
    if (target.scheme !== 'https') return Channel.dial(where, owner, connected);
    const tls = upstreamTlsOptions(target);
    this.#secureContext ??= secureContextOf(target, tls);
    const options = {
      ...where,
      ...tls,
      ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
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
