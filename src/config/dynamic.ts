import { boolean, duration, integer, list, map, object, oneOf, type Schema, string } from '../base/schema.ts';
import { HTTP_MIDDLEWARES } from '../middlewares/index.ts';

const names = (summary: string) => list(string('A name.'), summary);

const cookie = object(
  {
    name: string('Name of the cookie; computed from the service when absent.'),
    secure: boolean('Sets Secure.', { default: false }),
    httpOnly: boolean('Sets HttpOnly.', { default: false }),
    sameSite: string('Sets SameSite: none, lax or strict.'),
    maxAge: integer('Seconds; 0 is a session cookie, a negative number ends it at once.', { default: 0 }),
    path: string('Sets Path.', { default: '/' }),
    domain: string('Sets Domain.'),
  },
  'The cookie that remembers the server.',
  { presence: true },
);
const sticky = object({ cookie }, 'Sends a client to the same server again.', { presence: true });

const tlsDomain = object({ main: string('First name.'), sans: names('Further names.') }, 'A certificate to ask for.');
const routerTls = object(
  {
    options: string('Name of the TLS options.'),
    certResolver: string('Name of the certificate resolver.'),
    domains: list(tlsDomain, 'Names to ask certificates for, instead of those of the rule.'),
  },
  'Takes TLS connections, and only those.',
  { presence: true },
);
const observability = object(
  {
    accessLogs: boolean('Writes access log lines.'),
    metrics: boolean('Counts requests.'),
    tracing: boolean('Makes spans.'),
    traceVerbosity: oneOf(['minimal', 'detailed'], 'Spans of middlewares too (detailed).'),
  },
  'What is observed of the router; by default what the entry point says.',
);

export const httpRouter = object(
  {
    entryPoints: names('Entry points; all default ones when absent.'),
    middlewares: names('Run in this order.'),
    service: string('Where matching requests go.'),
    rule: string('Which requests it takes.'),
    parentRefs: list(string('A router.'), 'Routers whose middlewares run first.', { labels: false }),
    ruleSyntax: oneOf(['v2', 'v3'], 'Syntax of the rule.', { deprecated: 'write the rule in v3.' }),
    priority: integer('Higher is asked first; 0 means the length of the rule.'),
    tls: routerTls,
    observability,
    edge: object(
      { local: boolean('Keeps counting middlewares at the edge, per isolate and approximate.', { default: false }) },
      'What only Edgeway has.',
      { presence: true },
    ),
  },
  'An HTTP router.',
);

const server = object(
  {
    url: string('Address of the server: scheme, host, port.'),
    weight: integer('Share of the requests.'),
    preservePath: boolean('Puts the path of the address before the path of the request.'),
  },
  'A server.',
);

const healthCheck = object(
  {
    scheme: string('Scheme of the probe.'),
    mode: oneOf(['http', 'grpc'], 'Protocol of the probe.', { default: 'http' }),
    path: string('Path of the probe.'),
    method: string('Method of the probe; GET when absent.'),
    status: integer('Expected status; any from 200 to 399 when absent.'),
    port: integer('Port of the probe.'),
    interval: duration('Time between probes.', { default: 30_000 }),
    unhealthyInterval: duration('Time between probes of servers that are down.'),
    timeout: duration('When a probe has failed.', { default: 5_000 }),
    hostname: string('Host of the probe.'),
    followRedirects: boolean('Follows redirections.', { default: true }),
    headers: map(string('Value.'), 'Header fields of the probe.'),
  },
  'Asks servers whether they are well.',
);

export const loadBalancer = object(
  {
    sticky,
    servers: list(server, 'The servers.', { labelName: 'server' }),
    strategy: oneOf(['wrr', 'p2c', 'hrw', 'leasttime'], 'How a server is chosen.', { default: 'wrr' }),
    healthCheck,
    passHostHeader: boolean('Sends the Host of the client.', { default: true }),
    responseForwarding: object(
      { flushInterval: duration('Longest time that bytes of a response are held back.', { default: 100 }) },
      'Forwarding of responses.',
      {
        default: {},
      },
    ),
    serversTransport: string('Name of the transport.'),
  },
  'Several servers of one kind.',
);

export const httpService = object(
  {
    loadBalancer,
    middlewares: names('Run before the service, whichever router leads to it.'),
    edge: object(
      { direct: boolean('The Worker reaches the servers itself, without an agent.', { default: false }) },
      'What only Edgeway has.',
      { presence: true },
    ),
  },
  'An HTTP service: exactly one kind of them.',
);

/** One field per word of the catalogue; exactly one is set. */
export const middleware = object(
  Object.fromEntries(Object.values(HTTP_MIDDLEWARES).map(({ kind, options }) => [kind, options])) as Record<string, Schema>,
  'An HTTP middleware: exactly one kind of them.',
);

