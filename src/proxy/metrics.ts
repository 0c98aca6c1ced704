import type { HeaderList, Observation, ProxyRequest } from '../base/message.ts';
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

/** Counts the requests of one thread in Traefik's families. */
export function createMetrics(options: MetricsOptions): Metrics {
  const counters = new Map<string, Map<string, number>>();
  const histograms = new Map<string, Map<string, Float64Array>>();
  const limits = [...options.buckets].sort((a, b) => a - b);
  const headerLabels = Object.entries(options.headerLabels ?? {});
  const add = (family: string, labels: string, amount: number): void => {
    const series = counters.get(family) ?? counters.set(family, new Map()).get(family)!;
    series.set(labels, (series.get(labels) ?? 0) + amount);
  };
  const measure = (family: string, labels: string, seconds: number): void => {
    const series = histograms.get(family) ?? histograms.set(family, new Map()).get(family)!;
    let counts = series.get(labels);
    if (counts === undefined) series.set(labels, (counts = new Float64Array(limits.length + 2)));
    let bucket = 0;
    while (bucket < limits.length && seconds > limits[bucket]!) bucket++;
    counts[bucket]! += 1;
    counts[limits.length + 1]! += seconds;
  };

  /** `own` are the labels that name the object. */
  function count(scope: Scope, own: Labels, request: ProxyRequest, one: Exchange): void {
    const prefix = `traefik_${scope}_`;
    if (request.tls !== undefined)
      add(`${prefix}requests_tls_total`, labelText([...own, ['tls_cipher', request.tls.cipher], ['tls_version', request.tls.version]]), 1);
    const all: Labels = [...own, ['code', one.code], ['method', one.method], ['protocol', one.protocol]];
    const labels = labelText(all);
    add(`${prefix}requests_total`, headerLabels.length === 0 ? labels : labelText([...all, ...one.fromHeaders]), 1);
    add(`${prefix}requests_bytes_total`, labels, one.requestBytes);
    add(`${prefix}responses_bytes_total`, labels, one.responseBytes);
    measure(`${prefix}request_duration_seconds`, labels, Math.max(0, one.seconds));
  }

  return {
    record(request, observation, outcome, endedAt) {
      if (!observation.metrics || (observation.internal && !options.addInternals)) return;
      const protocol = protocolOf(observation);
      const code = (status: number, headers: HeaderList | undefined): string =>
        protocol.startsWith('grpc') ? grpcStatus(headers) : String(status);
      const exchange: Exchange = {
        code: code(outcome.status, observation.responseHeaders),
        method: METHODS.has(observation.method) ? observation.method : 'EXTENSION_METHOD',
        protocol,
        fromHeaders: headerLabels.map(([label, field]) => [label, observation.headers.get(field) ?? '']),
        requestBytes: receivedBytes(observation.body),
        responseBytes: outcome.sentBytes,
        seconds: (endedAt - request.facts.startedAt) / 1000,
      };
      if (options.addEntryPointsLabels) count('entrypoint', [['entrypoint', request.entryPoint]], request, exchange);
      const { routerName } = request.facts;
      if (options.addRoutersLabels && routerName !== undefined)
        count(
          'router',
          [
            ['router', routerName],
            ['service', observation.serviceOfRouter ?? ''],
          ],
          request,
          exchange,
        );
      if (!options.addServicesLabels) return;
      for (const [index, { service, startedAt, durationMs, status, size }] of observation.tries.entries()) {
        const isLast = index === observation.tries.length - 1;
        if (!isLast) add('traefik_service_retries_total', labelText([['service', service]]), 1);
        count('service', [['service', service]], request, {
          ...exchange,
          code: code(status, observation.originHeaders),
          requestBytes: isLast ? exchange.requestBytes : 0,
          responseBytes: size ?? (isLast ? outcome.sentBytes : 0),
          seconds: (isLast ? endedAt - startedAt : durationMs) / 1000,
        });
      }
    },
    read: () => ({ counters, histograms }),
  };
}

interface Exchange {
  readonly code: string;
  readonly method: string;
  readonly protocol: string;
  readonly fromHeaders: Labels;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly seconds: number;
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

function protocolOf({ headers, upgrade }: Observation): string {
  if (upgrade?.toLowerCase() === 'websocket') return 'websocket';
  const accepted = headers.get('Accept');
  if (accepted?.split(',').some((type) => type.trim().toLowerCase() === 'text/event-stream')) return 'sse';
  const type = headers.get('Content-Type');
  if (type === undefined || !type.startsWith('application/grpc')) return 'http';
  return type.startsWith('application/grpc-web') ? 'grpc-web' : 'grpc';
}

/** 2 is UNKNOWN; the status of a streamed answer comes in trailers and is not seen here. */
function grpcStatus(headers: HeaderList | undefined): string {
  const status = headers?.get('Grpc-Status');
  return status !== undefined && /^\d{1,2}$/.test(status) && Number(status) <= 16 ? String(Number(status)) : '2';
}
