import { errorText } from '../../base/body.ts';
import { cleanPath } from '../../base/path.ts';
import { compileRegexp } from '../../base/regexp.ts';
import { object, string } from '../../base/schema.ts';
import { escapeProblem, wirePath } from '../../base/url.ts';
import { defineMiddleware } from '../middleware.ts';
import { REPLACED_PATH } from './replace-path.ts';

export const replacePathRegex = defineMiddleware({
  kind: 'replacePathRegex',
  summary: 'Replaces the path by an expression; the server finds the old one in X-Replaced-Path.',
  options: object(
    { regex: string('RE2 expression, sought in the escaped path.'), replacement: string('The new text, with $1, $2 … for groups.') },
    'replacePathRegex',
  ),
  edge: true,
  create({ regex = '', replacement = '' }) {
    const expression = compileRegexp(regex.trim());
    const template = replacement.trim();
    return async (request, next) => {
      const { path } = request;
      if (!expression.test(path)) return next(request);
      const replaced = expression.replaceAll(path, template);
      const problem = escapeProblem(replaced);
      if (problem !== undefined) return errorText(500, problem);
      const wire = wirePath(replaced === '' || replaced.startsWith('/') ? replaced : `/${replaced}`);
      if (wire !== '' && cleanPath(wire) !== wire) return errorText(400, 'Bad Request');
      request.headers.append(REPLACED_PATH, path);
      request.path = wire;
      return next(request);
    };
  },
});
