import { boolean, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const redirectScheme = defineMiddleware({
  kind: 'redirectScheme',
  summary: 'Redirects to another scheme or port.',
  options: object(
    {
      scheme: string('The new scheme. Required.'),
      port: string('The new port; none when absent.'),
      permanent: boolean('Answers 301 (308 where the method must stay) instead of 302 (307).'),
    },
    'redirectScheme',
  ),
  edge: true,
});
