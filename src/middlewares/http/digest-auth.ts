import { md5 } from '@noble/hashes/legacy.js';
import { textResponse } from '../../base/body.ts';
import { bytesOf, fromByteText, toByteText, toHex } from '../../base/bytes.ts';
import { type ProxyRequest, type ProxyResponse, requestTarget } from '../../base/message.ts';
import { decodePath } from '../../base/path.ts';
import { boolean, list, object, string } from '../../base/schema.ts';
import { parseUrl } from '../../base/url.ts';
import { defineMiddleware } from '../middleware.ts';
import { createNonces, type Nonces } from '../nonces.ts';
import { equalTexts } from '../password.ts';
import { passUser, quoteRealm, readUsers } from '../users.ts';

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
  create(options, context) {
    const realm = options.realm || 'traefik';
    const users = readUsers(options, 'name:realm:hash', context.platform) as [string, string, string][];
    const hashes = new Map(users.filter((user) => user[1] === realm).map(([name, , hash]) => [toByteText(name), hash]));
    const nonces = createNonces(JSON.stringify([context.name, context.router, users]), context);
    const prefix = `Digest realm="${quoteRealm(realm)}"`;
    return async (request, next) => {
      const parameters = parseDigest(request.headers.get('Authorization') ?? '');
      const user = parameters.get('username') ?? '';
      if (user !== '') request.facts.clientUsername = fromByteText(user);
      const verdict = isRightAnswer(request, parameters, hashes.get(user), nonces.opaque) ? useNonce(parameters, nonces) : 'wrong';
      if (verdict !== 'right') return challenge(prefix, nonces, verdict === 'stale');
      passUser(request, user, options);
      return next(request);
    };
  },
});

function challenge(prefix: string, nonces: Nonces, stale: boolean): ProxyResponse {
  const value = `${prefix}, nonce="${nonces.create()}", opaque="${nonces.opaque}", ${stale ? 'stale="true", ' : ''}algorithm="MD5", qop="auth"`;
  return textResponse(401, '401 Unauthorized\n', { headers: ['Content-Type', 'text/plain', 'Www-Authenticate', value] });
}

/** `name=value` and `name="value"` after the scheme, names in lower case. */
function parseDigest(authorization: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const text = /^digest +(.*)$/i.exec(authorization)?.[1] ?? '';
  for (const [, name, quoted, bare] of text.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/g))
    parameters.set(name!.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare!);
  return parameters;
}

const hash = (bytes: string): string => toHex(md5(bytesOf(bytes)));

/** Whether the response proves the password. An unknown user has no hash and proves nothing. */
function isRightAnswer(request: ProxyRequest, parameters: Map<string, string>, userHash: string | undefined, opaque: string): boolean {
  const { method } = request;
  const of = (name: string): string => parameters.get(name) ?? '';
  if (userHash === undefined || of('opaque') !== opaque || (parameters.get('algorithm') ?? 'MD5') !== 'MD5' || of('qop') !== 'auth')
    return false;
  if (!isUriOf(of('uri'), request)) return false;
  const expected = hash([userHash, of('nonce'), of('nc'), of('cnonce'), of('qop'), hash(`${method}:${of('uri')}`)].join(':'));
  return equalTexts(expected, of('response'));
}

/** The `uri` is the target, or (old clients) begins its path. */
function isUriOf(uri: string, request: ProxyRequest): boolean {
  if (uri === requestTarget(request)) return true;
  const parsed = parseUrl(uri);
  return typeof parsed !== 'string' && decodePath(request.path).startsWith(decodePath(parsed.path));
}

function useNonce(parameters: Map<string, string>, nonces: Nonces): 'right' | 'stale' | 'wrong' {
  const count = parameters.get('nc') ?? '';
  return /^[0-9a-f]{1,13}$/i.test(count) ? nonces.use(parameters.get('nonce') ?? '', Number.parseInt(count, 16)) : 'wrong';
}
