import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import type { Observation, ProxyRequest } from '../base/message.ts';
import type { ExchangeOutcome } from '../proxy/observation.ts';

/** What is known of the requests of one isolate, on its way to Analytics Engine. */
export interface Counters {
  /** `waitUntil` keeps the isolate until the numbers have left. */
  count(exchange: CountedExchange, waitUntil: (promise: Promise<unknown>) => void): void;
}

export interface CountedExchange {
  readonly request: ProxyRequest;
  readonly observation: Observation;
  readonly outcome: ExchangeOutcome;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
}

/** A row of numbers: those of one router, service, site, status, method and scheme. */
interface Row {
  readonly blobs: string[];
  requests: number;
  durationMs: number;
  sentBytes: number;
  retries: number;
}

/** So long numbers are gathered; an isolate lives 30 s beyond its last answer at most. */
export const GATHER_MS = 5_000;
/** Cloudflare takes so many points of one invocation. */
const MAX_POINTS = 25;
/** Of the index, in bytes. */
const MAX_INDEX = 96;
/** Rows beyond are counted as one, without names: nobody may fill the memory with methods and statuses. */
const MAX_ROWS = 1_000;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']);
const REST = ['', '', '', '', '', ''];

/** docs/observability.md says what the blobs and doubles of a point are. */
export function createCounters(dataset: Pick<AnalyticsEngineDataset, 'writeDataPoint'>, clock: Clock): Counters {
  const rows = new Map<string, Row>();
  let leaving = false;

  function rowOf(wanted: string[]): Row {
    let key = wanted.join('\n');
    let row = rows.get(key);
    if (row !== undefined) return row;
    const isFull = rows.size >= MAX_ROWS;
    key = isFull ? REST.join('\n') : key;
    row = rows.get(key) ?? { blobs: isFull ? REST : wanted, requests: 0, durationMs: 0, sentBytes: 0, retries: 0 };
    rows.set(key, row);
    return row;
  }

  /** The busiest rows first; what does not fit leaves next time. */
  async function flush(): Promise<void> {
    leaving = false;
    const busiest = [...rows].sort(([, a], [, b]) => b.requests - a.requests).slice(0, MAX_POINTS);
    const written = busiest.map(([key, { blobs, requests, durationMs, sentBytes, retries }]) => {
      rows.delete(key);
      return dataset.writeDataPoint({ indexes: [cut(blobs[0]!)], blobs, doubles: [requests, durationMs, sentBytes, retries] });
    });
    // The real one returns nothing; a dataset behind a service binding is called over it.
    await Promise.all(written);
  }

  return {
    count({ request, observation, outcome, endedAt }, waitUntil) {
      const { facts } = request;
      const method = METHODS.has(observation.method) ? observation.method : 'EXTENSION_METHOD';
      const service = observation.serviceOfRouter ?? '';
      const row = rowOf([facts.routerName ?? '', service, facts.site ?? '', String(outcome.status), method, request.scheme]);
      row.requests += 1;
      row.durationMs += Math.max(0, endedAt - facts.startedAt);
      row.sentBytes += outcome.sentBytes ?? 0;
      row.retries += facts.retryAttempts;
      if (leaving) return;
      leaving = true;
      waitUntil(sleep(clock, GATHER_MS).then(flush));
    },
  };
}

/** As many whole characters as fit. */
function cut(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return bytes.length <= MAX_INDEX ? text : new TextDecoder().decode(bytes.subarray(0, MAX_INDEX)).replace(/\ufffd$/, '');
}
