import { textResponse } from '../../base/body.ts';
import { whenFinished } from '../../base/message.ts';
import { integer, object } from '../../base/schema.ts';
import { createSource, sourceCriterion } from '../ip-strategy.ts';
import { defineMiddleware } from '../middleware.ts';
import { createSourceTable } from '../source-table.ts';

export const inFlightReq = defineMiddleware({
  kind: 'inFlightReq',
  summary: 'Limits how many requests of one source are answered at the same time.',
  options: object({ amount: integer('Requests at the same time; 0 refuses all.'), sourceCriterion }, 'inFlightReq'),
  edge: 'it counts requests, and an isolate sees only its own',
  create({ amount = 0, sourceCriterion: criterion }, context) {
    const sourceOf = createSource(criterion, 'host');
    const inFlight = createSourceTable(context, 'inFlightReq', 1, 0);
    const enter = (row: Float64Array): boolean => row[0]! < amount && ++row[0]! > 0;
    const leave = (row: Float64Array): void => {
      if (row[0]! > 0) row[0]!--;
    };
    return async (request, next) => {
      const source = sourceOf(request);
      if (!inFlight.update(source, enter)) return textResponse(429, `max connections reached: ${amount}`);
      whenFinished(request.facts, () => inFlight.update(source, leave));
      return next(request);
    };
  },
});
