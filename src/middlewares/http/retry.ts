import { boolean, duration, integer, list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const retry = defineMiddleware({
  kind: 'retry',
  summary: 'Tries a request again where no server took it, or where its answer has certain statuses.',
  options: object(
    {
      attempts: integer('Tries at most, the first among them. Required.'),
      timeout: duration('No try begins later than this after the first; 0 has no limit.'),
      initialInterval: duration('Wait before the second try; it grows up to twice this. 0 tries at once.'),
      maxRequestBodyBytes: integer('Requests with a longer body are not tried again by status; -1 has no limit.', {
        default: 2 * 1024 * 1024,
      }),
      status: list(string('A status (404) or a range (500-599).'), 'Statuses that are tried again.'),
      disableRetryOnNetworkError: boolean('Tries again by status only.'),
      retryNonIdempotentMethod: boolean('Tries POST, PATCH and LOCK again by status too.'),
    },
    'retry',
  ),
  edge: true,
});
