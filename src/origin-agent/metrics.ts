import type { RuntimeConfiguration } from '../config/runtime.ts';
import { labelText, type MetricsReading } from '../proxy/metrics.ts';
import { type Gauge, metricsText } from '../proxy/metrics-text.ts';
import { certificatesOf } from './api/certificates.ts';
import type { HealthStatus } from './api/objects.ts';

/** What one data thread tells at a scrape. */
export interface ThreadMetrics {
  readonly requests: MetricsReading;
  /** Connections by entry point. */
  readonly open: Readonly<Record<string, number>>;
}

export interface PrometheusOptions {
  /** Upper limits of histograms in seconds. */
  readonly buckets: readonly number[];
  readonly addServicesLabels: boolean;
  readonly runtime: () => RuntimeConfiguration;
  readonly health: HealthStatus;
  /** Reads every data thread. */
  readonly threads: () => Promise<readonly ThreadMetrics[]>;
  /** Configurations taken so far, and when the last was (milliseconds since the epoch). */
  readonly reloads: () => { readonly count: number; readonly lastMs: number };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** `prometheus@internal`: all threads summed at the scrape. */
export function createPrometheus(options: PrometheusOptions): () => Promise<Response> {
  const startedAt = options.now();
  return async () => {
    const threads = await options.threads();
    const gauges = [...reloadGauges(options), openConnections(threads), ...programGauges(startedAt)];
    if (options.addServicesLabels) gauges.push(serversUp(options));
    gauges.push(certificatesEnd(options));
    const text = metricsText(
      threads.map(({ requests }) => requests),
      gauges,
      options.buckets,
    );
    return new Response(text, { headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores' } });
  };
}

const single = (name: string, type: Gauge['type'], help: string, value: number): Gauge => ({
  name,
  type,
  help,
  values: new Map([['', value]]),
});

function reloadGauges({ reloads }: PrometheusOptions): Gauge[] {
  const { count, lastMs } = reloads();
  return [
    single('traefik_config_reloads_total', 'counter', 'Configurations taken.', count),
    single(
      'traefik_config_last_reload_success',
      'gauge',
      'When the last configuration was taken, in seconds since 1970.',
      Math.floor(lastMs / 1000),
    ),
  ];
}

function openConnections(threads: readonly ThreadMetrics[]): Gauge {
  const values = new Map<string, number>();
  for (const { open } of threads)
    for (const [entrypoint, connections] of Object.entries(open)) {
      const labels = labelText([
        ['entrypoint', entrypoint],
        ['protocol', 'TCP'],
      ]);
      values.set(labels, (values.get(labels) ?? 0) + connections);
    }
  return { name: 'traefik_open_connections', type: 'gauge', help: 'Connections open now, by entry point.', values };
}

function serversUp({ runtime, health }: PrometheusOptions): Gauge {
  const values = new Map<string, number>();
  for (const [service, { config }] of Object.entries(runtime().http.services)) {
    if (config.loadBalancer?.healthCheck === undefined) continue;
    for (const [url, status] of Object.entries(health(service) ?? {}))
      values.set(
        labelText([
          ['service', service],
          ['url', url],
        ]),
        status === 'UP' ? 1 : 0,
      );
  }
  return { name: 'traefik_service_server_up', type: 'gauge', help: 'Whether a checked server is well: 1 or 0.', values };
}

function certificatesEnd({ runtime, now }: PrometheusOptions): Gauge {
  const values = new Map(
    certificatesOf(runtime(), now()).map(({ commonName, serialNumber, sans, notAfter }) => [
      labelText([
        ['cn', commonName],
        ['sans', sans.join(',')],
        ['serial', serialNumber],
      ]),
      Math.floor(Date.parse(notAfter) / 1000),
    ]),
  );
  return { name: 'traefik_tls_certs_not_after', type: 'gauge', help: 'When a certificate ends, in seconds since 1970.', values };
}

function programGauges(startedAt: number): Gauge[] {
  const { rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    single('process_start_time_seconds', 'gauge', 'When the program started, in seconds since 1970.', startedAt / 1000),
    single('process_resident_memory_bytes', 'gauge', 'Memory in use.', rss),
    single('process_cpu_seconds_total', 'counter', 'Processor time used.', (user + system) / 1e6),
  ];
}
