import { fromByteString, toByteString } from './byte-string.ts';

/**
 * Paths of request targets, as byte strings (`byte-string.ts`): what is not ASCII is a raw byte of the head. Traefik's order is
 * normalizePath, cleanPath, and routingPath for what rules see.
 */

const HEX = /^[0-9a-fA-F]{2}$/;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** All that may stand raw in a path (RFC 3986 §3.3, and `[ ]`, which browsers leave alone), and `%`. */
const NOTHING_ODD = /^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/%]*$/;
const ODD = /[^A-Za-z0-9\-._~!$&'()*+,;=:@[\]/%]/gu;

/** True when a `%` is not followed by two hexadecimal digits. */
export function hasMalformedEscape(path: string): boolean {
  for (let i = path.indexOf('%'); i !== -1; i = path.indexOf('%', i + 3)) if (!HEX.test(path.slice(i + 1, i + 3))) return true;
  return false;
}

/**
 * Escaped unreserved characters decoded, all other escapes in capitals (Traefik's normalization, always on). A character that
 * may not stand raw is escaped; unlike in Go it does not make all others be decoded too, which would let `%2F..` climb.
 */
export function normalizePath(path: string): string {
  let normal = path;
  if (path.includes('%')) normal = path.replace(/%[0-9a-fA-F]{2}/g, normalizeEscape);
  return NOTHING_ODD.test(normal) ? normal : normal.replace(ODD, escapeCharacter);
}

function normalizeEscape(escaped: string): string {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return UNRESERVED.test(character) ? character : escaped.toUpperCase();
}

function escapeCharacter(character: string): string {
  if (character.charCodeAt(0) > 0xff) return toByteString(character).replace(/./gs, escapeCharacter);
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** `.` and `..` resolved and slashes collapsed (Go's URL.JoinPath): a final slash is kept, nothing climbs above the root. */
export function cleanPath(path: string): string {
  if (path === '*' || (path.startsWith('/') && !path.includes('//') && !path.includes('/.'))) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const slash = path.endsWith('/') && kept.length > 0 ? '/' : '';
  return `/${kept.join('/')}${slash}`;
}

/** RFC 3986's reserved characters and `%`: they stay escaped in the path that rules see. */
const KEPT = new Set([...":/?#[]@!$&'()*+,;=%"].map((character) => character.charCodeAt(0)));

/** The path that rules see, as byte string: every escape decoded but those of reserved characters and `%`, which are in capitals. */
export function routingPath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%[0-9a-fA-F]{2}/g, (escaped) => {
    const byte = Number.parseInt(escaped.slice(1), 16);
    return KEPT.has(byte) ? escaped.toUpperCase() : String.fromCharCode(byte);
  });
}

/** The text of a path: every `%XX` decoded, a malformed escape left as it is, each byte that is not UTF-8 as U+FFFD. */
export function decodePath(path: string): string {
  return fromByteString(path.includes('%') ? decodeBytes(toBytes(path)) : toBytes(path));
}

const decodeBytes = (bytes: string): string =>
  bytes.replace(/%[0-9a-fA-F]{2}/g, (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16)));

/** A path that a middleware made out of configured text may hold characters beyond one byte. */
const toBytes = (path: string): string => path.replace(/[^\0-\xff]/gu, toByteString);
