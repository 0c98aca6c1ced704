import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { createStreamBody } from '../base/body.ts';
import { UpstreamError } from '../base/errors.ts';
import type { ProxyResponse } from '../base/message.ts';

/** Takes gzip off a response that the client did not ask to be packed; the length is unknown from here on. */
export function unpackGzip(response: ProxyResponse): ProxyResponse {
  const { body } = response;
  response.headers.delete('Content-Encoding');
  response.headers.delete('Content-Length');
  if (body === undefined) return response;
  const source = Readable.from(copies(body.chunks()));
  const unpacked = source.pipe(createGunzip());
  source.on('error', (error) => unpacked.destroy(error));
  response.body = createStreamBody(mapErrors(unpacked), {
    trailers: () => body.trailers(),
    onDiscard() {
      unpacked.destroy();
      source.destroy();
    },
  });
  return response;
}

/** The stream keeps chunks for later, while a body only lends them. */
async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.slice();
}

async function* mapErrors(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw cause instanceof UpstreamError
      ? cause
      : new UpstreamError('upstream.malformed', 'The server sent gzip that cannot be read', { cause });
  }
}
