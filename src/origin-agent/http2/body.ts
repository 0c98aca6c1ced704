import type { Http2Stream } from 'node:http2';
import { readAll } from '../../base/body.ts';
import type { Body, HeaderList } from '../../base/message.ts';
import { readTrailers } from './fields.ts';

export interface Http2BodyOptions {
  /** By Content-Length. */
  readonly length: number | undefined;
  /** What an early end means. */
  readonly failure: () => Error;
  /** Somebody begins to read. */
  readonly onOpened?: () => void;
  /** What is still to come is not wanted any more. */
  readonly onDiscarded: () => void;
  /** The last byte has come. */
  readonly onComplete?: () => void;
}

/** What the other side of a stream sends, at the pace of its reader: unread bytes fill the stream's window, then the sender waits. */
export class Http2Body implements Body {
  readonly length: number | undefined;
  failure: Error | undefined;
  complete = false;
  /** Bytes that came so far. */
  received = 0;
  readonly #stream: Http2Stream;
  readonly #options: Http2BodyOptions;
  readonly #waiting: Buffer[] = [];
  #trailers: HeaderList | undefined;
  #opened = false;
  #wake = (): void => {};

  constructor(stream: Http2Stream, options: Http2BodyOptions) {
    this.#stream = stream;
    this.#options = options;
    this.length = options.length;
    stream.pause();
    stream.on('trailers', (_fields, _flags, raw: unknown) => {
      this.#trailers = readTrailers(raw as string[]);
    });
    stream.on('end', () => {
      // A reset ends the stream too.
      if (stream.rstCode !== 0) return this.fail(options.failure());
      this.complete = true;
      this.#wake();
      options.onComplete?.();
    });
    stream.on('close', () => {
      if (!this.complete) this.fail(options.failure());
    });
  }

  /** Ends the body with an error, unless it is complete. */
  fail(error: Error): void {
    if (this.complete || this.failure !== undefined) return;
    this.failure = error;
    this.#wake();
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    this.#opened = true;
    this.#options.onOpened?.();
    const stream = this.#stream;
    const onData = (chunk: Buffer): void => {
      this.received += chunk.length;
      this.#waiting.push(chunk);
      stream.pause();
      this.#wake();
    };
    stream.on('data', onData);
    try {
      for (;;) {
        for (let chunk = this.#waiting.shift(); chunk !== undefined; chunk = this.#waiting.shift()) yield chunk;
        if (this.failure !== undefined) throw this.failure;
        if (this.complete) return;
        const news = new Promise<void>((resolve) => void (this.#wake = resolve));
        stream.resume();
        await news;
      }
    } finally {
      stream.off('data', onData);
      if (!this.complete) this.#options.onDiscarded();
    }
  }

  bytes(limit: number): Promise<Uint8Array> {
    return readAll(this.chunks(), limit, this.length);
  }

  /** Nobody reads it, nor will. */
  discard(): void {
    if (this.#opened) return;
    this.#opened = true;
    if (!this.complete) this.#options.onDiscarded();
  }

  trailers(): HeaderList | undefined {
    return this.#trailers;
  }
}
