import { list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const stripPrefixRegex = defineMiddleware({
  kind: 'stripPrefixRegex',
  summary: 'Takes what an expression finds at the start of the path off it.',
  options: object(
    { regex: list(string('An RE2 expression.'), 'Expressions; the first that fits the start of the path decides.') },
    'stripPrefixRegex',
  ),
  edge: true,
});
