import { boolean, object } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const contentType = defineMiddleware({
  kind: 'contentType',
  summary: 'Guesses the Content-Type of responses that have none from their first bytes.',
  options: object(
    { autoDetect: boolean('Without effect.', { deprecated: 'the middleware itself switches detection on.' }) },
    'contentType',
    { presence: true },
  ),
  edge: true,
});
