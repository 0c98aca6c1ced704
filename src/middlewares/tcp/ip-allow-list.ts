import { list, object, string } from '../../base/schema.ts';
import { createAllowList } from '../ip-strategy.ts';
import { defineTcpMiddleware } from '../tcp-middleware.ts';

export const ipAllowList = defineTcpMiddleware({
  kind: 'ipAllowList',
  summary: 'Lets only certain client addresses connect.',
  options: object({ sourceRange: list(string('An address or a network.'), 'Addresses that may connect. Required.') }, 'ipAllowList'),
  check: ({ sourceRange }) => void createAllowList(sourceRange),
});
