import type { HeaderList, Observation, ProxyRequest, TlsFacts } from '../base/message.ts';
import { type ExchangeOutcome, receivedBytes } from './observation.ts';

/** `metrics.prometheus` of the static configuration, as far as numbers depend on it. */
export interface MetricsOptions {
  /** Upper limits in seconds. */
  readonly buckets: readonly number[];
  readonly addEntryPointsLabels: boolean;
  readonly addRoutersLabels: boolean;
  readonly addServicesLabels: boolean;
  /** Header field of the request by label. */
  readonly headerLabels?: Readonly<Record<string, string>> | undefined;
  readonly addInternals?: boolean | undefined;
}

type Scope = 'entrypoint' | 'router' | 'service';

/** Numbers by family, then by the text of their labels (`code="200",method="GET"`). Can be posted between threads. */
export interface MetricsReading {
  readonly counters: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Counts by bucket (one above the last limit), then the sum in seconds. */
  readonly histograms: ReadonlyMap<string, ReadonlyMap<string, Float64Array>>;
}

export interface Metrics {
  record(request: ProxyRequest, observation: Observation, outcome: ExchangeOutcome, endedAt: number): void;
  read(): MetricsReading;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'PRI']);

/** What is counted of one object (an entry point, a router, a service) for one code, method and protocol. */
interface Series {
  readonly labels: string;
  requests: number;
  requestBytes: number;
  responseBytes: number;
  /** Counts by bucket, one above the last limit, then the sum in seconds. */
  readonly durations: Float64Array;
}

/** Everything of one object. Labels are put together once for each series: that costs more than to count. */
interface Counted {
  readonly own: Labels;
  readonly series: Map<string, Series>;
  /** Requests over TLS by version and cipher. */
  readonly tls: Map<string, { readonly labels: string; requests: number }>;
  /** Requests by the text of all labels, those of header fields among them. */
  readonly byHeader: Map<string, number>;
}

/** Counts the requests of one thread in Traefik's families. */
export function createMetrics(options: MetricsOptions): Metrics {
  const limits = [...options.buckets].sort((a, b) => a - b);
  const headerLabels = Object.entries(options.headerLabels ?? {});
  const scopes: Readonly<Record<Scope, Map<string, Counted>>> = { entrypoint: new Map(), router: new Map(), service: new Map() };
  const retries = new Map<string, number>();

  function counted(scope: Scope, key: string, own: () => Labels): Counted {
    let found = scopes[scope].get(key);
    if (found === undefined) {
      found = { own: own(), series: new Map(), tls: new Map(), byHeader: new Map() };
      scopes[scope].set(key, found);
    }
    return found;
  }

  function count({ own, series, tls, byHeader }: Counted, { tls: facts }: ProxyRequest, one: Exchange, code: string): Series {
    const key = `${code} ${one.method} ${one.protocol}`;
    let found = series.get(key);
    if (found === undefined) {
      const labels = labelText([...own, ['code', code], ['method', one.method], ['protocol', one.protocol]]);
      found = { labels, requests: 0, requestBytes: 0, responseBytes: 0, durations: new Float64Array(limits.length + 2) };
      series.set(key, found);
    }
    found.requests += 1;
    if (facts !== undefined) countTls(tls, own, facts);
    if (headerLabels.length > 0) {
      const labels = labelText([...own, ['code', code], ['method', one.method], ['protocol', one.protocol], ...one.fromHeaders]);
      byHeader.set(labels, (byHeader.get(labels) ?? 0) + 1);
    }
    return found;
  }

  function measure(series: Series, requestBytes: number, responseBytes: number, seconds: number): void {
    series.requestBytes += requestBytes;
    series.responseBytes += responseBytes;
    const { durations } = series;
    const positive = Math.max(0, seconds);
    let bucket = 0;
    while (bucket < limits.length && positive > limits[bucket]!) bucket++;
    durations[bucket]! += 1;
    durations[limits.length + 1]! += positive;
  }

  return {
    record(request, observation, outcome, endedAt) {
      if (!observation.metrics || (observation.internal && !options.addInternals)) return;
      const protocol = protocolOf(observation);
      const exchange: Exchange = {
        method: METHODS.has(observation.method) ? observation.method : 'EXTENSION_METHOD',
        protocol,
        fromHeaders: headerLabels.map(([label, field]) => [label, observation.headers.get(field) ?? '']),
      };
      const isGrpc = protocol.startsWith('grpc');
      const code = isGrpc ? grpcStatus(observation.responseHeaders) : `${outcome.status}`;
      const requestBytes = receivedBytes(observation.body);
      const sentBytes = outcome.sentBytes ?? 0;
      const seconds = (endedAt - request.facts.startedAt) / 1000;
      if (options.addEntryPointsLabels) {
        const { entryPoint } = request;
        const object = counted('entrypoint', entryPoint, () => [['entrypoint', entryPoint]]);
        measure(count(object, request, exchange, code), requestBytes, sentBytes, seconds);
      }
      const { routerName } = request.facts;
      if (options.addRoutersLabels && routerName !== undefined) {
        const service = observation.serviceOfRouter ?? '';
        const object = counted('router', `${routerName} ${service}`, () => [
          ['router', routerName],
          ['service', service],
        ]);
        measure(count(object, request, exchange, code), requestBytes, sentBytes, seconds);
      }
      if (!options.addServicesLabels) return;
      const { tries } = observation;
      for (let index = 0; index < tries.length; index++) {
        const { service, startedAt, durationMs, status, size } = tries[index]!;
        const isLast = index === tries.length - 1;
        if (!isLast) retries.set(service, (retries.get(service) ?? 0) + 1);
        const object = counted('service', service, () => [['service', service]]);
        const series = count(object, request, exchange, isGrpc ? grpcStatus(observation.originHeaders) : `${status}`);
        const responseBytes = size ?? (isLast ? sentBytes : 0);
        measure(series, isLast ? requestBytes : 0, responseBytes, (isLast ? endedAt - startedAt : durationMs) / 1000);
      }
    },
    read: () => readingOf(scopes, retries, headerLabels.length > 0),
  };
}

