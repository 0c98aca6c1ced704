import { vary } from '../../base/schema.ts';
import { defineTcpMiddleware } from '../tcp-middleware.ts';
import { ipAllowList } from './ip-allow-list.ts';

export const ipWhiteList = defineTcpMiddleware({
  kind: 'ipWhiteList',
  summary: 'The old name of ipAllowList.',
  options: vary(ipAllowList.options, { summary: 'ipWhiteList', deprecated: 'write ipAllowList.' }),
  check: ipAllowList.check!,
});
