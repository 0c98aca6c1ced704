import { decodePath } from '../../base/path.ts';
import { compileRegexp } from '../../base/regexp.ts';
import { list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';
import { stripPath } from '../strip-path.ts';

export const stripPrefixRegex = defineMiddleware({
  kind: 'stripPrefixRegex',
  summary: 'Takes what an expression finds at the start of the path off it; the server finds it in X-Forwarded-Prefix.',
  options: object(
    { regex: list(string('An RE2 expression.'), 'Expressions; the first that fits the start of the path decides.') },
    'stripPrefixRegex',
  ),
  edge: true,
  create({ regex = [] }) {
    const expressions = regex.map((source) => compileRegexp(source.trim()));
    return async (request, next) => {
      const decoded = decodePath(request.path);
      for (const expression of expressions) {
        const prefix = expression.find(decoded)?.[0];
        if (prefix === undefined || prefix === '' || !decoded.startsWith(prefix)) continue;
        return stripPath(request, prefix) ?? next(request);
      }
      return next(request);
    };
  },
});
