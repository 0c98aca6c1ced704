import { statusResponse } from '../../base/body.ts';
import { toByteText } from '../../base/bytes.ts';
import { ConfigError } from '../../base/errors.ts';
import { integer, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';
import { splitPort } from '../redirect.ts';
import { rewritePath } from '../rewrite-path.ts';

const STATUSES = [301, 302, 303, 307, 308];

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
  create({ scheme, hostname, port, path, pathPrefix, statusCode }) {
    const status = statusCode || 302;
    if (!STATUSES.includes(status))
      throw new ConfigError('config.bad-value', `${status} is no status of a redirection; write one of ${STATUSES.join(', ')}`);
    return async (request) => {
      const [oldHost, oldPort] = splitPort(request.host);
      const newPort = port === undefined ? oldPort : port === '' ? '' : `:${port}`;
      const authority = `${hostname ?? oldHost}${newPort === ':' ? '' : newPort}`;
      const query = request.query === undefined ? '' : `?${request.query}`;
      const target = rewritePath(request.path, path, pathPrefix) + query;
      const location = `${scheme ?? (request.tls === undefined ? 'http' : 'https')}://${authority}${target}`;
      return statusResponse(status, ['Location', toByteText(location)]);
    };
  },
});
