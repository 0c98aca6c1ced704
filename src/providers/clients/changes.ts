/** Signs of change from callbacks, as a stream: what comes while nobody reads counts as one. */
export interface Changes {
  mark(): void;
  /** The stream throws this. */
  fail(error: Error): void;
  /** Yields after every mark until the signal aborts. */
  stream(): AsyncGenerator<void>;
}

export function createChanges(signal: AbortSignal): Changes {
  let isMarked = false;
  let failure: Error | undefined;
  let wake: () => void = () => {};
  const onAbort = (): void => wake();
  return {
    mark() {
      isMarked = true;
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
            isMarked = false;
            yield;
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
