import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { encodeText, toHex } from '../../base/bytes.ts';
import { fnv64Hex } from '../../base/fnv.ts';
import type { HeaderList } from '../../base/message.ts';

export interface CookieConfig {
  readonly name?: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite?: string;
  readonly maxAge: number;
  readonly path: string;
  readonly domain?: string;
}

/** Remembers in a cookie which child a client belongs to; the cookie is the same on the host and behind the edge. */
export interface Sticky {
  /** Index of the child that the client's cookie names, and whether the cookie is of an old form and must be written anew. */
  find(headers: HeaderList): { index: number; renew: boolean } | undefined;
  /** Value of Set-Cookie for the child. */
  cookieFor(index: number): string;
}

/** `children`: server URLs as configured, or names of services as written. */
export function createSticky(config: CookieConfig, service: string, children: readonly string[]): Sticky {
  const name = config.name === undefined || config.name === '' ? defaultCookieName(service) : tokenOnly(config.name);
  const values = children.map(cookieValue);
  const current = new Map(values.map((value, index) => [value, index]));
  const legacy = new Map(
    children.flatMap((child, index) => [child, fnv64Hex(child), fnv64Hex(fnv64Hex(child))].map((value) => [value, index] as const)),
  );
  const attributes = cookieAttributes(config);
  return {
    find(headers) {
      const value = readCookie(headers, name);
      if (value === undefined) return undefined;
      const index = current.get(value);
      if (index !== undefined) return { index, renew: false };
      const old = legacy.get(value);
      return old === undefined ? undefined : { index: old, renew: true };
    },
    cookieFor: (index) => `${name}=${values[index]}${attributes}`,
  };
}

/** `_` and five hex digits, made of the service's qualified name. */
export const defaultCookieName = (service: string): string => `_${toHex(sha1(encodeText(`_TRAEFIK_BACKEND_${service}`))).slice(0, 5)}`;

const cookieValue = (child: string): string => toHex(sha256(encodeText(child))).slice(0, 16);

/** RFC 6265 allows only token characters in the name. */
const tokenOnly = (name: string): string => name.replace(/[^A-Za-z0-9!#$%&'*+\-.^`|~]/g, '_');

/** Attributes in Go's order. An unknown SameSite is left out. */
function cookieAttributes({ path, domain, maxAge, httpOnly, secure, sameSite }: CookieConfig): string {
  const sites: Record<string, string> = { none: 'None', lax: 'Lax', strict: 'Strict' };
  const site = sites[sameSite?.toLowerCase() ?? ''];
  return [
    path === '' ? '' : `; Path=${path}`,
    domain === undefined || domain === '' ? '' : `; Domain=${domain}`,
    maxAge > 0 ? `; Max-Age=${maxAge}` : maxAge < 0 ? '; Max-Age=0' : '',
    httpOnly ? '; HttpOnly' : '',
    secure ? '; Secure' : '',
    site === undefined ? '' : `; SameSite=${site}`,
  ].join('');
}

/** The first cookie of the name, without quotes around its value. */
export function readCookie(headers: HeaderList, name: string): string | undefined {
  for (const line of headers.getAll('Cookie')) {
    for (const part of line.split(';')) {
      const equals = part.indexOf('=');
      if (equals === -1 || part.slice(0, equals).trim() !== name) continue;
      return part
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
    }
  }
  return undefined;
}
