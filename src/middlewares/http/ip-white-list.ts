import { list, object, string } from '../../base/schema.ts';
import { ipStrategy } from '../ip-strategy.ts';
import { defineMiddleware } from '../middleware.ts';
import { createIpAllowList } from './ip-allow-list.ts';

/** The old name of ipAllowList. */
export const ipWhiteList = defineMiddleware({
  kind: 'ipWhiteList',
  summary: 'Deprecated: write ipAllowList. Lets only certain client addresses in.',
  options: object(
    { sourceRange: list(string('An address or a network.'), 'Addresses that are let in. Required.'), ipStrategy },
    'ipWhiteList',
  ),
  edge: true,
  create: createIpAllowList,
});
