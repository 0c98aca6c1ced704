import { readAll } from '../base/body.ts';
import { UpstreamError } from '../base/errors.ts';
import type { Body, HeaderList } from '../base/message.ts';

/** A stream of the runtime. Passed on unopened it costs no JavaScript: the bytes go from socket to socket, compressed ones as they are. */
export class StreamBody implements Body {
  readonly length: number | undefined;
  readonly stream: ReadableStream<Uint8Array>;
  readonly #side: 'client' | 'server';
  readonly #onOpen: (() => void) | undefined;

  constructor(stream: ReadableStream<Uint8Array>, length: number | undefined, side: 'client' | 'server', onOpen?: () => void) {
    this.stream = stream;
    this.length = length;
    this.#side = side;
    this.#onOpen = onOpen;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    this.#onOpen?.();
    const reader = this.stream.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } catch (cause) {
      throw this.#side === 'client'
        ? new UpstreamError('upstream.aborted', 'The client went away before its body was complete', { cause })
        : new UpstreamError('upstream.closed', 'The server closed the connection before its body was complete', { cause });
    } finally {
      reader.releaseLock();
    }
  }

  bytes(limit: number): Promise<Uint8Array> {
    return readAll(this.chunks(), limit, this.length);
  }

  discard(): void {
    if (!this.stream.locked) this.stream.cancel().catch(() => {});
  }

  trailers(): HeaderList | undefined {
    return undefined;
  }
}

/** Content-Length as a number; undefined without one. */
export function contentLength(headers: Headers): number | undefined {
  const text = headers.get('Content-Length');
  return text === null || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** What `fetch` or `new Response` takes for a body. */
export function toStream(body: Body | undefined): ReadableStream<Uint8Array> | null {
  if (body === undefined) return null;
  if (body instanceof StreamBody && !body.stream.locked) return body.stream;
  const iterator = body.chunks()[Symbol.asyncIterator]();
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      // Chunks are only lent until the next one.
      else controller.enqueue(value.slice());
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  return body.length === undefined ? source : source.pipeThrough(new FixedLengthStream(body.length));
}
