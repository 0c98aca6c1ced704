import { createStreamBody } from '../base/body.ts';
import type { Body } from '../base/message.ts';
import type { ByteTransform } from './middleware.ts';

/** The body through a transform. With `flush` every chunk leaves at once, as streams to people need it; else as the transform likes. */
export function transformBody(body: Body, transform: ByteTransform, { flush = false } = {}): Body {
  async function* run(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body.chunks()) {
        const output = await transform.write(chunk);
        if (output.length > 0) yield output;
        const rest = flush ? await transform.flush() : undefined;
        if (rest !== undefined && rest.length > 0) yield rest;
      }
      const last = await transform.end();
      if (last.length > 0) yield last;
    } finally {
      transform.close();
    }
  }
  return createStreamBody(run(), {
    trailers: () => body.trailers(),
    onDiscard() {
      transform.close();
      body.discard();
    },
  });
}
