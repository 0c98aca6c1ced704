import type { Clock } from '../base/clock.ts';
import type { ProxyRequest } from '../base/message.ts';

/** Waits with a request; false when its client goes away first. */
export function waitFor({ cancellation }: ProxyRequest, delayMs: number, clock: Clock): Promise<boolean> {
  if (cancellation.cancelled) return Promise.resolve(false);
  return new Promise((resolve) => {
    const stop = clock.after(delayMs, () => {
      forget();
      resolve(true);
    });
    const forget = cancellation.onCancel(() => {
      stop();
      resolve(false);
    });
  });
}
