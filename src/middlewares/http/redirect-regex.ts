import { boolean, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const redirectRegex = defineMiddleware({
  kind: 'redirectRegex',
  summary: 'Redirects by an expression over the whole URL.',
  options: object(
    {
      regex: string('RE2 expression, sought in scheme://host/path?query.'),
      replacement: string('The new URL, with $1, $2 … for groups.'),
      permanent: boolean('Answers 301 (308 where the method must stay) instead of 302 (307).'),
    },
    'redirectRegex',
  ),
  edge: true,
});
