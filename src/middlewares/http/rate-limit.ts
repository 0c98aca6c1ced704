import { duration, integer, list, object, string } from '../../base/schema.ts';
import { clientTlsFields } from '../client-tls.ts';
import { sourceCriterion } from '../ip-strategy.ts';
import { defineMiddleware } from '../middleware.ts';

const redis = object(
  {
    endpoints: list(string('host:port'), 'Servers of the store.', { default: ['localhost:6379'] }),
    tls: object(clientTlsFields, 'TLS towards the store.'),
    username: string('User.', { secret: true }),
    password: string('Password.', { secret: true }),
    db: integer('Number of the database.'),
    poolSize: integer('Connections to begin with.'),
    minIdleConns: integer('Idle connections that are kept.'),
    maxActiveConns: integer('Connections at most; 0 has no limit.'),
    readTimeout: duration('When an answer is given up.', { default: 3_000 }),
    writeTimeout: duration('When a write is given up.', { default: 3_000 }),
    dialTimeout: duration('When connecting is given up.', { default: 5_000 }),
  },
  'Counts in Redis, together with other agents.',
);

export const rateLimit = defineMiddleware({
  kind: 'rateLimit',
  summary: 'Lets each source send so many requests a period (token bucket).',
  options: object(
    {
      average: integer('Requests a period; 0 has no limit.'),
      period: duration('The period.', { default: 1_000 }),
      burst: integer('Requests that may come at once.', { default: 1 }),
      sourceCriterion,
      redis,
    },
    'rateLimit',
  ),
  edge: 'it counts requests, and an isolate sees only its own',
});
