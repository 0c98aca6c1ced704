import net from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { giveHandle, type OnRead, takeHandle } from './accepted-socket.ts';

/** Who reads a channel. One at a time; a connection may pass from hand to hand (peek, HTTP, tunnel). */
export interface ChannelOwner {
  /** The first `length` bytes of `buffer` came. They last until this returns (see `keepBytes`). False pauses the channel. */
  onBytes(buffer: Buffer, length: number): boolean;
  /** Everything is written of what `write` said false about. */
  onWritten(): void;
  /** The peer will send no more. */
  onEnd(): void;
  /** Nothing comes or goes any more. Called once. */
  onClose(error: Error | undefined): void;
}

/** Owns a channel until its owner is known; the channel does not read meanwhile. */
export const nobody: ChannelOwner = { onBytes: () => false, onWritten() {}, onEnd() {}, onClose() {} };

/**
 * All channels of the thread are read into this one buffer, as each use ends before the next read: an idle connection owns no buffer.
 * It is small because bytes that must be kept are copied out of it.
 */
const SHARED_BYTES = 16_384;
const shared = Buffer.allocUnsafeSlow(SHARED_BYTES);

/** A channel that streams much gets a buffer of its own, from which bytes are written on without a copy. */
const OWN_BYTES = 65_536;
const SPARE_BUFFERS = 64;
const spare: Buffer[] = [];

export type DialOptions = { host: string; port: number } | { path: string };

/** One connection, both ways, without the cost of Node's streams where they can be left out. */
export class Channel {
  owner: ChannelOwner;
  readonly socket: Duplex;
  closed = false;
  /** The peer has ended its side. */
  ended = false;
  #keeping = false;
  #own: Buffer | undefined;
  /** A read callback is on the stack: only then a change of buffers holds for the next read. */
  #inRead = false;
  /** `resume` was called during that read: it outranks the owner's wish to pause, which is older. */
  #resumed = false;
  #waiting = false;
  #error: Error | undefined;
  readonly #onWritten = (): void => this.#written();

