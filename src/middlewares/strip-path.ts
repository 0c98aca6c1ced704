import { errorText } from '../base/body.ts';
import { encodeText, toByteText } from '../base/bytes.ts';
import type { ProxyRequest, ProxyResponse } from '../base/message.ts';
import { cleanPath, decodePath } from '../base/path.ts';
import { escapePath } from '../base/url.ts';

/** Header in which a server finds what was taken away; a second word adds a second value. */
const FORWARDED_PREFIX = 'X-Forwarded-Prefix';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * Takes `prefix`, which the decoded path must begin with, off the request's path. Answers 400 where the rest is not clean (`/..`,
 * `//`): a server would read another path than the rules did.
 */
export function stripPath(request: ProxyRequest, prefix: string, forceSlash = false): ProxyResponse | undefined {
  const decoded = withSlash(decodePath(request.path).slice(prefix.length), forceSlash);
  const escaped = withSlash(dropDecoded(request.path, prefix), forceSlash);
  // Where `%2F` stood behind the prefix the two differ by a slash; the decoded one is what counts.
  const rest = decodePath(escaped) === decoded ? escaped : escapePath(decoded);
  // An expression may have matched an escaped control character, which must not get into a header.
  if ((rest !== '' && cleanPath(rest) !== rest) || CONTROL.test(prefix)) return errorText(400, 'Bad Request');
  request.path = rest;
  request.headers.append(FORWARDED_PREFIX, toByteText(prefix));
  return undefined;
}

function withSlash(rest: string, force: boolean): string {
  if (rest.startsWith('/')) return rest;
  return rest === '' && !force ? '' : `/${rest}`;
}

/** The escaped path without as many decoded bytes as the prefix has. */
function dropDecoded(path: string, prefix: string): string {
  let index = 0;
  for (let bytes = encodeText(prefix).length; bytes > 0 && index < path.length; bytes--) index += path[index] === '%' ? 3 : 1;
  return path.slice(index);
}
