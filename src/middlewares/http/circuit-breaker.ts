import { duration, integer, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const circuitBreaker = defineMiddleware({
  kind: 'circuitBreaker',
  summary: 'Spares a failing service: answers itself while an expression over the last ten seconds holds.',
  options: object(
    {
      expression: string(
        'When it holds the circuit opens: NetworkErrorRatio(), ResponseCodeRatio(from, to, dividedByFrom, dividedByTo), LatencyAtQuantileMS(50.0), RequestThreshold(n) with < <= > >= == != && || !. Required.',
      ),
      checkPeriod: duration('Time between checks of the expression.', { default: 100 }),
      fallbackDuration: duration('How long the circuit stays open.', { default: 10_000 }),
      recoveryDuration: duration('How long requests are let through little by little before it closes.', { default: 10_000 }),
      responseCode: integer('Status of its own answers.', { default: 503 }),
    },
    'circuitBreaker',
  ),
  edge: 'it judges by all requests, and an isolate sees only its own',
});