  private constructor(owner: ChannelOwner, open: (channel: Channel) => Duplex) {
    this.owner = owner;
    this.socket = open(this);
    this.socket.on('error', (error) => {
      this.#error ??= error;
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.owner.onEnd();
    });
    this.socket.on('close', () => this.#close());
  }

  /** An accepted socket, of a server with `pauseOnConnect` and `allowHalfOpen`. The socket object is used up. Reading starts with `resume`. */
  static accept(socket: net.Socket, owner: ChannelOwner): Channel {
    return new Channel(owner, (channel) => takeHandle(socket, channel.#onread()) ?? channel.#listen(socket));
  }

  /** Any stream of bytes (TLS, HTTP/2): read by `data` events. */
  static over(stream: Duplex, owner: ChannelOwner): Channel {
    return new Channel(owner, (channel) => channel.#listen(stream));
  }

  /** `connected` is called once when bytes can go. Reading starts with `resume`. */
  static dial(options: DialOptions, owner: ChannelOwner, connected: () => void): Channel {
    return new Channel(owner, (channel) => {
      const socket = net.connect({ ...options, allowHalfOpen: true, noDelay: true, onread: channel.#onread() });
      // Bytes of a server that speaks first wait for `resume`.
      socket.pause();
      return socket.once('connect', connected);
    });
  }

  /** Like `dial`, with TLS; `secured` comes after the handshake. */
  static dialTls(options: DialOptions & ConnectionOptions, owner: ChannelOwner, secured: (socket: TLSSocket) => void): Channel {
    return new Channel(owner, (channel) => {
      const socket = connectTls({ ...options, allowHalfOpen: true, noDelay: true } as ConnectionOptions & net.TcpNetConnectOpts);
      socket.once('secureConnect', () => secured(socket));
      return channel.#listen(socket);
    });
  }

  #onread(): OnRead {
    return {
      buffer: () => this.#own ?? shared,
      callback: (length, buffer) => (this.#keeping ? this.#readToKeep(buffer as Buffer, length) : this.#read(buffer as Buffer, length)),
    };
  }

  #read(buffer: Buffer, length: number): boolean {
    this.#inRead = true;
    this.#resumed = false;
    const more = this.owner.onBytes(buffer, length);
    this.#inRead = false;
    return more || this.#resumed;
  }

  #readToKeep(buffer: Buffer, length: number): boolean {
    if (buffer === shared) {
      // A full read tells of more behind it.
      if (length === SHARED_BYTES) this.#takeOwn();
      return this.#read(Buffer.from(buffer.subarray(0, length)), length);
    }
    const more = this.#read(buffer, length);
    if (more && length < SHARED_BYTES && this.#own === buffer) this.#dropOwn(true);
    return more;
  }

  #takeOwn(): void {
    this.#own ??= spare.pop() ?? Buffer.allocUnsafeSlow(OWN_BYTES);
  }

  #dropOwn(reuse: boolean): void {
    if (reuse && this.#own !== undefined && spare.length < SPARE_BUFFERS) spare.push(this.#own);
    this.#own = undefined;
  }

  #listen(stream: Duplex): Duplex {
    stream.pause();
    return stream.on('data', (chunk: Buffer) => {
      if (!this.#read(chunk, chunk.length)) stream.pause();
    });
  }

  /** From now on bytes last while the channel is paused. `many` when a lot of them is sure to come. */
  keepBytes(many: boolean): void {
    this.#keeping = true;
    if (many && this.#inRead) this.#takeOwn();
  }

  /** The reverse of `keepBytes`. `consumed` when nobody holds any of the bytes that came. */
  letBytesGo(consumed: boolean): void {
    this.#keeping = false;
    this.#dropOwn(consumed && this.#inRead);
  }

  /**
   * Text is latin1. False when not everything left at once: `onWritten` follows (or `onClose`, when the channel is gone), and bytes must
   * stay as they are until then.
   */
  write(data: string | Uint8Array): boolean {
    if (this.socket.destroyed) return false;
    this.socket.write(data, 'latin1', this.#onWritten);
    if (this.socket.writableLength === 0) return true;
    this.#waiting = true;
    return false;
  }

  /** Writes of `fill` go out together. */
  writeTogether(fill: () => void): boolean {
    if (this.socket.destroyed) return false;
    this.socket.cork();
    fill();
    this.socket.uncork();
    if (this.socket.writableLength === 0) this.#waiting = false;
    return !this.#waiting;
  }

  #written(): void {
    if (!this.#waiting || this.socket.writableLength !== 0 || this.socket.destroyed) return;
    this.#waiting = false;
    this.owner.onWritten();
  }

  /** Nothing that was written waits any more. */
  get flushed(): boolean {
    return !this.#waiting && !this.socket.destroyed;
  }

  resume(): void {
    if (this.#inRead) this.#resumed = true;
    else if (!this.closed) this.socket.resume();
  }

  pause(): void {
    if (!this.closed) this.socket.pause();
  }

  /** Ends our side after what is written; the peer may go on sending. */
  end(): void {
    if (!this.closed) this.socket.end();
  }

  destroy(): void {
    if (!this.closed) this.socket.destroy();
  }

  /**
   * Gives an accepted connection up for TLS, outside of `onBytes`; the owner hears no more. Undefined when it is gone already. The bytes
   * that came are the caller's to hand on.
   */
  release(): net.Socket | undefined {
    if (this.closed || this.socket.destroyed) return undefined;
    this.socket.pause();
    this.closed = true;
    this.owner = nobody;
    this.#own = undefined;
    return giveHandle(this.socket as net.Socket);
  }

  /** Gives a stream up that is read by its events (TLS to a server), outside of `onBytes`; the owner hears no more. */
  surrender(): Duplex {
    this.socket.removeAllListeners('data');
    this.closed = true;
    this.owner = nobody;
    return this.socket;
  }

  #close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#own = undefined;
    this.owner.onClose(this.#error);
  }
}
