import { concatBytes, encodeText } from './bytes.ts';
import { ClientError } from './errors.ts';
import type { Body, HeaderList, ProxyResponse } from './message.ts';
import { HeaderList as Headers } from './message.ts';
import { STATUS_TEXT } from './status-text.ts';

/** A body held in memory. May be read again, unlike one lent by a platform. */
export function createBody(content: Uint8Array | string, trailers?: HeaderList): Body {
  const data = typeof content === 'string' ? encodeText(content) : content;
  return {
    length: data.length,
    async *chunks() {
      if (data.length > 0) yield data;
    },
    async bytes(limit) {
      if (data.length > limit) throw tooLarge(limit);
      return data;
    },
    discard() {},
    trailers: () => trailers,
  };
}

/** A body out of chunks that come one after the other. `onDiscard` frees the source when nobody wants the rest. */
export function createStreamBody(
  source: AsyncIterable<Uint8Array>,
  { length, trailers, onDiscard }: { length?: number | undefined; trailers?: () => HeaderList | undefined; onDiscard?: () => void } = {},
): Body {
  return {
    length,
    chunks: () => (onDiscard === undefined ? source : abandonable(source, onDiscard)),
    bytes: (limit) => readAll(source, limit, length),
    discard: onDiscard ?? (() => void source[Symbol.asyncIterator]().return?.(undefined)),
    trailers: trailers ?? (() => undefined),
  };
}

/** A generator that is closed before its first step runs no `finally`; then `onAbandon` frees what it would have. */
function abandonable(source: AsyncIterable<Uint8Array>, onAbandon: () => void): AsyncIterableIterator<Uint8Array> {
  const inner = source[Symbol.asyncIterator]();
  let started = false;
  const iterator: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => iterator,
    next() {
      started = true;
      return inner.next();
    },
    async return() {
      if (!started) onAbandon();
      await inner.return?.();
      return { done: true, value: undefined };
    },
  };
  return iterator;
}

/** Collects up to `limit` bytes; throws ClientError 413 beyond, without reading on. Chunks are copied, as they are only lent. */
export async function readAll(source: AsyncIterable<Uint8Array>, limit: number, length?: number): Promise<Uint8Array> {
  if (length !== undefined && length > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk.slice());
  }
  return concatBytes(chunks);
}

export const tooLarge = (limit: number): ClientError => new ClientError('client.too-large', 413, `The body is larger than ${limit} bytes`);

/** An answer with a text body. `contentType` is set unless it is empty; headers come before it. */
export function textResponse(
  status: number,
  text: string,
  { headers = [], contentType = '' }: { headers?: string[]; contentType?: string } = {},
): ProxyResponse {
  const list = new Headers(headers.slice());
  if (contentType !== '') list.append('Content-Type', contentType);
  list.append('Content-Length', String(encodeText(text).length));
  return { status, headers: list, body: createBody(text) };
}

/** Go's `http.Error`: plain text with a final newline. */
export const errorText = (status: number, text: string, headers: string[] = []): ProxyResponse =>
  textResponse(status, `${text}\n`, {
    headers: [...headers, 'Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'],
  });

/** The status with its phrase as the body, the form of most refusals. */
export const statusResponse = (status: number, headers: string[] = []): ProxyResponse =>
  textResponse(status, STATUS_TEXT[status] ?? '', { headers });
