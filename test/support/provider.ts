import type { Clock } from '../../src/base/clock.ts';
import { createLogger, type LogLine } from '../../src/base/log.ts';
import type { ProviderContext, ProviderMessage } from '../../src/providers/provider.ts';

/** The time of the machine. Its timers do not keep the process alive. */
export const realClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export interface Watched {
  /** Everything that was yielded, with the time it came. */
  readonly messages: (ProviderMessage & { readonly at: number })[];
  readonly lines: LogLine[];
  /** Resolves with the first message, of those from `since` on, that fits; at once when one is there. */
  waitFor(fits: (message: ProviderMessage) => boolean, since?: number): Promise<ProviderMessage & { readonly at: number }>;
  /** Ends the provider; throws what it threw. */
  stop(): Promise<void>;
}

/** Runs a provider until `stop`. */
export function watch(start: (context: ProviderContext) => AsyncIterable<ProviderMessage>, clock: Clock = realClock): Watched {
  const abort = new AbortController();
  const lines: LogLine[] = [];
  const messages: Watched['messages'] = [];
  const waiting = new Set<() => void>();
  let failure: Error | undefined;
  const done = (async () => {
    const log = createLogger((line) => lines.push(line), 'DEBUG');
    try {
      for await (const message of start({ clock, log, signal: abort.signal, environment: {}, node: { name: 'node-1', version: '0' } })) {
        messages.push({ ...message, at: Date.now() });
        for (const check of waiting) check();
      }
    } catch (error) {
      failure = error as Error;
      for (const check of waiting) check();
    }
  })();
  return {
    messages,
    lines,
    waitFor: (fits, since = 0) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`No such message within 15s; the last is ${JSON.stringify(messages.at(-1))?.slice(0, 2_000)}`));
        }, 15_000);
        const check = (): void => {
          const found = messages.slice(since).find(fits);
          if (found === undefined && failure === undefined) return;
          clearTimeout(timer);
          waiting.delete(check);
          if (found === undefined) reject(failure);
          else resolve(found);
        };
        waiting.add(check);
        check();
      }),
    async stop() {
      abort.abort();
      await done;
      if (failure !== undefined) throw failure;
    },
  };
}

/** Addresses of the servers of an HTTP service, fenced ones in brackets; undefined when there is no such service. */
export const serversOf = (message: ProviderMessage, service: string): string[] | undefined => {
  const found = message.configuration.http?.services?.[service];
  return found && (found.loadBalancer?.servers ?? []).map(({ url, fenced }) => (fenced ? `(${url})` : url!));
};
