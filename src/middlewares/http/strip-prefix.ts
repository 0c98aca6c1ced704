import { decodePath } from '../../base/path.ts';
import { boolean, list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';
import { stripPath } from '../strip-path.ts';

export const stripPrefix = defineMiddleware({
  kind: 'stripPrefix',
  summary: 'Takes a prefix off the path; the server finds it in X-Forwarded-Prefix.',
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
      return stripPath(request, prefix, forceSlash) ?? next(request);
    };
  },
});
