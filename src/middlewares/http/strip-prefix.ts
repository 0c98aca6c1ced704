import { errorText } from '../../base/body.ts';
import { cleanPath, decodePath } from '../../base/path.ts';
import { boolean, list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

/** Header in which a server finds what was taken away. */
const FORWARDED_PREFIX = 'X-Forwarded-Prefix';

export const stripPrefix = defineMiddleware({
  kind: 'stripPrefix',
  summary: 'Takes a prefix off the path before the request goes on.',
  options: object(
    {
      prefixes: list(string('A prefix.'), 'Text prefixes; the first that fits is taken off. `/api` also fits `/apiv2`.'),
      forceSlash: boolean('Keeps a leading slash when nothing is left.', { deprecated: 'An empty path is sent as / anyway.' }),
    },
    'stripPrefix',
  ),
  edge: true,
  create({ prefixes = [], forceSlash = false }) {
    const trimmed = prefixes.map((prefix) => prefix.trim());
    return async (request, next) => {
      const decoded = decodePath(request.path);
      const prefix = trimmed.find((candidate) => decoded.startsWith(candidate));
      if (prefix === undefined) return next(request);
      const rest = dropDecoded(request.path, prefix);
      const path = forceSlash && !rest.startsWith('/') ? `/${rest}` : rest;
      if (path !== '' && cleanPath(path.startsWith('/') ? path : `/${path}`) !== (path.startsWith('/') ? path : `/${path}`))
        return errorText(400, 'Bad Request');
      request.path = path === '' || path.startsWith('/') ? path : `/${path}`;
      request.headers.append(FORWARDED_PREFIX, prefix);
      return next(request);
    };
  },
});

/** The escaped path without as many decoded bytes as the prefix has. */
function dropDecoded(path: string, prefix: string): string {
  let bytes = new TextEncoder().encode(prefix).length;
  let index = 0;
  while (bytes > 0 && index < path.length) {
    if (path[index] === '%') index += 3;
    else index += 1;
    bytes -= 1;
  }
  return path.slice(index);
}
