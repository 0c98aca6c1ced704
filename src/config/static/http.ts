import { duration, integer, map, object, string } from '../../base/schema.ts';
import { tlsClient } from './tls-client.ts';

export const http = object(
  {
    endpoint: string('URL that answers with a dynamic configuration; it may hold a password.', { secret: true }),
    pollInterval: duration('Time between requests.', { default: 5_000 }),
    pollTimeout: duration('Time limit of a request.', { default: 5_000 }),
    headers: map(string('Value.', { secret: true }), 'Header fields of the request.'),
    tls: tlsClient,
    maxResponseBodySize: integer('Largest answer in bytes; -1 is without limit.', { default: -1 }),
  },
  'An HTTP address that is asked again and again.',
  { presence: true },
);
