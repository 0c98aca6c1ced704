import { object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const replacePathRegex = defineMiddleware({
  kind: 'replacePathRegex',
  summary: 'Replaces the path by an expression; the server finds the old one in X-Replaced-Path.',
  options: object(
    { regex: string('RE2 expression, sought in the escaped path.'), replacement: string('The new text, with $1, $2 … for groups.') },
    'replacePathRegex',
  ),
  edge: true,
});
