import { integer, object } from '../../base/schema.ts';
import { defineTcpMiddleware } from '../tcp-middleware.ts';

export const inFlightConn = defineTcpMiddleware({
  kind: 'inFlightConn',
  summary: 'Limits how many connections of one client address are open at the same time.',
  options: object({ amount: integer('Connections at the same time; further ones are closed.') }, 'inFlightConn'),
});
