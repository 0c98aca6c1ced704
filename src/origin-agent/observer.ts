import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import type { ProxyRequest } from '../base/message.ts';
import type { StaticConfiguration } from '../config/static.ts';
import { type AccessLogOptions, createAccessLogFormat } from '../proxy/access-log.ts';
import { createMetrics, type MetricsOptions, type MetricsReading } from '../proxy/metrics.ts';
import type { ExchangeOutcome } from '../proxy/observation.ts';
import { createLineBatch } from './access-log/batch.ts';

/** What is observed of requests. */
export interface ObserverOptions {
  readonly accessLog: StaticConfiguration['accessLog'];
  readonly metrics: StaticConfiguration['metrics'];
}

/** Turns finished requests of one data thread into access log lines and numbers. */
export interface Observer {
  outcome(connected: ProxyRequest, outcome: ExchangeOutcome): void;
  /** Undefined while no metrics are wanted. */
  metrics(): MetricsReading | undefined;
  /** Sends lines that are held back. */
  flush(): void;
}

export interface ObserverContext {
  readonly cells: Cells;
  readonly clock: Clock;
  /** Takes lines with their ends. */
  readonly writeLines: (lines: Uint8Array<ArrayBuffer>) => void;
}

/** Undefined when nothing is to be observed. Throws ConfigError. */
export function createObserver(
  { accessLog, metrics }: ObserverOptions,
  { cells, clock, writeLines }: ObserverContext,
): Observer | undefined {
  const prometheus = metrics?.prometheus;
  if (accessLog === undefined && prometheus === undefined) return undefined;
  const write = accessLog && createAccessLogFormat(accessLog as AccessLogOptions);
  const numbers = prometheus && createMetrics({ ...prometheus, addInternals: metrics?.addInternals } as MetricsOptions);
  const batch = createLineBatch(clock, writeLines, accessLog?.bufferingSize || undefined);
  const count = cells.counter('access log requests');
  return {
    outcome({ facts: { observation } }, outcome) {
      if (observation === undefined) return;
      const { request } = observation;
      const endedAt = clock.now();
      numbers?.record(request, observation, outcome, endedAt);
      if (write?.(batch.buffer, request, observation, outcome, endedAt, count.add(1) + 1)) batch.added();
    },
    metrics: () => numbers?.read(),
    flush: batch.flush,
  };
}
