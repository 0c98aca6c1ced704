import type { IncomingMessage } from 'node:http';
import { readAll } from '../../base/body.ts';
import { UpstreamError } from '../../base/errors.ts';
import { type Body, HeaderList } from '../../base/message.ts';

/** A body that `node:http` reads. `side` says who sends it, for the error when it ends too early. */
export class NodeBody implements Body {
  readonly length: number | undefined;
  readonly stream: IncomingMessage;
  readonly #side: 'client' | 'server';
  readonly #onOpen: (() => void) | undefined;

  constructor(stream: IncomingMessage, side: 'client' | 'server', onOpen?: () => void) {
    const length = stream.headers['content-length'];
    this.length = length === undefined ? undefined : Number(length);
    this.stream = stream;
    this.#side = side;
    this.#onOpen = onOpen;
    // Until somebody opens the body an early end is nobody's error.
    stream.on('error', () => {});
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    this.#onOpen?.();
    try {
      for await (const chunk of this.stream) yield chunk;
    } catch (cause) {
      throw this.failure(cause);
    }
    if (!this.stream.complete) throw this.failure(undefined);
  }

  bytes(limit: number): Promise<Uint8Array> {
    return readAll(this.chunks(), limit, this.length);
  }

  /** A server's connection is closed, as the rest may be endless; a client's is read to its end by `node:http` or closed with it. */
  discard(): void {
    if (this.#side === 'server') this.stream.destroy();
    else this.stream.resume();
  }

  trailers(): HeaderList | undefined {
    return this.stream.rawTrailers.length > 0 ? new HeaderList(this.stream.rawTrailers.slice()) : undefined;
  }

  failure(cause: unknown): UpstreamError {
    if (this.#side === 'client')
      return new UpstreamError('upstream.aborted', 'The client went away before its body was complete', { cause });
    return new UpstreamError('upstream.closed', 'The server closed the connection before its body was complete', { cause });
  }
}
