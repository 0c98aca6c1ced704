import { textResponse } from '../../base/body.ts';
import { integer, object } from '../../base/schema.ts';
import { sourceCriterion } from '../ip-strategy.ts';
import { defineMiddleware } from '../middleware.ts';

export const inFlightReq = defineMiddleware({
  kind: 'inFlightReq',
  summary: 'Limits how many requests of one source are answered at the same time.',
  options: object({ amount: integer('Requests at the same time; 0 refuses all.'), sourceCriterion }, 'inFlightReq'),
  edge: 'it counts requests, and an isolate sees only its own',
  create({ amount = 0 }, context) {
    const table = context.cells.table('in flight', { capacity: 65_536, columns: 1 });
    return async (request, next) => {
      const key = request.host;
      const admitted = table.update(key, (row) => row[0]! < amount && ++row[0]! > 0);
      if (!admitted) return textResponse(429, `max connections reached: ${amount}`);
      try {
        return await next(request);
      } finally {
        table.update(key, (row) => void row[0]!--);
      }
    };
  },
});
