import { createBackoff } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';

export interface Round<M> {
  readonly message: M;
  /** The target changed, or the last round failed; the message is the one before. */
  readonly isRepeat: boolean;
  /** Asks for one more round. */
  readonly again: () => void;
}

/** After a change of the target by others, more of them may come at once. */
const SETTLE_MS = 200;

/**
 * A round for every message of the source, and one more when the target has changed meanwhile. Of messages that come during a
 * round the newest counts. Ends with the source.
 */
export async function* follow<M>(
  source: AsyncIterable<M>,
  changes: ((signal: AbortSignal) => AsyncIterable<void>) | undefined,
  watch: { readonly clock: Clock; readonly signal: AbortSignal } | undefined,
): AsyncGenerator<Round<M>> {
  let newest: { readonly message: M } | undefined;
  let current: { readonly message: M } | undefined;
  let isRepeated = false;
  let hasEnded = false;
  let failure: { readonly error: unknown } | undefined;
  let wake: () => void = () => {};
  let taken: () => void = () => {};
  const stopping = new AbortController();
  const again = (): void => {
    isRepeated = true;
    wake();
  };
  const reading = (async () => {
    try {
      for await (const message of source) {
        newest = { message };
        wake();
        // Without a watch every message has its round.
        while (watch === undefined && newest !== undefined) await new Promise<void>((resolve) => (taken = resolve));
      }
    } catch (error) {
      failure = { error };
    }
    hasEnded = true;
    wake();
  })();
  if (changes !== undefined && watch !== undefined)
    void watchTarget(changes, again, { ...watch, signal: AbortSignal.any([watch.signal, stopping.signal]) });
  try {
    while (true) {
      if (newest === undefined && !hasEnded && !(isRepeated && current !== undefined)) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      if (newest === undefined && hasEnded) break;
      const isRepeat = newest === undefined;
      current = newest ?? current;
      newest = undefined;
      isRepeated = false;
      yield { message: current!.message, isRepeat, again };
      taken();
    }
    await reading;
    if (failure !== undefined) throw failure.error;
  } finally {
    stopping.abort();
  }
}

async function watchTarget(
  changes: (signal: AbortSignal) => AsyncIterable<void>,
  onChange: () => void,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const backoff = createBackoff({ limitMs: 5_000 });
  let isFirst = true;
  while (!signal.aborted) {
    try {
      for await (const _ of changes(signal)) {
        backoff.reset();
        // The first sign only says that the watch stands; what happened before it is known.
        if (!isFirst && (await sleep(clock, SETTLE_MS, signal))) onChange();
        isFirst = false;
      }
    } catch {
      // Whoever writes tells what is wrong; here it is only waited until the target is there again.
      isFirst = false;
    }
    await sleep(clock, backoff.next(), signal);
  }
}