export const serversTransport = object(
  {
    serverName: string('SNI.'),
    insecureSkipVerify: boolean('Trusts any certificate.'),
    rootCAs: list(string('PEM file or content.', { fileOrContent: true }), 'Certificates that are trusted.'),
    maxIdleConnsPerHost: integer('Idle connections kept per server.'),
    forwardingTimeouts: object(
      {
        dialTimeout: duration('Time to connect.', { default: 30_000 }),
        responseHeaderTimeout: duration('Time until the head of the answer; 0 waits without end.', { default: 0 }),
        idleConnTimeout: duration('How long an idle connection is kept.', { default: 90_000 }),
      },
      'Time limits towards the servers.',
    ),
    disableHTTP2: boolean('Speaks HTTP/1.1 to https servers.'),
  },
  'How servers are reached.',
);

export const tcpRouter = object(
  {
    entryPoints: names('Entry points.'),
    middlewares: names('Run in this order.'),
    service: string('Where connections go.'),
    rule: string('Which connections it takes.'),
    ruleSyntax: oneOf(['v2', 'v3'], 'Syntax of the rule.'),
    priority: integer('Higher is asked first.'),
    tls: object(
      { ...routerTls.fields!, passthrough: boolean('Leaves TLS to the server.') } as { passthrough: Schema<boolean, false> },
      'Takes TLS connections.',
      {
        presence: true,
      },
    ),
  },
  'A TCP router.',
);
export const tcpService = object(
  {
    loadBalancer: object(
      { servers: list(object({ address: string('host:port') }, 'A server.'), 'The servers.', { labelName: 'server' }) },
      'Several servers.',
    ),
  },
  'A TCP service.',
);
export const tcpMiddleware = object({}, 'A TCP middleware.');
export const tcpServersTransport = object({}, 'How TCP servers are reached.');
export const udpRouter = object({ entryPoints: names('Entry points.'), service: string('Where datagrams go.') }, 'A UDP router.');
export const udpService = object(
  {
    loadBalancer: object(
      { servers: list(object({ address: string('host:port') }, 'A server.'), 'The servers.', { labelName: 'server' }) },
      'Several servers.',
    ),
  },
  'A UDP service.',
);
export const tlsCertificate = object(
  {
    certFile: string('PEM file or content.', { fileOrContent: true }),
    keyFile: string('PEM file or content.', { fileOrContent: true, secret: true }),
    stores: names('Stores that hold it.'),
  },
  'A certificate.',
);
export const tlsOptions = object({ sniStrict: boolean('Refuses unknown names.') }, 'TLS options.', { presence: true });
export const tlsStore = object({ defaultCertificate: tlsCertificate }, 'A store.', { presence: true });

/** One provider's whole say. Entries of every map fail alone. */
export const dynamicConfiguration = object(
  {
    http: object(
      {
        routers: map(httpRouter, 'HTTP routers by name.', { isolate: true }),
        services: map(httpService, 'HTTP services by name.', { isolate: true }),
        middlewares: map(middleware, 'HTTP middlewares by name.', { isolate: true }),
        serversTransports: map(serversTransport, 'Transports by name.', { isolate: true, labels: false }),
      },
      'HTTP.',
    ),
    tcp: object(
      {
        routers: map(tcpRouter, 'TCP routers by name.', { isolate: true }),
        services: map(tcpService, 'TCP services by name.', { isolate: true }),
        middlewares: map(tcpMiddleware, 'TCP middlewares by name.', { isolate: true }),
        serversTransports: map(tcpServersTransport, 'Transports by name.', { isolate: true, labels: false }),
      },
      'TCP.',
    ),
    udp: object(
      {
        routers: map(udpRouter, 'UDP routers by name.', { isolate: true }),
        services: map(udpService, 'UDP services by name.', { isolate: true }),
      },
      'UDP.',
    ),
    tls: object(
      {
        certificates: list(tlsCertificate, 'Certificates.'),
        options: map(tlsOptions, 'TLS options by name.', { isolate: true }),
        stores: map(tlsStore, 'Stores by name.', { isolate: true }),
      },
      'TLS.',
    ),
  },
  'The dynamic configuration.',
);

export type DynamicConfiguration = NonNullable<(typeof dynamicConfiguration)['$type']>;
export type HttpRouter = NonNullable<(typeof httpRouter)['$type']>;
export type HttpService = NonNullable<(typeof httpService)['$type']>;
export type LoadBalancer = NonNullable<(typeof loadBalancer)['$type']>;
export type ServersTransport = NonNullable<(typeof serversTransport)['$type']>;
