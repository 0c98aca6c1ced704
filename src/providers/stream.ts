import { createBackoff } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import { equal } from '../config/merge/equal.ts';
import type { ProviderContext, ProviderMessage } from './provider.ts';

type Messages = AsyncIterable<ProviderMessage>;

/** Starts the source again, with growing delays, when it fails or ends; what it said last stays in force meanwhile. */
export async function* keepTrying(start: () => Messages, context: ProviderContext): Messages {
  const backoff = createBackoff();
  while (!context.signal.aborted) {
    try {
      for await (const message of start()) {
        backoff.reset();
        yield message;
      }
      if (context.signal.aborted) return;
      context.log.debug('Provider stream ended, starting it again');
    } catch (error) {
      if (context.signal.aborted) return;
      context.log.error('Provider failed, keeping its last good configuration', { error: (error as Error).message });
      context.onFailure?.(error as Error);
    }
    await sleep(context.clock, backoff.next(), context.signal);
  }
}

/** Drops what says the same as before. */
export async function* distinct(source: Messages): Messages {
  let last: ProviderMessage | undefined;
  for await (const message of source) {
    if (last !== undefined && isSame(last, message)) {
      message.applied?.();
      continue;
    }
    last = message;
    yield message;
  }
}

const isSame = (a: ProviderMessage, b: ProviderMessage): boolean =>
  equal(a.configuration, b.configuration) &&
  equal(
    a.problems.map(({ message }) => message),
    b.problems.map(({ message }) => message),
  );

/**
 * After a message, waits `ms`; of what comes meanwhile only the newest is passed on (Traefik's providersThrottleDuration). An
 * urgent one is passed on at once, with everything that waited before it.
 */
export async function* throttle(source: Messages, ms: number, context: ProviderContext): Messages {
  let newest: ProviderMessage | undefined;
  let ended = false;
  let failure: unknown;
  let pause: AbortController | undefined;
  let wake: () => void = () => {};
  const arrived = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  let waiting = arrived();
  const reading = (async () => {
    try {
      for await (const message of source) {
        // What is urgent stays so, when a later message replaces it before anybody read it.
        newest = newest?.urgent ? { ...message, urgent: true } : message;
        if (newest.urgent) pause?.abort();
        wake();
      }
    } catch (error) {
      failure = error;
    }
    ended = true;
    wake();
  })();
  while (true) {
    if (newest === undefined && !ended) await waiting;
    waiting = arrived();
    const message = newest;
    newest = undefined;
    if (message !== undefined) {
      yield message;
      if ((newest as ProviderMessage | undefined)?.urgent) continue;
      pause = new AbortController();
      await sleep(context.clock, ms, AbortSignal.any([pause.signal, context.signal]));
      pause = undefined;
    } else if (ended) {
      await reading;
      if (failure !== undefined) throw failure;
      return;
    }
  }
}
