import { integer, list, object, string } from '../../base/schema.ts';
import { ipStrategy } from '../ip-strategy.ts';
import { defineMiddleware } from '../middleware.ts';

export const ipAllowList = defineMiddleware({
  kind: 'ipAllowList',
  summary: 'Lets only certain client addresses in.',
  options: object(
    {
      sourceRange: list(string('An address or a network.'), 'Addresses that are let in. Required.'),
      ipStrategy,
      rejectStatusCode: integer('Status of a refusal; 403 when absent.'),
    },
    'ipAllowList',
  ),
  edge: true,
});
