import { readAll } from '../../base/body.ts';
import type { Body, HeaderList } from '../../base/message.ts';

/** What has been read of a body is kept up to this size while its request may have to be sent again. */
const MAX_KEPT_BYTES = 65_536;

/** A request's body that begins anew for each try, as long as little of it was sent. */
export class Feed implements Body {
  readonly body: Body;
  readonly length: number | undefined;
  /** `chunks` would still give all of it. */
  repeatable = true;
  #source: AsyncIterator<Uint8Array> | undefined;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #ended = false;
  #failure: Error | undefined;
  /** What one try waits for, the next one must not miss. */
  #pulling: Promise<Uint8Array | undefined> | undefined;

  constructor(body: Body) {
    this.body = body;
    this.length = body.length;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (;;) {
      if (at < this.#kept.length) yield this.#kept[at++]!;
      else if (this.#failure !== undefined) throw this.#failure;
      else if (this.#ended) return;
      else {
        const chunk = await (this.#pulling ??= this.#pull());
        if (chunk === undefined) continue;
        at = this.#kept.length;
        yield chunk;
      }
    }
  }

  async #pull(): Promise<Uint8Array | undefined> {
    this.#source ??= this.body.chunks()[Symbol.asyncIterator]();
    try {
      const { done, value } = await this.#source.next();
      if (done === true) {
        this.#ended = true;
        return undefined;
      }
      if (this.repeatable) this.#keep(value);
      return value;
    } catch (error) {
      // A source that has failed would only say from then on that it is over.
      this.#failure = error as Error;
      throw error;
    } finally {
      this.#pulling = undefined;
    }
  }

  #keep(chunk: Uint8Array): void {
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > MAX_KEPT_BYTES) this.settle();
    else this.#kept.push(chunk.slice());
  }

  /** No other try follows. */
  settle(): void {
    this.repeatable = false;
    this.#kept = [];
  }

  /** The rest is not wanted. */
  discard(): void {
    this.settle();
    if (this.#ended) return;
    this.#ended = true;
    if (this.#source === undefined) this.body.discard();
    else void this.#source.return?.();
  }

  bytes(limit: number): Promise<Uint8Array> {
    return readAll(this.chunks(), limit, this.length);
  }

  trailers(): HeaderList | undefined {
    return this.body.trailers();
  }
}
