import { boolean, duration, integer, list, object, string } from '../../base/schema.ts';
import { labelled } from './docker.ts';
import { tlsClient } from './tls-client.ts';

const missing = 'this provider does not exist here yet.';
const namespaces = list(string('A namespace.'), 'Namespaces, each a provider of its own.');
const refreshInterval = duration('Time between looks.', { default: 15_000 });
const prefix = string('First part of the tags that are read.', { default: 'traefik' });
const token = string('Token.', { secret: true, fileOrContent: true });
const endpointWaitTime = duration('Longest time that a watching request waits.');

export const consulCatalog = object(
  {
    ...labelled,
    endpoint: object(
      {
        address: string('Address.'),
        scheme: string('Scheme.'),
        datacenter: string('Datacenter.'),
        token,
        tls: tlsClient,
        httpAuth: object(
          { username: string('Name.', { secret: true }), password: string('Password.', { secret: true }) },
          'Basic authentication.',
        ),
        endpointWaitTime,
      },
      'The Consul agent.',
      { default: {} },
    ),
    prefix,
    refreshInterval,
    requireConsistent: boolean('Reads from the leader.'),
    stale: boolean('Reads from any server.'),
    cache: boolean("Reads from the agent's cache."),
    connectAware: boolean('Also Connect services.'),
    connectByDefault: boolean('All services are Connect services.'),
    serviceName: string('Our own name in the catalogue.', { default: 'traefik' }),
    watch: boolean('Follows changes.'),
    strictChecks: list(string('A status.'), 'Statuses that count as healthy.', { default: ['passing', 'warning'] }),
    namespaces,
  },
  'Services of a Consul catalogue.',
  { presence: true, ignored: missing },
);

export const nomad = object(
  {
    ...labelled,
    endpoint: object(
      {
        address: string('Address.', { default: 'http://127.0.0.1:4646' }),
        region: string('Region.'),
        token,
        tls: tlsClient,
        endpointWaitTime,
      },
      'The Nomad agent.',
      { default: {} },
    ),
    prefix,
    stale: boolean('Reads from any server.'),
    refreshInterval,
    allowEmptyServices: boolean('Keeps services without instances.'),
    watch: boolean('Follows changes.'),
    throttleDuration: duration('Least time between two configurations.'),
    namespaces,
  },
  'Services of a Nomad.',
  { presence: true, ignored: missing },
);

export const ecs = object(
  {
    ...labelled,
    refreshSeconds: integer('Seconds between looks.', { default: 15 }),
    clusters: list(string('A cluster.'), 'Clusters.', { default: ['default'] }),
    autoDiscoverClusters: boolean('Finds the clusters.'),
    healthyTasksOnly: boolean('Only healthy tasks.'),
    ecsAnywhere: boolean('Also instances outside.'),
    region: string('Region.'),
    accessKeyID: string('Access key.', { secret: true }),
    secretAccessKey: string('Its secret.', { secret: true }),
  },
  'Tasks of an Amazon ECS.',
  { presence: true, ignored: missing },
);
