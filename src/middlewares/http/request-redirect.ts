import { integer, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const requestRedirect = defineMiddleware({
  kind: 'requestRedirect',
  summary: 'Gateway API: redirects to a URL made of the request’s and these parts.',
  options: object(
    {
      scheme: string('The new scheme.'),
      hostname: string('The new host.'),
      port: string('The new port.'),
      path: string('The new path.'),
      pathPrefix: string('The part of the path that `path` replaces; the whole when absent.'),
      statusCode: integer('Status of the answer; 302 when absent.'),
    },
    'requestRedirect',
    { labels: false },
  ),
  internal: true,
  edge: true,
});
