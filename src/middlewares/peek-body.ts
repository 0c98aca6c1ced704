import { createStreamBody } from '../base/body.ts';
import { EMPTY } from '../base/bytes.ts';
import type { Body } from '../base/message.ts';

/** The first bytes of a body (none when it is empty), and the body with them still in it. */
export async function peekBody(body: Body): Promise<{ readonly first: Uint8Array; readonly body: Body }> {
  const source = body.chunks()[Symbol.asyncIterator]();
  let first: Uint8Array = EMPTY;
  let ended = false;
  while (first.length === 0 && !ended) {
    const { done, value } = await source.next();
    if (done) ended = true;
    else first = value.slice();
  }
  async function* run(): AsyncGenerator<Uint8Array> {
    try {
      if (first.length > 0) yield first;
      while (!ended) {
        const { done, value } = await source.next();
        if (done) return;
        yield value;
      }
    } finally {
      await source.return?.();
    }
  }
  const rest = createStreamBody(run(), { length: body.length, trailers: () => body.trailers(), onDiscard: () => void source.return?.() });
  return { first, body: rest };
}
