import { headerModifier, modifyHeaders } from '../header-modifier.ts';
import { defineMiddleware } from '../middleware.ts';

export const requestHeaderModifier = defineMiddleware({
  kind: 'requestHeaderModifier',
  summary: 'Gateway API: sets, adds and removes fields of the request.',
  options: headerModifier,
  internal: true,
  edge: true,
  create(options) {
    const { set = {} } = options;
    const host = Object.entries(set).find(([name]) => name.toLowerCase() === 'host')?.[1];
    const fields = { ...options, set: Object.fromEntries(Object.entries(set).filter(([name]) => name.toLowerCase() !== 'host')) };
    return (request, next) => {
      if (host !== undefined) request.host = host;
      modifyHeaders(request.headers, fields);
      return next(request);
    };
  },
});
