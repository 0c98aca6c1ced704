import { boolean, integer, list, object, string } from '../../base/schema.ts';
import { tlsClient } from './tls-client.ts';

const store = (endpoint: string) => ({
  rootKey: string('First part of every key.', { default: 'traefik' }),
  endpoints: list(string('host:port.'), 'Addresses of the store.', { default: [endpoint] }),
});
const login = {
  username: string('Name.', { secret: true }),
  password: string('Password.', { secret: true }),
};

export const redis = object(
  {
    ...store('127.0.0.1:6379'),
    ...login,
    db: integer('Number of the database.'),
    tls: tlsClient,
    sentinel: object(
      {
        masterName: string('Name of the master.'),
        ...login,
        latencyStrategy: boolean('Reads from the replica that answers fastest.'),
        randomStrategy: boolean('Reads from any replica.'),
        replicaStrategy: boolean('Reads from replicas only.'),
        useDisconnectedReplicas: boolean('Also from replicas that lost their master.'),
      },
      'Finds the server through sentinels.',
    ),
  },
  'Keys of a Redis or Valkey.',
  { presence: true },
);

export const etcd = object({ ...store('127.0.0.1:2379'), ...login, tls: tlsClient }, 'Keys of an etcd.', { presence: true });

export const consul = object(
  {
    ...store('127.0.0.1:8500'),
    token: string('Token.', { secret: true, fileOrContent: true }),
    tls: tlsClient,
    namespaces: list(string('A namespace.'), 'Namespaces, each a provider of its own.'),
  },
  'Keys of a Consul.',
  { presence: true },
);

export const zooKeeper = object({ ...store('127.0.0.1:2181'), ...login }, 'Nodes of a ZooKeeper.', { presence: true });
