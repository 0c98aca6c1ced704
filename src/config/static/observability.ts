import { boolean, duration, integer, list, map, number, object, string, vary } from '../../base/schema.ts';
import { tlsClient } from './tls-client.ts';

const later = 'only Prometheus metrics exist here yet.';
const texts = (summary: string) => map(string('Value.'), summary);
const headers = map(string('Value.', { secret: true }), 'Header fields of the requests.');

const otelGrpc = object(
  {
    endpoint: string('host:port of the collector.', { default: 'localhost:4317' }),
    insecure: boolean('Speaks without TLS.'),
    tls: tlsClient,
    headers,
  },
  'OTLP over gRPC.',
  { presence: true },
);
const otelHttp = object(
  { endpoint: string('URL of the collector.', { default: 'https://localhost:4318' }), tls: tlsClient, headers },
  'OTLP over HTTP.',
  { presence: true },
);
const otlpLog = object(
  {
    serviceName: string('Our name.', { default: 'traefik' }),
    resourceAttributes: texts('Further attributes.'),
    grpc: otelGrpc,
    http: otelHttp,
  },
  'Sends lines to a collector.',
  { presence: true, ignored: 'lines go to files and standard output only.' },
);

export const log = object(
  {
    level: string('TRACE, DEBUG, INFO, WARN, ERROR, FATAL or PANIC, in any letter case.', { default: 'ERROR' }),
    format: string('common or json.', { default: 'common' }),
    noColor: boolean('Leaves colours out.'),
    filePath: string('The file; standard output when absent.'),
    maxSize: integer('Megabytes after which the file is turned over; 100 when 0 and another limit is set.'),
    maxAge: integer('Days that old files are kept; 0 is for ever.'),
    maxBackups: integer('How many old files are kept; 0 is all.'),
    compress: boolean('Packs old files with gzip.'),
    otlp: otlpLog,
  },
  'What the program says of itself.',
  { presence: true },
);

const mode = (summary: string, normal: string) => string(summary, { default: normal });

export const accessLog = object(
  {
    filePath: string('The file; standard output when absent.'),
    format: string('common, genericCLF or json.', { default: 'common' }),
    filters: object(
      {
        statusCodes: list(string('A status or a range.'), 'Lines with these statuses.'),
        retryAttempts: boolean('Lines of requests that were tried again.'),
        minDuration: duration('Lines of requests that took longer.'),
      },
      'Which lines are written: those that fit any of these.',
      { default: {} },
    ),
    fields: object(
      {
        defaultMode: mode('keep or drop.', 'keep'),
        names: texts('keep or drop, by field.'),
        headers: object(
          { defaultMode: mode('keep, drop or redact.', 'drop'), names: texts('keep, drop or redact, by header field.') },
          'Header fields.',
          { default: {} },
        ),
        queryParameters: object({ defaultMode: mode('keep, drop or redact.', 'keep') }, 'Parameters of the query.', { default: {} }),
      },
      'What a line contains.',
      { default: {} },
    ),
    bufferingSize: integer('Lines that are held back, for 20 ms at most, to be written together; 1000 when 0.'),
    addInternals: boolean('Also requests for our own services.'),
    dualOutput: boolean('Writes to the file beside the collector.'),
    otlp: otlpLog,
  },
  'One line a request.',
  { presence: true },
);

const labels = {
  addEntryPointsLabels: boolean('Numbers by entry point.', { default: true }),
  addRoutersLabels: boolean('Numbers by router.', { default: false }),
  addServicesLabels: boolean('Numbers by service.', { default: true }),
};
const pushInterval = duration('Time between two messages.', { default: 10_000 });
const statsdLike = {
  address: string('host:port.', { default: 'localhost:8125' }),
  pushInterval,
  ...labels,
  prefix: string('First part of the names.', { default: 'traefik' }),
};

export const metrics = object(
  {
    addInternals: boolean('Also requests for our own services.'),
    prometheus: object(
      {
        buckets: list(number('Seconds.'), 'Upper limits of the histogram.', { default: [0.1, 0.3, 1.2, 5] }),
        ...labels,
        entryPoint: string('Entry point of /metrics.', { default: 'traefik' }),
        manualRouting: boolean('Makes no router: one of the user leads to `prometheus@internal`.'),
        headerLabels: texts('Header field of the request by label.'),
      },
      'Prometheus.',
      { presence: true },
    ),
    datadog: object(statsdLike, 'Datadog.', { presence: true, ignored: later }),
    statsD: object(statsdLike, 'StatsD.', { presence: true, ignored: later }),
    influxDB2: object(
      {
        address: string('URL.', { default: 'http://localhost:8086' }),
        token: string('Token.', { secret: true, fileOrContent: true }),
        pushInterval,
        org: string('Organization.'),
        bucket: string('Bucket.'),
        ...labels,
        additionalLabels: texts('Further labels.'),
      },
      'InfluxDB 2.',
      { presence: true, ignored: later },
    ),
    otlp: object(
      {
        grpc: otelGrpc,
        http: vary(otelHttp, { default: {} }),
        ...labels,
        explicitBoundaries: list(number('Seconds.'), 'Upper limits of the histogram.', {
          default: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        }),
        pushInterval,
        serviceName: string('Our name.', { default: 'traefik' }),
        resourceAttributes: texts('Further attributes.'),
      },
      'A collector.',
      { presence: true, ignored: later },
    ),
  },
  'Numbers about requests.',
);

export const tracing = object(
  {
    serviceName: string('Our name.', { default: 'traefik' }),
    resourceAttributes: texts('Further attributes.'),
    capturedRequestHeaders: list(string('A field name.'), 'Header fields of requests that become attributes.'),
    capturedResponseHeaders: list(string('A field name.'), 'Header fields of responses that become attributes.'),
    safeQueryParams: list(string('A parameter.'), 'Parameters of the query that are not redacted.'),
    sampleRate: number('Share of requests that are traced, 0 to 1.', { default: 1 }),
    addInternals: boolean('Also requests for our own services.'),
    otlp: object({ grpc: otelGrpc, http: vary(otelHttp, { default: {} }) }, 'A collector.', { presence: true, default: {} }),
    globalAttributes: map(string('Value.'), 'Further attributes.', { deprecated: 'write `resourceAttributes`.' }),
  },
  'Spans of requests.',
  { presence: true, ignored: 'no spans are made yet.' },
);
