import { integer, list, map, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const errors = defineMiddleware({
  kind: 'errors',
  summary: 'Replaces responses of certain statuses by pages of a service.',
  options: object(
    {
      status: list(string('A status (404) or a range (500-599).'), 'Statuses that are replaced.'),
      statusRewrites: map(integer('The status that the client gets.'), 'Statuses or ranges whose answers get another status.'),
      service: string('The service that has the pages.'),
      query: string('Path of the page, with {status}, {originalStatus} and {url}.'),
      errorRequestHeaders: list(string('A field name.'), 'Fields of the request that the service gets; all when absent.'),
    },
    'errors',
  ),
  edge: true,
});
