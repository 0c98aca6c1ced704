import { boolean, integer, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const buffering = defineMiddleware({
  kind: 'buffering',
  summary: 'Reads requests and responses whole before passing them on, limits their size and tries again.',
  options: object(
    {
      maxRequestBodyBytes: integer('Larger requests get 413; 0 has no limit.'),
      memRequestBodyBytes: integer('Beyond this a request lies on disk; 1048576 when absent.'),
      maxResponseBodyBytes: integer('Larger responses become 500; 0 has no limit.'),
      memResponseBodyBytes: integer('Beyond this a response lies on disk; 1048576 when absent.'),
      retryExpression: string(
        'Tries again while it holds, at most 10 times: Attempts(), ResponseCode(), IsNetworkError(), RequestMethod() with < <= > >= == != && ||.',
      ),
      disableRequestBuffer: boolean('Passes requests on as they come.', { labels: false }),
      disableResponseBuffer: boolean('Passes responses on as they come.', { labels: false }),
    },
    'buffering',
  ),
  edge: 'it holds whole bodies, beyond what an isolate has',
});
