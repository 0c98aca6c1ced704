import { object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const replacePath = defineMiddleware({
  kind: 'replacePath',
  summary: 'Replaces the path; the server finds the old one in X-Replaced-Path.',
  options: object({ path: string('The new path.') }, 'replacePath'),
  edge: true,
});
