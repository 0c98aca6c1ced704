import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import type { ProxyRequest } from '../base/message.ts';
import type { StaticConfiguration } from '../config/static.ts';
import { type AccessLogOptions, createAccessLogFormat } from '../proxy/access-log.ts';
import type { ExchangeOutcome } from '../proxy/observation.ts';
import { createLineBatch } from './access-log/batch.ts';

/** What is observed of requests. */
export interface ObserverOptions {
  readonly accessLog: StaticConfiguration['accessLog'];
}

/** Turns finished requests of one data thread into access log lines. */
export interface Observer {
  outcome(request: ProxyRequest, outcome: ExchangeOutcome): void;
  /** Sends what is held back. */
  flush(): void;
}

export interface ObserverContext {
  readonly cells: Cells;
  readonly clock: Clock;
  /** Takes lines with their ends. */
  readonly writeLines: (lines: string) => void;
}

/** Undefined when nothing is to be observed. Throws ConfigError. */
export function createObserver({ accessLog }: ObserverOptions, { cells, clock, writeLines }: ObserverContext): Observer | undefined {
  if (accessLog === undefined) return undefined;
  const format = createAccessLogFormat(accessLog as AccessLogOptions);
  const batch = createLineBatch(clock, writeLines);
  const count = cells.counter('access log requests');
  return {
    outcome(request, outcome) {
      const { observation } = request.facts;
      if (observation === undefined) return;
      const line = format(request, observation, outcome, clock.now(), count.add(1) + 1);
      if (line !== undefined) batch.add(line);
    },
    flush: batch.flush,
  };
}
