import { textResponse } from '../../base/body.ts';
import { bytesOf, fromByteText, toByteText } from '../../base/bytes.ts';
import { ConfigError } from '../../base/errors.ts';
import type { ProxyRequest, ProxyResponse } from '../../base/message.ts';
import { boolean, list, object, string } from '../../base/schema.ts';
import { defineMiddleware, type MiddlewareContext } from '../middleware.ts';
import { bcryptCost, createPasswordCheck, createVerifier, hashKind } from '../password.ts';
import { passUser, quoteRealm, readUsers } from '../users.ts';

/** Measured in workerd: cost 5 takes 3 ms of CPU, each step doubles; the free plan has 10 ms a request. */
const MAX_EDGE_COST = 5;

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
  edge({ users = [], usersFile = '' }) {
    if (usersFile !== '') return 'usersFile lies on the agent’s host';
    const cost = Math.max(0, ...users.map((user) => bcryptCost(user.slice(user.indexOf(':') + 1)) ?? 0));
    return cost <= MAX_EDGE_COST ? true : `bcrypt of cost ${cost} takes more CPU than a Worker may have; ${MAX_EDGE_COST} is the most`;
  },
  create(options, context) {
    const hashes = readHashes(options, context);
    const challenge = `Basic realm="${quoteRealm(options.realm)}"`;
    const check = createPasswordCheck(createVerifier(context.platform));
    const [anyHash] = hashes.values();
    return async (request, next) => {
      const credentials = parseCredentials(request);
      // The access log says '' here, '-' where nobody asked for a name.
      request.facts.clientUsername = '';
      if (credentials === undefined) return refuse(challenge);
      const { user, password } = credentials;
      request.facts.clientUsername = fromByteText(user);
      const hash = hashes.get(user);
      // An unknown name costs as much time as a known one.
      const fits = await check(hash ?? anyHash!, password);
      if (hash === undefined || !fits) return refuse(challenge);
      passUser(request, user, options);
      return next(request);
    };
  },
});

/** By name as bytes; later ones win. */
function readHashes(options: { users?: readonly string[]; usersFile?: string }, { platform, log }: MiddlewareContext): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const [user, hash] of readUsers(options, 'name:hash', platform) as [string, string][]) {
    if (hashKind(hash) === 'unknown') log.warn('The hash of a user is of no known kind, so nobody can log in with it', { user });
    hashes.set(toByteText(user), hash);
  }
  if (hashes.size === 0) throw new ConfigError('config.missing', "there are no users; write 'users' (htpasswd -nB name) or 'usersFile'");
  return hashes;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function parseCredentials(request: ProxyRequest): { user: string; password: Uint8Array } | undefined {
  const token = /^basic (.*)$/i.exec(request.headers.get('Authorization') ?? '')?.[1];
  if (token === undefined || !BASE64.test(token)) return undefined;
  const text = atob(token);
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  return { user: text.slice(0, colon), password: bytesOf(text.slice(colon + 1)) };
}

const refuse = (challenge: string): ProxyResponse =>
  textResponse(401, '401 Unauthorized\n', { headers: ['Content-Type', 'text/plain', 'Www-Authenticate', challenge] });
