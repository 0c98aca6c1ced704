import { requestTarget } from '../../base/message.ts';
import { compileRegexp } from '../../base/regexp.ts';
import { boolean, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';
import { redirectTo } from '../redirect.ts';

export const redirectRegex = defineMiddleware({
  kind: 'redirectRegex',
  summary: 'Redirects by an expression over the whole URL.',
  options: object(
    {
      regex: string('RE2 expression, sought in scheme://host/path?query.'),
      replacement: string('The new URL, with $1, $2 … for groups.'),
      permanent: boolean('Answers 301 (308 where the method must stay) instead of 302 (307).'),
    },
    'redirectRegex',
  ),
  edge: true,
  create({ regex = '', replacement = '', permanent = false }) {
    const expression = compileRegexp(regex);
    return async (request, next) => {
      // The scheme is the connection's: X-Forwarded-Proto does not count here, unlike in redirectScheme.
      const url = `${request.tls === undefined ? 'http' : 'https'}://${request.host}${requestTarget(request)}`;
      if (!expression.test(url)) return next(request);
      const replaced = expression.replaceAll(url, replacement);
      return replaced === url ? next(request) : redirectTo(request, replaced, permanent);
    };
  },
});
