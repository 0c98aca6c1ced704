import { statusResponse } from '../../base/body.ts';
import { ConfigError } from '../../base/errors.ts';
import { type Infer, integer, list, object, string } from '../../base/schema.ts';
import { STATUS_TEXT } from '../../base/status-text.ts';
import { createAllowList, createIpStrategy, ipStrategy } from '../ip-strategy.ts';
import { defineMiddleware, type Middleware } from '../middleware.ts';

const options = object(
  {
    sourceRange: list(string('An address or a network.'), 'Addresses that are let in. Required.'),
    ipStrategy,
    rejectStatusCode: integer('Status of a refusal; 403 when absent.'),
  },
  'ipAllowList',
);

export const ipAllowList = defineMiddleware({
  kind: 'ipAllowList',
  summary: 'Lets only certain client addresses in.',
  options,
  edge: true,
  create: createIpAllowList,
});

/** Also what the word's old name does. */
export function createIpAllowList({ sourceRange, ipStrategy: strategy, rejectStatusCode }: Infer<typeof options>): Middleware {
  const allowed = createAllowList(sourceRange);
  const status = rejectStatusCode || 403;
  if (STATUS_TEXT[status] === undefined)
    throw new ConfigError('config.bad-value', `'rejectStatusCode' ${status} is no HTTP status; write 403 or 404`);
  const clientOf = createIpStrategy(strategy);
  return async (request, next) => (allowed(clientOf(request)) ? next(request) : statusResponse(status));
}
