import type { Changed } from './store.ts';

/** Signs of change from callbacks, as a stream: what comes while nobody reads counts as one. */
export interface Changes {
  /** Without a key it may be any. */
  mark(key?: string): void;
  /** The stream throws this. */
  fail(error: Error): void;
  /** Yields after every mark until the signal aborts. */
  stream(): AsyncGenerator<Changed>;
}

/** When so many changed, reading all is not slower. */
const MAX_KEYS = 1_000;

export function createChanges(signal: AbortSignal): Changes {
  let isMarked = false;
  let keys: Set<string> | undefined = new Set();
  let failure: Error | undefined;
  let wake: () => void = () => {};
  const onAbort = (): void => wake();
  return {
    mark(key) {
      isMarked = true;
      if (key === undefined || keys?.size === MAX_KEYS) keys = undefined;
      else keys?.add(key);
      wake();
    },
    fail(error) {
      failure ??= error;
      wake();
    },
    async *stream() {
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal.aborted) {
          if (failure !== undefined) throw failure;
          if (isMarked) {
            const changed = keys;
            isMarked = false;
            keys = new Set();
            yield changed;
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve;
              if (isMarked || failure !== undefined || signal.aborted) resolve();
            });
          }
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}
