import { boolean, duration, object, string } from '../../base/schema.ts';
import { tlsClient } from './tls-client.ts';

/** Options of providers that find containers by labels. */
export const labelled = {
  exposedByDefault: boolean('Publishes what does not say `enable`.', { default: true }),
  constraints: string('Expression over labels that chooses what is published.'),
  defaultRule: string('Template of the rule of routers without one; knows `.Name`, `.ContainerName` and `.Labels`.', {
    default: 'Host(`{{ normalize .Name }}`)',
  }),
};

const engine = {
  endpoint: string('Address of the engine: unix, tcp, http, https or ssh.', { default: 'unix:///var/run/docker.sock' }),
  username: string('Name for basic authentication.'),
  password: string('Password for basic authentication.', { secret: true }),
  tls: tlsClient,
  httpClientTimeout: duration('Time limit of one answer; 0 means 30s. The stream of events has none.'),
  ...labelled,
  constraints: string('Expression of Label(`key`, `value`) and LabelRegex(`key`, `expression`) that chooses what is published.'),
  network: string('Network whose addresses are used.'),
  useBindPortIP: boolean('Uses the address and port that the host binds.'),
  allowEmptyServices: boolean('Keeps routers and services of containers that are not healthy, without servers.'),
  watch: boolean('Follows events.', { default: true }),
};

export const docker = object(engine, 'Containers of a Docker engine.', { presence: true });

export const swarm = object(
  { ...engine, refreshSeconds: duration('Time between looks at the cluster.', { default: 15_000 }) },
  'Services of a Docker Swarm.',
  { presence: true },
);
