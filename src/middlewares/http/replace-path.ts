import { errorText } from '../../base/body.ts';
import { object, string } from '../../base/schema.ts';
import { escapeProblem, wirePath } from '../../base/url.ts';
import { defineMiddleware } from '../middleware.ts';

/** Header in which a server finds the path that was replaced. */
export const REPLACED_PATH = 'X-Replaced-Path';

export const replacePath = defineMiddleware({
  kind: 'replacePath',
  summary: 'Replaces the path; the server finds the old one in X-Replaced-Path.',
  options: object({ path: string('The new path.') }, 'replacePath'),
  edge: true,
  create({ path = '' }) {
    const problem = escapeProblem(path);
    const replacement = problem === undefined ? withSlash(wirePath(path)) : '';
    return async (request, next) => {
      if (problem !== undefined) return errorText(500, problem);
      request.headers.append(REPLACED_PATH, request.path);
      request.path = replacement;
      return next(request);
    };
  },
});

const withSlash = (path: string): string => (path === '' || path.startsWith('/') ? path : `/${path}`);
