import { boolean, list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const digestAuth = defineMiddleware({
  kind: 'digestAuth',
  summary: 'Lets known users in by HTTP digest (RFC 7616 with MD5).',
  options: object(
    {
      users: list(string('`name:realm:hash` as htdigest writes it.'), 'Users; only those of `realm` are let in.', { secret: true }),
      usersFile: string('File with one `name:realm:hash` a line; `users` win over it.'),
      removeHeader: boolean('Takes Authorization off the request.'),
      realm: string('Named in the challenge; `traefik` when absent.'),
      headerField: string('Header field, spelled as written here, that tells the server the user’s name.'),
    },
    'digestAuth',
  ),
  edge: 'it counts nonces, and an isolate knows only its own',
});
