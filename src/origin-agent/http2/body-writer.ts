import type { Http2Stream } from 'node:http2';
import type { Body, HeaderList } from '../../base/message.ts';
import { type BodySink, Http1Body } from '../http1/incoming-body.ts';
import { fieldsObject } from './fields.ts';
import { breakStream } from './reset.ts';

export interface BodyWriterOwner {
  /** The body ended too early or too late; what was written is no whole message. */
  onBodyFailed(error: unknown): void;
}

/** Trailers may follow: the stream must be opened with `waitForTrailers`, which costs a frame. Behind a length they are announced. */
export function mayHaveTrailers(body: Body, headers: HeaderList): boolean {
  if (body.length !== undefined) return headers.has('Trailer');
  return !(body instanceof Http1Body && body.complete && body.trailers() === undefined);
}

/**
 * Writes a body to a stream, one piece after the other has left, and its trailers; the stream's end follows. So a peer that reads
 * slowly costs one piece a stream.
 */
export class BodyWriter implements BodySink {
  /** Bytes so far. */
  sent = 0;
  over = false;
  readonly #stream: Http2Stream;
  readonly #body: Body;
  readonly #owner: BodyWriterOwner;
  readonly #trailers: boolean;
  #pending = 0;
  /** The stream was ended together with its last piece. */
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #onWritten = (): void => this.#written();

  constructor(stream: Http2Stream, body: Body, owner: BodyWriterOwner, waitsForTrailers: boolean) {
    this.#trailers = waitsForTrailers;
    this.#stream = stream;
    this.#body = body;
    this.#owner = owner;
  }

  start(): void {
    const stream = this.#stream;
    const body = this.#body;
    if (this.#trailers) stream.on('wantTrailers', () => this.#sendTrailers());
    if (!(body instanceof Http1Body)) {
      void this.#copy();
    } else if (body.text !== undefined && body.trailers() === undefined) {
      this.sent = body.text.length;
      this.over = true;
      stream.end(body.text, 'latin1');
    } else body.attach(this);
  }

  #sendTrailers(): void {
    const trailers = this.#body.trailers();
    if (this.#stream.destroyed) return;
    try {
      this.#stream.sendTrailers(trailers === undefined ? {} : fieldsObject(trailers));
    } catch (error) {
      breakStream(this.#stream, error);
    }
  }

  /** The stream is gone, or nobody wants the rest. */
  stop(): void {
    if (this.over) return;
    this.over = true;
    this.#wake?.();
    if (this.#body instanceof Http1Body) this.#body.discard();
  }

  async #copy(): Promise<void> {
    const body = this.#body;
    try {
      for await (const chunk of body.chunks()) {
        if (this.over) return;
        // A chunk is lent until the next is asked for.
        if (!this.onContent(chunk)) await new Promise<void>((resolve) => void (this.#wake = resolve));
        if (this.over) return;
      }
      if (body.length !== undefined && this.sent !== body.length)
        throw new Error(`The body has ${this.sent} bytes instead of ${body.length}`);
      this.onEnd();
    } catch (error) {
      this.onFailure(error);
    }
  }

  onContent(bytes: Uint8Array): boolean {
    if (bytes.length === 0 || this.over) return true;
    this.sent += bytes.length;
    if (this.#body.length !== undefined && this.sent > this.#body.length) {
      this.onFailure(new Error(`The body is longer than the ${this.#body.length} bytes that it announced`));
      return true;
    }
    this.#pending++;
    this.#ended = !this.#trailers && this.sent === this.#body.length;
    if (this.#ended) this.#stream.end(bytes, this.#onWritten);
    else this.#stream.write(bytes, this.#onWritten);
    return false;
  }

  #written(): void {
    if (--this.#pending > 0) return;
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake !== undefined) wake();
    else if (!this.over && this.#body instanceof Http1Body) this.#body.resume();
  }

  onEnd(): void {
    if (this.over) return;
    this.over = true;
    if (!this.#ended) this.#stream.end();
  }

  onFailure(error: unknown): void {
    if (this.over) return;
    this.over = true;
    this.#owner.onBodyFailed(error);
  }
}
