import { ConfigError } from '../../base/errors.ts';
import { object, string } from '../../base/schema.ts';
import { escapePath } from '../../base/url.ts';
import { defineMiddleware } from '../middleware.ts';

export const addPrefix = defineMiddleware({
  kind: 'addPrefix',
  summary: 'Puts a prefix before the path.',
  options: object({ prefix: string('Text put before the path; a leading slash is added where it lacks. Required.') }, 'addPrefix'),
  edge: true,
  create({ prefix = '' }) {
    if (prefix === '') throw new ConfigError('config.missing', "'prefix' is empty; write what is put before the path, as /api");
    const escaped = escapePath(prefix.startsWith('/') ? prefix : `/${prefix}`);
    return (request, next) => {
      request.path = escaped + request.path;
      return next(request);
    };
  },
});
