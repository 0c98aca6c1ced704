import type { Body, HeaderList } from '../../base/message.ts';
import type { Channel } from '../sockets/channel.ts';
import { fieldLine } from './head-text.ts';
import { type BodySink, Http1Body, TEXT_BODY_BYTES } from './incoming-body.ts';

export interface BodyWriterOwner {
  /** The last byte is written (perhaps still on its way to the kernel). */
  onBodySent(): void;
  /** The body ended too early or too late; what was written is no whole message. */
  onBodyFailed(error: unknown): void;
}

/** Chunks below this are copied into one piece with their frame; above, three pieces leave in one system call. */
const COPY_CHUNK_BYTES = 8192;

/** Writes one head and its body to a channel, at the pace of the channel. */
export class BodyWriter implements BodySink {
  /** Bytes of content so far. */
  sent = 0;
  readonly #channel: Channel;
  readonly #body: Body;
  readonly #chunked: boolean;
  readonly #owner: BodyWriterOwner;
  #blocked = false;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(channel: Channel, body: Body, chunked: boolean, owner: BodyWriterOwner) {
    this.#channel = channel;
    this.#body = body;
    this.#chunked = chunked;
    this.#owner = owner;
  }

  start(head: string): void {
    const body = this.#body;
    if (body instanceof Http1Body) {
      const flushed = this.#channel.writeTogether(() => {
        if (head !== '') this.#channel.write(head);
        body.attach(this);
      });
      if (flushed) this.onWritten();
    } else if (body.length !== undefined && body.length <= TEXT_BODY_BYTES) {
      void this.#writeWhole(head, body, body.length);
    } else {
      this.#blocked = head !== '' && !this.#channel.write(head);
      void this.#copy(body);
    }
  }

  /** The channel has nothing waiting any more. */
  onWritten(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake !== undefined) wake();
    else if (!this.#over && this.#body instanceof Http1Body) this.#body.resume();
  }

  /** The channel is gone, or nobody wants the rest. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#wake?.();
    if (this.#body instanceof Http1Body) this.#body.discard();
  }

  async #writeWhole(head: string, body: Body, length: number): Promise<void> {
    try {
      const bytes = await body.bytes(length);
      if (this.#over) return;
      if (bytes.length !== length) throw new Error(`The body has ${bytes.length} bytes instead of ${length}`);
      this.sent = length;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
      this.#over = true;
      this.#channel.write(head + text);
      this.#owner.onBodySent();
    } catch (error) {
      this.onFailure(error);
    }
  }

  async #copy(body: Body): Promise<void> {
    try {
      if (this.#blocked) await this.#flushed();
      for await (const chunk of body.chunks()) {
        if (this.#over) return;
        this.onContent(chunk);
        // A chunk is lent until the next is asked for.
        if (this.#blocked) await this.#flushed();
        if (this.#over) return;
      }
      if (body.length !== undefined && this.sent !== body.length)
        throw new Error(`The body has ${this.sent} bytes instead of ${body.length}`);
      this.onEnd();
    } catch (error) {
      this.onFailure(error);
    }
  }

  #flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  onContent(bytes: Uint8Array): boolean {
    // An empty chunk would be the last one.
    if (bytes.length === 0 || this.#over) return true;
    this.sent += bytes.length;
    if (this.#body.length !== undefined && this.sent > this.#body.length) {
      this.onFailure(new Error(`The body is longer than the ${this.#body.length} bytes that it announced`));
      return true;
    }
    const flushed = this.#chunked ? this.#writeChunk(bytes) : this.#channel.write(bytes);
    if (!flushed) this.#blocked = true;
    return flushed;
  }

  #writeChunk(bytes: Uint8Array): boolean {
    const size = `${bytes.length.toString(16)}\r\n`;
    if (bytes.length > COPY_CHUNK_BYTES) {
      return this.#channel.writeTogether(() => {
        this.#channel.write(size);
        this.#channel.write(bytes);
        this.#channel.write('\r\n');
      });
    }
    const framed = Buffer.allocUnsafe(size.length + bytes.length + 2);
    framed.write(size, 0, 'latin1');
    framed.set(bytes, size.length);
    framed[framed.length - 2] = 13;
    framed[framed.length - 1] = 10;
    return this.#channel.write(framed);
  }

  onEnd(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#chunked) this.#channel.write(lastChunk(this.#body.trailers()));
    this.#owner.onBodySent();
  }

  onFailure(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.onBodyFailed(error);
  }
}

/** The text of a body that lies there whole, framed as it leaves behind its head. */
export function framedText(body: Http1Body, text: string, chunked: boolean): string {
  if (!chunked) return text;
  const last = lastChunk(body.trailers());
  return text === '' ? last : `${text.length.toString(16)}\r\n${text}\r\n${last}`;
}

function lastChunk(trailers: HeaderList | undefined): string {
  if (trailers === undefined) return '0\r\n\r\n';
  let text = '0\r\n';
  for (let i = 0; i < trailers.raw.length; i += 2) text += fieldLine(trailers.raw[i]!, trailers.raw[i + 1]!);
  return `${text}\r\n`;
}
