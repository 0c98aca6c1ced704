import type { Inbox, ProviderMessage } from './provider.ts';

export function createInbox(): Inbox {
  let newest: ProviderMessage | undefined;
  let wake = (): void => {};
  return {
    put(message) {
      newest = message;
      wake();
    },
    async *messages(signal) {
      const onAbort = (): void => wake();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal.aborted) {
          const message = newest;
          newest = undefined;
          if (message !== undefined) yield message;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}
