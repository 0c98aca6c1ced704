import type { Clock } from '../../base/clock.ts';
import type { Channel, ChannelOwner } from '../sockets/channel.ts';
import { type ClientHello, readClientHello } from '../tls/hello.ts';
import { type ProxyHeader, readProxyHeader } from './proxy-protocol.ts';

/** What came first on a connection. `first` has been read and belongs to whoever goes on. */
export interface Greeting {
  readonly header: ProxyHeader | undefined;
  /** Undefined: not TLS. */
  readonly hello: ClientHello | undefined;
  /** It began with Postgres' wish for TLS, which has been granted. */
  readonly postgres: boolean;
  readonly first: Buffer;
}

export interface IntakeOptions {
  readonly clock: Clock;
  /** 0 for no limit. */
  readonly timeoutMs: number;
  /** Reads the PROXY protocol first. */
  readonly proxyProtocol: boolean;
  /** Looks for TLS; asked after the PROXY header. */
  readonly peek: () => boolean;
  /** Grants Postgres clients TLS. */
  readonly postgres: () => boolean;
  /** Outside of a read, with a channel that is paused. */
  readonly onGreeting: (channel: Channel, greeting: Greeting) => void;
  readonly onOver: (intake: Intake) => void;
}

/** Postgres' SSLRequest. */
export const POSTGRES_REQUEST = Buffer.from('0000000804d2162f', 'hex');
const NO_BYTES = Buffer.alloc(0);

/** Reads the first bytes of a connection until it is known whose it is. */
export class Intake implements ChannelOwner {
  readonly channel: Channel;
  readonly #options: IntakeOptions;
  readonly #cancelTimeout: (() => void) | undefined;
  #bytes: Buffer = NO_BYTES;
  #header: ProxyHeader | undefined;
  #readsHeader: boolean;
  #postgres = false;
  #over = false;

  constructor(channel: Channel, options: IntakeOptions) {
    this.channel = channel;
    this.#options = options;
    this.#readsHeader = options.proxyProtocol;
    channel.owner = this;
    if (options.timeoutMs > 0) this.#cancelTimeout = options.clock.after(options.timeoutMs, () => channel.destroy());
    if (this.#advance()) channel.resume();
  }

  onBytes(buffer: Buffer, length: number): boolean {
    const bytes = buffer.subarray(0, length);
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
    return this.#advance();
  }

  /** Says whether to read on. */
  #advance(): boolean {
    if (this.#readsHeader) {
      const header = readProxyHeader(this.#bytes);
      if (header === 'more') return true;
      if (header === 'broken') return this.#refuse();
      this.#readsHeader = false;
      if (header !== 'none') {
        this.#header = header;
        this.#bytes = this.#bytes.subarray(header.size);
      }
    }
    if (!this.#options.peek()) return this.#hand(undefined);
    if (this.#bytes.length === 0) return true;
    if (!this.#postgres && this.#bytes[0] === 0 && this.#options.postgres()) {
      if (this.#bytes.length < POSTGRES_REQUEST.length && POSTGRES_REQUEST.indexOf(this.#bytes) === 0) return true;
      if (POSTGRES_REQUEST.equals(this.#bytes)) {
        this.#postgres = true;
        this.#bytes = NO_BYTES;
        this.channel.write('S');
        return true;
      }
    }
    const hello = readClientHello(this.#bytes);
    if (hello === 'more') return true;
    if (hello === 'broken') return this.#refuse();
    return this.#hand(hello === 'other' ? undefined : hello);
  }

  #refuse(): false {
    this.channel.destroy();
    return false;
  }

  #hand(hello: ClientHello | undefined): false {
    if (this.#over) return false;
    this.#finish();
    const greeting: Greeting = { header: this.#header, hello, postgres: this.#postgres, first: this.#bytes };
    // The pause holds from the end of the read on.
    queueMicrotask(() => {
      if (!this.channel.closed) this.#options.onGreeting(this.channel, greeting);
    });
    return false;
  }

  /** It is known whose the connection is, or it is gone. */
  get over(): boolean {
    return this.#over;
  }

  #finish(): void {
    this.#over = true;
    this.#cancelTimeout?.();
    this.#options.onOver(this);
  }

  /** A client that has not said anything yet has no request to lose. */
  drain(): void {
    if (this.#bytes.length === 0) this.channel.destroy();
  }

  destroy(): void {
    this.channel.destroy();
  }

  onWritten(): void {}

  onEnd(): void {
    if (!this.#over) this.channel.destroy();
  }

  onClose(): void {
    if (!this.#over) this.#finish();
  }
}
