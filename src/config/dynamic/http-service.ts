import { boolean, duration, integer, list, map, object, oneOf, string, vary } from '../../base/schema.ts';
import { healthAware, names } from './router-options.ts';

const cookie = object(
  {
    name: string('Name of the cookie; computed from the service when absent.'),
    secure: boolean('Sets Secure.', { default: false }),
    httpOnly: boolean('Sets HttpOnly.', { default: false }),
    sameSite: oneOf(['none', 'lax', 'strict', 'None', 'Lax', 'Strict'], 'Sets SameSite.', { open: 'harmless' }),
    maxAge: integer('Seconds; 0 is a session cookie, a negative number ends it at once.', { default: 0 }),
    path: string('Sets Path.', { default: '/' }),
    domain: string('Sets Domain.'),
    expires: integer('Seconds until Expires.', { internal: 'meaning' }),
  },
  'The cookie that remembers the server.',
  { presence: true },
);
const sticky = object({ cookie }, 'Sends a client to the same server again.', { presence: true });

const server = object(
  {
    url: string('Address of the server: scheme (http, https, h2c), host, port; or unix:// and a path.'),
    weight: integer('Share of the requests; 1 when absent.'),
    preservePath: boolean('Puts the path of the address before the path of the request.'),
    scheme: string('Scheme of the address that the provider makes.', { onlyLabels: true }),
    port: string('Port of the address that the provider makes.', { onlyLabels: true }),
    fenced: boolean('On its way out: keeps its clients and takes no new ones.', { internal: 'note' }),
  },
  'A server.',
);

const healthCheck = object(
  {
    scheme: string('Scheme of the probe; that of the server when absent.'),
    mode: oneOf(['http', 'grpc'], 'Protocol of the probe.', { default: 'http', open: 'harmless' }),
    path: string('Path of the probe.'),
    method: string('Method of the probe; GET when absent.'),
    status: integer('Expected status; any from 200 to 399 when absent.'),
    port: integer('Port of the probe; that of the server when absent.'),
    interval: duration('Time between probes.', { default: 30_000 }),
    unhealthyInterval: duration('Time between probes of servers that are down; `interval` when absent.'),
    timeout: duration('When a probe has failed.', { default: 5_000 }),
    hostname: string('Host of the probe.'),
    followRedirects: boolean('Follows redirections.', { default: true }),
    headers: map(string('Value.'), 'Header fields of the probe.'),
  },
  'Asks servers whether they are well.',
);

const passiveHealthCheck = object(
  {
    failureWindow: duration('Time in which failures are counted, and for which a failed server is left alone.', { default: 10_000 }),
    maxFailedAttempts: integer('Failures after which a server is left alone.', { default: 1 }),
  },
  'Judges servers by the requests they get.',
);

export const loadBalancer = object(
  {
    sticky,
    servers: list(server, 'The servers.', { labelName: 'server' }),
    strategy: oneOf(['wrr', 'p2c', 'hrw', 'leasttime'], 'How a server is chosen.', { default: 'wrr', open: 'broken' }),
    healthCheck,
    passiveHealthCheck,
    passHostHeader: boolean('Sends the Host of the client.', { default: true }),
    responseForwarding: object(
      { flushInterval: duration('Longest time that bytes of a response are held back; negative: none.', { default: 100 }) },
      'Forwarding of responses.',
      { default: {} },
    ),
    serversTransport: string('Name of the transport.'),
    nginxUpstreamHashBy: string('What nginx’s annotation hashes by.', { internal: 'meaning' }),
  },
  'Several servers of one kind.',
);

const weighted = object(
  {
    services: list(
      object(
        {
          name: string('The service.'),
          weight: integer('Share of the requests.', { default: 1 }),
          headers: map(string('Value.'), 'Header fields that the service gets.', { internal: 'meaning' }),
          status: integer('Answered instead of asking the service.', { internal: 'meaning' }),
          grpcStatus: object({ code: integer('Code.'), msg: string('Message.') }, 'Answered instead of asking the service.', {
            internal: 'meaning',
          }),
        },
        'A service with its weight.',
      ),
      'The services.',
    ),
    // Without options it is refused here, unlike that of a load balancer.
    sticky: object({ cookie }, 'Sends a client to the same service again.'),
    healthCheck: healthAware,
  },
  'Spreads requests over services by weight.',
);

const highestRandomWeight = object(
  {
    services: list(
      object({ name: string('The service.'), weight: integer('Share of the clients.', { default: 1 }) }, 'A service with its weight.'),
      'The services.',
    ),
    healthCheck: healthAware,
  },
  'Sends a client address to the same service as long as it is there.',
);

const mirroring = object(
  {
    service: string('Answers the requests.'),
    mirrorBody: boolean('Copies bodies too.', { default: true }),
    maxBodySize: integer('Requests with a longer body are not copied; -1 has no limit.', { default: -1 }),
    mirrors: list(
      object({ name: string('The service.'), percent: integer('Share of the requests that it gets, of 100.') }, 'A mirror.'),
      'Services that get copies; their answers are thrown away.',
    ),
    healthCheck: healthAware,
  },
  'Sends copies of requests to other services.',
);

const failover = object(
  {
    service: string('Asked first.'),
    fallback: string('Asked when `service` is down or failed.'),
    healthCheck: vary(healthAware, { presence: 'not in keys' }),
    errors: object(
      {
        maxRequestBodyBytes: integer('Requests with a longer body are not tried again; -1 has no limit.', { default: -1 }),
        status: list(string('A status (404) or a range (500-599).'), 'Answers of `service` that count as failed.'),
      },
      'Asks `fallback` where `service` answers badly.',
    ),
  },
  'A service and the one that stands in for it.',
);

export const httpService = object(
  {
    middlewares: names('Run before the service, whichever router leads to it.'),
    loadBalancer,
    highestRandomWeight,
    weighted,
    mirroring,
    failover,
    edge: object(
      { direct: boolean('The Worker reaches the servers itself, without an agent.', { default: false }) },
      'What only Edgeway has.',
      { presence: true, own: true },
    ),
  },
  'An HTTP service: exactly one kind of them.',
);