function countTls(counts: Counted['tls'], own: Labels, { version, cipher }: TlsFacts): void {
  const key = `${version} ${cipher}`;
  let found = counts.get(key);
  if (found === undefined) {
    found = { labels: labelText([...own, ['tls_cipher', cipher], ['tls_version', version]]), requests: 0 };
    counts.set(key, found);
  }
  found.requests += 1;
}

function readingOf(
  scopes: Readonly<Record<Scope, ReadonlyMap<string, Counted>>>,
  retries: ReadonlyMap<string, number>,
  hasHeaderLabels: boolean,
): MetricsReading {
  const counters = new Map<string, Map<string, number>>();
  const histograms = new Map<string, Map<string, Float64Array>>();
  const family = <T>(families: Map<string, Map<string, T>>, name: string): Map<string, T> =>
    families.get(name) ?? families.set(name, new Map()).get(name)!;
  for (const [scope, objects] of Object.entries(scopes)) {
    const prefix = `traefik_${scope}_`;
    for (const { series, tls, byHeader } of objects.values()) {
      for (const { labels, requests, requestBytes, responseBytes, durations } of series.values()) {
        if (!hasHeaderLabels) family(counters, `${prefix}requests_total`).set(labels, requests);
        family(counters, `${prefix}requests_bytes_total`).set(labels, requestBytes);
        family(counters, `${prefix}responses_bytes_total`).set(labels, responseBytes);
        family(histograms, `${prefix}request_duration_seconds`).set(labels, durations);
      }
      for (const { labels, requests } of tls.values()) family(counters, `${prefix}requests_tls_total`).set(labels, requests);
      for (const [labels, requests] of byHeader) family(counters, `${prefix}requests_total`).set(labels, requests);
    }
  }
  for (const [service, count] of retries) family(counters, 'traefik_service_retries_total').set(labelText([['service', service]]), count);
  return { counters, histograms };
}

/** What all objects of one request have in common. */
interface Exchange {
  readonly method: string;
  readonly protocol: string;
  readonly fromHeaders: Labels;
}

type Labels = (readonly [string, string])[];

/** Labels in the order of their names, as the text format has them. */
export function labelText(labels: Labels): string {
  labels.sort(([a], [b]) => (a < b ? -1 : 1));
  let text = '';
  for (const [name, value] of labels) text += `${text === '' ? '' : ','}${name}="${escapeLabel(value)}"`;
  return text;
}

const escapeLabel = (value: string): string =>
  /[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`)) : value;

const EVENT_STREAM = /(?:^|,)\s*text\/event-stream\s*(?:,|$)/i;

function protocolOf({ headers, upgrade }: Observation): string {
  if (upgrade?.toLowerCase() === 'websocket') return 'websocket';
  const accepted = headers.get('Accept');
  if (accepted !== undefined && EVENT_STREAM.test(accepted)) return 'sse';
  const type = headers.get('Content-Type');
  if (type === undefined || !type.startsWith('application/grpc')) return 'http';
  return type.startsWith('application/grpc-web') ? 'grpc-web' : 'grpc';
}

/** 2 is UNKNOWN; the status of a streamed answer comes in trailers and is not seen here. */
function grpcStatus(headers: HeaderList | undefined): string {
  const status = headers?.get('Grpc-Status');
  return status !== undefined && /^\d{1,2}$/.test(status) && Number(status) <= 16 ? String(Number(status)) : '2';
}
