import type { MetricsReading } from './metrics.ts';

/** A family of one number each, read at the scrape. */
export interface Gauge {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** Number by label text; no labels is the empty text. */
  readonly values: ReadonlyMap<string, number>;
}

const OBJECTS: Readonly<Record<string, string>> = { entrypoint: 'an entry point', router: 'a router', service: 'a service' };
const HELP: Readonly<Record<string, string>> = {
  requests_total: 'Requests of',
  requests_tls_total: 'Requests over TLS of',
  requests_bytes_total: 'Bytes of request bodies of',
  responses_bytes_total: 'Bytes of response bodies of',
  request_duration_seconds: 'Seconds from request to response of',
  retries_total: 'Second and further tries of',
};

/** The readings of all threads added up, in Prometheus' text format 0.0.4. `limits` are the histograms' upper limits in seconds. */
export function metricsText(readings: readonly MetricsReading[], gauges: readonly Gauge[], limits: readonly number[]): string {
  const sorted = [...limits].sort((a, b) => a - b);
  const families = new Map<string, string>();
  for (const { name, type, help, values } of gauges) if (values.size > 0) families.set(name, head(name, type, help) + series(name, values));
  for (const [name, values] of sum(
    readings.map(({ counters }) => counters),
    addNumbers,
  ))
    families.set(name, head(name, 'counter', helpOf(name)) + series(name, values));
  for (const [name, values] of sum(
    readings.map(({ histograms }) => histograms),
    addArrays,
  ))
    families.set(
      name,
      head(name, 'histogram', helpOf(name)) + [...values].map(([labels, counts]) => buckets(name, labels, counts, sorted)).join(''),
    );
  return [...families.keys()]
    .sort()
    .map((name) => families.get(name))
    .join('');
}

const addNumbers = (a: number, b: number): number => a + b;
const addArrays = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, index) => value + b[index]!);

/** One map of all, by family and labels. */
function sum<T>(maps: readonly ReadonlyMap<string, ReadonlyMap<string, T>>[], add: (a: T, b: T) => T): Map<string, Map<string, T>> {
  const result = new Map<string, Map<string, T>>();
  for (const families of maps)
    for (const [name, values] of families) {
      const total = result.get(name) ?? result.set(name, new Map()).get(name)!;
      for (const [labels, value] of values) {
        const before = total.get(labels);
        total.set(labels, before === undefined ? value : add(before, value));
      }
    }
  return result;
}

const head = (name: string, type: string, help: string): string => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

function helpOf(name: string): string {
  const [, object = '', what = ''] = /^traefik_([a-z]+)_(.*)$/.exec(name) ?? [];
  return `${HELP[what]} ${OBJECTS[object]}.`;
}

const series = (name: string, values: ReadonlyMap<string, number>): string =>
  [...values].map(([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`).join('');

/** Buckets are cumulative there, and end with all. */
function buckets(name: string, labels: string, counts: Float64Array, limits: readonly number[]): string {
  let total = 0;
  let text = '';
  for (const [index, limit] of [...limits, '+Inf'].entries()) {
    total += counts[index]!;
    text += `${name}_bucket{${labels},le="${limit}"} ${total}\n`;
  }
  return `${text}${name}_sum{${labels}} ${counts[limits.length + 1]!}\n${name}_count{${labels}} ${total}\n`;
}
