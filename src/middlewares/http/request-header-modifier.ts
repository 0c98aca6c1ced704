import { headerModifier } from '../header-modifier.ts';
import { defineMiddleware } from '../middleware.ts';

export const requestHeaderModifier = defineMiddleware({
  kind: 'requestHeaderModifier',
  summary: 'Gateway API: sets, adds and removes fields of the request.',
  options: headerModifier,
  internal: true,
  edge: true,
});
