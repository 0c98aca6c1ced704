import { readAll } from '../../base/body.ts';
import type { Body, HeaderList } from '../../base/message.ts';
import { ChunkedDecoder, type ChunkLimits } from './chunked.ts';

/** Who reads the connection that a body comes on. */
export interface BodySource {
  /** Somebody begins to read a body that is not all here yet. */
  onBodyOpened(): void;
  /** More bytes are wanted. */
  onBodyWanted(): void;
  /** What is still to come is not wanted any more. */
  onBodyAbandoned(): void;
}

/** Who takes a body's bytes. */
export interface BodySink {
  /** False asks for a pause: the bytes then stay as they are until the body is resumed. */
  onContent(bytes: Buffer): boolean;
  onEnd(): void;
  onFailure(error: Error): void;
}

/** How a message's end is found (RFC 9112 §6.3): so many bytes, chunks, or the end of the connection. */
export type Framing = { readonly length: number } | 'chunked' | 'close';

/** Bodies that came with their head up to this size are kept as text, which leaves again in one write with a head. */
export const TEXT_BODY_BYTES = 16_384;

const IGNORE: BodySink = { onContent: () => true, onEnd() {}, onFailure() {} };

/** A body of this engine: the bytes of a connection, decoded, on their way to whoever attaches. */
export class Http1Body implements Body {
  readonly length: number | undefined;
  /** All of it (latin1), when it came with the head; then there is no source. */
  text: string | undefined;
  /** The last byte has come. */
  complete = false;
  opened = false;
  /** Somebody said that the rest is not wanted. */
  abandoned = false;
  failure: Error | undefined;
  /** Bytes that came so far. */
  received = 0;
  readonly #source: BodySource;
  readonly #decoder: ChunkedDecoder | undefined;
  #remaining: number;
  #sink: BodySink | undefined;
  #early: Buffer[] | undefined;
  #wanted = false;
  readonly #deliver: ((bytes: Buffer) => void) | undefined;

  constructor(framing: Framing, source: BodySource, limits: ChunkLimits) {
    this.#source = source;
    this.length = typeof framing === 'object' ? framing.length : undefined;
    this.#decoder = framing === 'chunked' ? new ChunkedDecoder(limits) : undefined;
    this.#deliver = framing === 'chunked' ? (bytes) => this.#onContent(bytes) : undefined;
    this.#remaining = this.length ?? Number.POSITIVE_INFINITY;
  }

  /** Takes what came behind the head (latin1); returns how much of it belongs to the body, -1 when the framing is broken. */
  begin(text: string): number {
    if (this.length !== undefined && this.length <= text.length && this.length <= TEXT_BODY_BYTES) {
      this.text = text.length === this.length ? text : text.slice(0, this.length);
      this.received = this.length;
      this.complete = true;
      return this.length;
    }
    const buffer = Buffer.from(text, 'latin1');
    const used = this.receive(buffer, 0, buffer.length);
    if (this.complete && this.received <= TEXT_BODY_BYTES) {
      this.text = (this.#early ?? []).map((bytes) => bytes.toString('latin1')).join('');
      this.#early = undefined;
    }
    return used;
  }

  /** Takes bytes from `at` to `end`; returns the place behind the last one that belongs to the body, -1 when the framing is broken. */
  receive(buffer: Buffer, at: number, end: number): number {
    // Without a sink what comes is kept, and for that its buffer must last: no second read before somebody attaches.
    this.#wanted = this.#sink !== undefined;
    const decoder = this.#decoder;
    if (decoder !== undefined) {
      const used = decoder.decode(buffer, at, end, this.#deliver!);
      if (decoder.failed) return -1;
      if (decoder.done) this.#finish();
      return used;
    }
    const stop = Math.min(end, at + this.#remaining);
    this.#remaining -= stop - at;
    if (stop > at) this.#onContent(buffer.subarray(at, stop));
    if (this.#remaining === 0) this.#finish();
    return stop;
  }

  /** The connection ended: for a body framed by that it is the end, for others a failure that the caller makes. False in that case. */
  receiveEnd(): boolean {
    if (this.#remaining !== Number.POSITIVE_INFINITY || this.#decoder !== undefined) return false;
    this.#finish();
    return true;
  }

  /** Whether the bytes given last were all taken and more may come at once. */
  get wanted(): boolean {
    return this.#wanted;
  }

  #onContent(bytes: Buffer): void {
    this.received += bytes.length;
    if (this.#sink === undefined) {
      this.#early ??= [];
      this.#early.push(bytes);
    } else if (!this.#sink.onContent(bytes)) this.#wanted = false;
  }

  #finish(): void {
    this.complete = true;
    this.#sink?.onEnd();
  }

  /** Ends the body with an error, unless it is complete. */
  fail(error: Error): void {
    if (this.complete || this.failure !== undefined) return;
    this.failure = error;
    this.#sink?.onFailure(error);
  }

  /** Begins the flow into the sink. */
  attach(sink: BodySink): void {
    this.opened = true;
    this.#sink = sink;
    const early = this.#takeEarly();
    let wanted = true;
    for (const bytes of early) if (!sink.onContent(bytes)) wanted = false;
    if (this.complete) sink.onEnd();
    else if (this.failure !== undefined) sink.onFailure(this.failure);
    else {
      this.#source.onBodyOpened();
      if (wanted) this.#source.onBodyWanted();
    }
  }

  #takeEarly(): Buffer[] {
    const early = this.text === undefined ? (this.#early ?? []) : this.text === '' ? [] : [Buffer.from(this.text, 'latin1')];
    this.#early = undefined;
    return early;
  }

  /** After a sink said false: it can take more. */
  resume(): void {
    if (!this.complete && this.failure === undefined) this.#source.onBodyWanted();
  }

  discard(): void {
    this.opened = true;
    this.abandoned = true;
    this.#sink = IGNORE;
    this.#early = undefined;
    if (!this.complete && this.failure === undefined) this.#source.onBodyAbandoned();
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const waiting: Buffer[] = [];
    let wake = (): void => {};
    this.attach({
      onContent(bytes) {
        waiting.push(bytes);
        wake();
        return false;
      },
      onEnd: () => wake(),
      onFailure: () => wake(),
    });
    try {
      for (;;) {
        for (let bytes = waiting.shift(); bytes !== undefined; bytes = waiting.shift()) yield bytes;
        if (this.failure !== undefined) throw this.failure;
        if (this.complete) return;
        const news = new Promise<void>((resolve) => void (wake = resolve));
        this.resume();
        await news;
      }
    } finally {
      if (!this.complete) this.discard();
    }
  }

  bytes(limit: number): Promise<Uint8Array> {
    return readAll(this.chunks(), limit, this.length);
  }

  trailers(): HeaderList | undefined {
    return this.#decoder?.trailers;
  }
}
