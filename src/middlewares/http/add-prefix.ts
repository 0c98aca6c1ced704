import { object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const addPrefix = defineMiddleware({
  kind: 'addPrefix',
  summary: 'Puts a prefix before the path.',
  options: object({ prefix: string('Text put before the path; a leading slash is added where it lacks. Required.') }, 'addPrefix'),
  edge: true,
});
