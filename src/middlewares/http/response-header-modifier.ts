import { headerModifier, modifyHeaders } from '../header-modifier.ts';
import { defineMiddleware } from '../middleware.ts';

export const responseHeaderModifier = defineMiddleware({
  kind: 'responseHeaderModifier',
  summary: 'Gateway API: sets, adds and removes fields of the response.',
  options: headerModifier,
  internal: true,
  edge: true,
  create(options) {
    return async (request, next) => {
      const response = await next(request);
      modifyHeaders(response.headers, options);
      return response;
    };
  },
});
