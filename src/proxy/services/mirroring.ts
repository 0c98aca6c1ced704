import { createBody, createStreamBody } from '../../base/body.ts';
import { concatBytes } from '../../base/bytes.ts';
import { type Body, Cancellation, createFacts, finish, type ProxyRequest, type ProxyResponse, whenFinished } from '../../base/message.ts';
import type { Service, ServiceContext } from './service.ts';

export interface MirroringConfig {
  readonly service?: string;
  readonly mirrorBody?: boolean;
  /** Bytes; −1 is without limit. */
  readonly maxBodySize?: number;
  readonly mirrors?: readonly { readonly name?: string; readonly percent?: number }[];
}

/**
 * Sends copies of a share of the requests to other services, after the main answer has left, so that a mirror neither delays nor
 * breaks it; answers of mirrors are thrown away. The share is counted, not rolled: at 10 percent requests 1, 11, 21 …
 */
export function createMirroring(name: string, config: MirroringConfig, context: ServiceContext): Service {
  const { platform } = context;
  const main = context.service(config.service ?? '');
  const limit = config.maxBodySize ?? -1;
  const total = platform.cells.counter(`mirrored of ${name}`);
  const mirrors = (config.mirrors ?? []).map(({ name: mirror = '', percent = 0 }) => ({
    percent,
    service: context.service(mirror),
    count: platform.cells.counter(`mirrored ${name} ${mirror}`),
  }));

  /** Mirrors whose share is not yet full with this request. */
  function choose(): Service[] {
    const seen = total.add(1) + 1;
    return mirrors
      .filter(({ percent, count }) => {
        if (count.get() * 100 >= seen * percent) return false;
        count.add(1);
        return true;
      })
      .map(({ service }) => service);
  }

  async function handle(request: ProxyRequest): Promise<ProxyResponse> {
    const chosen = choose();
    if (chosen.length === 0) return main.handle(request);
    let body: Uint8Array | undefined;
    if (request.body !== undefined && config.mirrorBody !== false) {
      if (limit >= 0 && (request.body.length ?? 0) > limit) return main.handle(request);
      const read = await readUpTo(request.body, limit);
      request.body = read.body;
      if (read.whole === undefined) return main.handle(request);
      body = read.whole;
    }
    const copy = copyRequest(request, platform.clock.now());
    whenFinished(request.facts, () => {
      if (!request.cancellation.cancelled) void mirror(chosen, copy, body);
    });
    return main.handle(request);
  }

  /** One mirror after the other; what fails there is nobody's business but the log's. */
  async function mirror(chosen: readonly Service[], request: ProxyRequest, body: Uint8Array | undefined): Promise<void> {
    for (const service of chosen) {
      const facts = createFacts(platform.clock.now());
      try {
        const response = await service.handle({
          ...request,
          headers: request.headers.clone(),
          facts,
          body: body === undefined ? undefined : createBody(body),
        });
        response.body?.discard();
      } catch (error) {
        platform.log.debug('A mirror failed', { serviceName: name, error: (error as Error).message });
      } finally {
        finish(facts);
      }
    }
  }

  return { handle, available: main.available, healthy: main.healthy };
}

/** A request of its own: what the main service does to its record must not reach the mirrors. */
function copyRequest(request: ProxyRequest, now: number): ProxyRequest {
  const headers = request.headers.clone();
  if (request.body === undefined) {
    headers.delete('Content-Length');
    headers.delete('Transfer-Encoding');
  }
  return {
    ...request,
    headers,
    body: undefined,
    upgrade: undefined,
    interim: undefined,
    cancellation: new Cancellation(),
    facts: createFacts(now),
  };
}

/** The body whole, and again as a body; beyond the limit only the latter, which gives what was read and then the rest. */
async function readUpTo(body: Body, limit: number): Promise<{ whole: Uint8Array | undefined; body: Body }> {
  if (limit < 0) {
    const whole = await body.bytes(Number.MAX_SAFE_INTEGER);
    return { whole, body: createBody(whole, body.trailers()) };
  }
  const kept: Uint8Array[] = [];
  let size = 0;
  const source = body.chunks()[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await source.next();
    if (done) break;
    kept.push(value.slice());
    size += value.length;
    if (size > limit) return { whole: undefined, body: joinBody(kept, source, body) };
  }
  const whole = concatBytes(kept);
  return { whole, body: createBody(whole, body.trailers()) };
}

/** What was read already, then the rest. */
function joinBody(kept: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>, body: Body): Body {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield* kept;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  }
  return createStreamBody(chunks(), { length: body.length, trailers: () => body.trailers(), onDiscard: () => void rest.return?.() });
}
