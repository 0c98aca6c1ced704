import { createBody, createStreamBody } from '../base/body.ts';
import { concatBytes } from '../base/bytes.ts';
import { type Body, HeaderList, type ProxyRequest } from '../base/message.ts';

/** The request for one try: what the steps behind change stays in it. */
export const copyRequest = (request: ProxyRequest, body: Body | undefined): ProxyRequest => ({
  ...request,
  headers: new HeaderList(request.headers.raw.slice()),
  body,
});

/**
 * Reads a body of up to `limit` bytes (-1 has no limit) so that it can be sent as often as wanted. A longer one is given back
 * with all its bytes, to be sent once.
 */
export async function takeReplayable(body: Body, limit: number): Promise<{ readonly replay: () => Body } | { readonly once: Body }> {
  if (limit >= 0 && body.length !== undefined && body.length > limit) return { once: body };
  const chunks: Uint8Array[] = [];
  let size = 0;
  const source = body.chunks()[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await source.next();
    if (done) break;
    chunks.push(value.slice());
    size += value.length;
    if (limit >= 0 && size > limit) return { once: continueBody(body, chunks, source) };
  }
  const whole = concatBytes(chunks);
  return { replay: () => createBody(whole, body.trailers()) };
}

/** What was read, then the rest. */
function continueBody(body: Body, read: Uint8Array[], source: AsyncIterator<Uint8Array>): Body {
  async function* run(): AsyncGenerator<Uint8Array> {
    try {
      yield* read;
      for (;;) {
        const { done, value } = await source.next();
        if (done) return;
        yield value;
      }
    } finally {
      await source.return?.();
    }
  }
  return createStreamBody(run(), { length: body.length, trailers: () => body.trailers(), onDiscard: () => void source.return?.() });
}
