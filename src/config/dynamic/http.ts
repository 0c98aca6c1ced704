import { boolean, duration, integer, list, map, object, oneOf, type Schema, string, vary } from '../../base/schema.ts';
import { HTTP_MIDDLEWARES } from '../../middlewares/index.ts';
import type { MiddlewareDefinition } from '../../middlewares/middleware.ts';
import { httpService } from './http-service.ts';
import { internalText, names, routerTlsFields, serverTlsFields, tlsVersion } from './router-options.ts';

const routerTls = object(
  { ...routerTlsFields, resolvedOptions: string('Name of the TLS options in force.', { internal: 'note' }) },
  'Takes TLS connections, and only those.',
  { presence: true },
);

const observabilityFields = {
  accessLogs: boolean('Writes access log lines.'),
  metrics: boolean('Counts requests.'),
  tracing: boolean('Makes spans.'),
  traceVerbosity: oneOf(['minimal', 'detailed'], 'Spans of middlewares too (detailed).', { default: 'minimal', open: 'harmless' }),
} as const;

/** Where a Kubernetes Ingress comes from, for spans and metrics. */
const observabilityMetadata = object(
  {
    ingress: object(
      {
        namespace: string('Namespace.'),
        ingressName: string('Name of the Ingress.'),
        serviceName: string('Name of the Service.'),
        servicePort: string('Port of the Service.'),
      },
      'The Ingress.',
      { internal: 'note' },
    ),
  },
  'Where the router comes from.',
  { internal: 'note' },
);

export const httpRouter = object(
  {
    entryPoints: names('Entry points; all default ones when absent.'),
    middlewares: names('Run in this order.'),
    service: string('Where matching requests go.'),
    rule: string('Which requests it takes.'),
    parentRefs: list(string('A router.'), 'Routers whose middlewares run first; this one is asked among what they let through.', {
      labels: false,
    }),
    ruleSyntax: oneOf(['v2', 'v3'], 'Syntax of the rule.', { deprecated: 'write the rule in v3.', open: 'harmless' }),
    priority: integer('Higher is asked first; 0 means the length of the rule.'),
    tls: routerTls,
    observability: object(
      { ...observabilityFields, metadata: observabilityMetadata },
      'What is observed of the router; by default what the entry point says.',
    ),
    edge: object(
      { local: boolean('Keeps counting middlewares at the edge, per isolate and approximate.', { default: false }) },
      'What only Edgeway has.',
      { presence: true, own: true },
    ),
    defaultRule: boolean('The rule is the provider’s.', { internal: 'note' }),
    deniedEncodedPathCharacters: internalText,
  },
  'An HTTP router.',
);

/** What routers of an entry point have in common; written by nobody, but Traefik's files may. */
export const httpModel = object(
  {
    middlewares: names('Run before those of the router.'),
    tls: routerTls,
    observability: object({ ...observabilityFields, traceVerbosity: string('Spans of middlewares too (detailed).') }, 'What is observed.', {
      default: {},
    }),
    deniedEncodedPathCharacters: internalText,
    defaultRuleSyntax: internalText,
  },
  'Values that routers of the entry point of this name have by default.',
);

/** One field per word of the catalogue; exactly one is set. */
export const middleware = object(
  Object.fromEntries(
    Object.values(HTTP_MIDDLEWARES as Record<string, MiddlewareDefinition>).map(({ kind, options, internal }) => [
      kind,
      internal ? vary(options, { internal: 'meaning' }) : options,
    ]),
  ) as Record<string, Schema>,
  'An HTTP middleware: exactly one kind of them.',
);

export const serversTransport = object(
  {
    ...serverTlsFields,
    cipherSuites: list(string('A suite, as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.'), 'Cipher suites of TLS 1.2 and older.'),
    minVersion: tlsVersion('Oldest version of TLS.'),
    maxVersion: tlsVersion('Newest version of TLS.'),
    maxIdleConnsPerHost: integer('Idle connections kept per server; 0 means 200, a negative number none.'),
    forwardingTimeouts: object(
      {
        dialTimeout: duration('Time to connect; 0 waits without end.', { default: 30_000 }),
        responseHeaderTimeout: duration('Time until the head of the answer; 0 waits without end.', { default: 0 }),
        idleConnTimeout: duration('How long an idle connection is kept.', { default: 90_000 }),
        readIdleTimeout: duration('Silence on an HTTP/2 connection after which it is pinged; 0 never.', { default: 0 }),
        pingTimeout: duration('Time for the answer of a ping.', { default: 15_000 }),
        readTimeout: duration('Silence of a server after which it is given up.', { internal: 'note' }),
        writeTimeout: duration('Silence towards a server after which it is given up.', { internal: 'note' }),
      },
      'Time limits towards the servers.',
    ),
    disableHTTP2: boolean('Speaks HTTP/1.1 to https servers.'),
  },
  'How servers are reached.',
);

export const http = object(
  {
    routers: map(httpRouter, 'HTTP routers by name.', { isolate: true }),
    services: map(httpService, 'HTTP services by name.', { isolate: true }),
    middlewares: map(middleware, 'HTTP middlewares by name.', { isolate: true }),
    models: map(httpModel, 'Models by name of the entry point.', { isolate: true }),
    serversTransports: map(serversTransport, 'Transports by name.', { isolate: true, labels: false }),
  },
  'HTTP.',
  { isolate: true },
);
