import { object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';
import { rewritePath } from '../rewrite-path.ts';

export const urlRewrite = defineMiddleware({
  kind: 'URLRewrite',
  summary: 'Gateway API: rewrites host and path of the request.',
  options: object(
    {
      hostname: string('The new host.'),
      path: string('The new path.'),
      pathPrefix: string('The part of the path that `path` replaces; the whole when absent.'),
    },
    'URLRewrite',
    { labels: false },
  ),
  internal: true,
  edge: true,
  create({ hostname, path, pathPrefix }) {
    return (request, next) => {
      request.path = rewritePath(request.path, path, pathPrefix);
      if (hostname !== undefined) request.host = hostname;
      return next(request);
    };
  },
});
