import { boolean, duration, integer, list, map, object, oneOf, type Schema, string } from '../../base/schema.ts';
import { TCP_MIDDLEWARES } from '../../middlewares/index.ts';
import { healthAware, names, routerTlsFields, serverTlsFields } from './router-options.ts';

export const tcpRouter = object(
  {
    entryPoints: names('Entry points; all default ones when absent.'),
    middlewares: names('Run in this order.'),
    service: string('Where connections go.'),
    rule: string('Which connections it takes.'),
    ruleSyntax: oneOf(['v2', 'v3'], 'Syntax of the rule.', { deprecated: 'write the rule in v3.', open: 'harmless' }),
    priority: integer('Higher is asked first; 0 means the length of the rule.'),
    tls: object(
      { passthrough: boolean('Leaves TLS to the server.', { default: false }), ...routerTlsFields },
      'Takes TLS connections, and only those.',
      { presence: true },
    ),
  },
  'A TCP router.',
);

const proxyProtocol = (deprecated?: string) =>
  object({ version: integer('1 or 2.', { default: 2 }) }, 'Tells servers the client’s address by the PROXY protocol.', {
    presence: true,
    deprecated,
  });

const healthCheck = object(
  {
    port: integer('Port of the probe; that of the server when absent.'),
    send: string('Sent after connecting.'),
    expect: string('What the server must answer.'),
    interval: duration('Time between probes.', { default: 30_000 }),
    unhealthyInterval: duration('Time between probes of servers that are down; `interval` when absent.'),
    timeout: duration('When a probe has failed.', { default: 5_000 }),
  },
  'Asks servers whether they are well.',
  { presence: true },
);

/** A server's options; TCP and UDP have the same. */
export const streamServer = {
  address: string('Host and port.', { labels: false }),
  port: string('Port of the address that the provider makes.', { onlyLabels: true }),
  fenced: boolean('On its way out: keeps its connections and takes no new ones.', { internal: 'note' }),
};

/** A reference with its weight; TCP and UDP have the same. */
export const weightedServices = list(
  object({ name: string('The service.'), weight: integer('Share of the connections.', { default: 1 }) }, 'A service with its weight.'),
  'The services.',
);

export const tcpService = object(
  {
    loadBalancer: object(
      {
        servers: list(
          object(
            {
              ...streamServer,
              tls: boolean('Speaks TLS to the server.'),
            },
            'A server.',
          ),
          'The servers.',
          { labelName: 'server' },
        ),
        serversTransport: string('Name of the transport.'),
        proxyProtocol: proxyProtocol('write it in a serversTransport.'),
        terminationDelay: integer('Milliseconds for which the other side may go on when one has closed; negative: for ever.', {
          deprecated: 'write it in a serversTransport.',
        }),
        healthCheck,
      },
      'Several servers.',
    ),
    weighted: object({ services: weightedServices, healthCheck: healthAware }, 'Spreads connections over services by weight.'),
  },
  'A TCP service: exactly one kind of them.',
);

/** One field per word of the catalogue; exactly one is set. */
export const tcpMiddleware = object(
  Object.fromEntries(Object.values(TCP_MIDDLEWARES).map(({ kind, options }) => [kind, options])) as Record<string, Schema>,
  'A TCP middleware: exactly one kind of them.',
);

export const tcpServersTransport = object(
  {
    dialKeepAlive: duration('Time between keep-alive probes; negative: none.', { default: 15_000 }),
    dialTimeout: duration('Time to connect; 0 waits without end.', { default: 30_000 }),
    proxyProtocol: proxyProtocol(),
    terminationDelay: duration('Time for which the other side may go on when one has closed; negative: for ever.', { default: 100 }),
    tls: object(serverTlsFields, 'Speaks TLS to the servers.', { presence: true }),
  },
  'How TCP servers are reached.',
);

export const tcp = object(
  {
    routers: map(tcpRouter, 'TCP routers by name.', { isolate: true }),
    services: map(tcpService, 'TCP services by name.', { isolate: true }),
    middlewares: map(tcpMiddleware, 'TCP middlewares by name.', { isolate: true }),
    serversTransports: map(tcpServersTransport, 'Transports by name.', { isolate: true, labels: false }),
  },
  'TCP.',
  { isolate: true },
);
