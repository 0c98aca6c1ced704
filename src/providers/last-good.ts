import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { describe } from '../base/errors.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';
import type { ProviderContext, ProviderMessage } from './provider.ts';

type Messages = AsyncIterable<ProviderMessage>;

/** What a source said last, where it outlives the process. */
export interface LastGood {
  /** As messages name it. */
  readonly place: string;
  /** Undefined when there is none, or one of another source. Looked at once, and only when it is needed. */
  read(): { readonly message: ProviderMessage; readonly at: number } | undefined;
  /** This is served now. */
  keep(configuration: DynamicConfiguration): void;
  /** What is not yet written is written. */
  close(): void;
}

/** A source that has said nothing for so long is away. */
const PATIENCE_MS = 5_000;

/**
 * What the source says, and keeps it. Until it has said something for the first time, what an earlier process kept stands in for
 * it: as soon as it cannot be read, or when it is silent for too long.
 */
export async function* orLastGood(start: (context: ProviderContext) => Messages, lastGood: LastGood, context: ProviderContext): Messages {
  const { found, standIn, spoke } = createStandIn(lastGood, context);
  try {
    const messages = start({ ...context, onFailure: standIn })[Symbol.asyncIterator]();
    const first = messages.next();
    const copy = await Promise.race([
      found,
      first.then(
        () => undefined,
        () => undefined,
      ),
    ]);
    if (copy !== undefined) yield copy;
    const { done, value } = await first;
    spoke();
    if (done) return;
    if (copy !== undefined) context.log.info('The provider can be read again');
    yield kept(value, lastGood);
    for await (const message of { [Symbol.asyncIterator]: () => messages }) yield kept(message, lastGood);
  } finally {
    spoke();
    lastGood.close();
  }
}

const kept = (message: ProviderMessage, lastGood: LastGood): ProviderMessage => ({
  ...message,
  applied() {
    message.applied?.();
    lastGood.keep(message.configuration);
  },
});

interface StandIn {
  /** Resolves with the copy when it is needed; never without one. */
  readonly found: Promise<ProviderMessage>;
  /** As `onFailure` of the context. */
  readonly standIn: (error: Error) => boolean;
  /** From now on there is no need of a copy. */
  readonly spoke: () => void;
}

function createStandIn(lastGood: LastGood, { clock, log }: ProviderContext): StandIn {
  const found = Promise.withResolvers<ProviderMessage>();
  let state: 'waiting' | 'copy' | 'none' = 'waiting';
  function standIn(error: Error): boolean {
    if (state !== 'waiting') return state === 'copy';
    const copy = lastGood.read();
    state = copy === undefined ? 'none' : 'copy';
    if (copy === undefined) return false;
    log.warn('The provider cannot be read, serving what it said before', {
      error: describe(error),
      age: age(copy.at, clock),
      file: lastGood.place,
    });
    found.resolve({ ...copy.message, isCopy: true });
    return true;
  }
  const cancel = clock.after(PATIENCE_MS, () => void standIn(new Error(`It has said nothing for ${PATIENCE_MS / 1_000} s`)));
  return {
    found: found.promise,
    standIn,
    spoke() {
      cancel();
      state = 'none';
    },
  };
}

const age = (at: number, clock: Clock): string => formatDuration(Math.max(0, Math.round((clock.now() - at) / 1_000) * 1_000));
