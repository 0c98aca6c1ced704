import { boolean, list, object, string } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const basicAuth = defineMiddleware({
  kind: 'basicAuth',
  summary: 'Lets known users in by name and password (RFC 7617).',
  options: object(
    {
      users: list(string('`name:hash` as htpasswd writes it.'), 'Users with bcrypt, apr1 (MD5) or {SHA} hashes.', { secret: true }),
      usersFile: string('File with one `name:hash` a line; `users` win over it.'),
      realm: string('Named in the challenge; `traefik` when absent.'),
      removeHeader: boolean('Takes Authorization off the request.'),
      headerField: string('Header field, spelled as written here, that tells the server the user’s name.'),
    },
    'basicAuth',
  ),
  edge: ({ usersFile }) => (usersFile === undefined || usersFile === '' ? true : 'usersFile lies on the agent’s host'),
});
