import { parseIp } from './cidr.ts';

/**
 * URLs as Go reads and writes them: nothing is resolved or punycoded, a valid escape stays as it was written, everything else
 * is escaped. WHATWG `URL` would change hosts, backslashes, dots and default ports.
 */
export interface GoUrl {
  /** In lower case; empty in a relative reference. */
  readonly scheme: string;
  /** What follows the scheme when that is not a slash (`mailto:x`). */
  readonly opaque: string;
  /** `user` or `user:password`, escaped as written; undefined without `@`. */
  readonly user: string | undefined;
  /** Host with its port, IPv6 in brackets. */
  readonly host: string;
  /** Escaped. */
  readonly path: string;
  /** Undefined without `?`. */
  readonly query: string | undefined;
  /** Escaped; empty without. */
  readonly fragment: string;
}

const encoder = new TextEncoder();

const escapeBytes = (text: string): string => {
  let escaped = '';
  for (const byte of encoder.encode(text)) escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return escaped;
};

/** The default escaping of a decoded path. */
export const escapePath = (text: string): string => text.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]+/g, escapeBytes);

/** Escaping of a text within a query: blanks become `+`. */
export const escapeQuery = (text: string): string => text.replace(/[^A-Za-z0-9\-_.~ ]+/g, escapeBytes).replaceAll(' ', '+');

/** The first malformed escape of a text, as Go complains of it; undefined when there is none. */
export function escapeProblem(text: string): string | undefined {
  const at = text.search(/%(?![0-9a-fA-F]{2})/);
  return at === -1 ? undefined : `invalid URL escape ${quote(text.slice(at, at + 3))}`;
}

const quote = (text: string): string => JSON.stringify(text);

const VALID_PATH = /^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/;

/**
 * The path as it goes over the wire: itself when every character may stand in a path, else decoded and escaped anew, which also
 * turns `%2F` into `/`. The text must have no malformed escape.
 */
export function wirePath(path: string): string {
  if (VALID_PATH.test(path)) return path;
  // Decoding byte by byte keeps what is no UTF-8.
  return path.replace(/%([0-9a-fA-F]{2})|[^A-Za-z0-9\-_.~$&+,/:;=@%]+/g, (text, hex: string | undefined) => {
    if (hex === undefined) return escapeBytes(text);
    const code = Number.parseInt(hex, 16);
    return code < 0x80 ? escapePath(String.fromCharCode(code)) : text.toUpperCase();
  });
}

/** Reads a URL or a reference; a text says why it is none. */
export function parseUrl(text: string): GoUrl | string {
  const hash = text.indexOf('#');
  const fragment = hash === -1 ? '' : text.slice(hash + 1);
  let rest = hash === -1 ? text : text.slice(0, hash);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x1f\x7f]/.test(rest)) return 'invalid control character in URL';
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest)?.[1] ?? '';
  if (scheme === '' && rest.startsWith(':')) return 'missing protocol scheme';
  if (scheme !== '') rest = rest.slice(scheme.length + 1);
  const mark = rest.indexOf('?');
  const query = mark === -1 ? undefined : rest.slice(mark + 1);
  if (mark !== -1) rest = rest.slice(0, mark);
  const url = { scheme: scheme.toLowerCase(), opaque: '', user: undefined, host: '', path: '', query, fragment: escapeFragment(fragment) };
  const fragmentProblem = escapeProblem(fragment);
  if (fragmentProblem !== undefined) return fragmentProblem;
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...url, opaque: rest };
    if (rest.split('/', 1)[0]!.includes(':')) return 'first path segment in URL cannot contain colon';
  }
  return parseAuthorityAndPath(url, rest);
}

function parseAuthorityAndPath(url: GoUrl, rest: string): GoUrl | string {
  let path = rest;
  let authority = '';
  if (rest.startsWith('//') && (url.scheme !== '' || !rest.startsWith('///'))) {
    const slash = rest.indexOf('/', 2);
    authority = rest.slice(2, slash === -1 ? undefined : slash);
    path = slash === -1 ? '' : rest.slice(slash);
  }
  const problem = escapeProblem(path);
  if (problem !== undefined) return problem;
  const at = authority.lastIndexOf('@');
  const user = at === -1 ? undefined : authority.slice(0, at);
  if (user !== undefined && (!/^[A-Za-z0-9\-._~!$&'()*+,;=:%@]*$/.test(user) || escapeProblem(user) !== undefined))
    return 'net/url: invalid userinfo';
  const host = authority.slice(at + 1);
  const hostProblem = checkHost(host);
  return hostProblem ?? { ...url, user, host, path: wirePath(path) };
}

function checkHost(host: string): string | undefined {
  const bracket = host.lastIndexOf('[');
  if (bracket > 0) return 'invalid IP-literal';
  let port: string;
  if (bracket === 0) {
    const end = host.lastIndexOf(']');
    if (end === -1) return "missing ']' in host";
    port = host.slice(end + 1);
    const address = host.slice(1, end).replace(/%25.*$/, '');
    if (!address.includes(':') || parseIp(address) === undefined) return 'invalid host';
  } else {
    const colon = host.indexOf(':');
    port = colon === -1 ? '' : host.slice(colon);
    const odd = /[^A-Za-z0-9\-_.~!$&'()*+,;=:<>"%\u0080-\uffff]/.exec(host);
    if (odd !== null) return `invalid character ${quote(odd[0])} in host name`;
  }
  return /^(:\d*)?$/.test(port) ? undefined : `invalid port ${quote(port)} after host`;
}

const escapeFragment = (text: string): string => text.replace(/[^A-Za-z0-9\-_.~$&+,/:;=?@!'()*%]+/g, escapeBytes);

export function formatUrl({ scheme, opaque, user, host, path, query, fragment }: GoUrl): string {
  let text = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') {
    text += opaque;
  } else {
    if (host !== '' || user !== undefined || (scheme !== '' && path !== '')) text += '//';
    if (user !== undefined) text += `${user}@`;
    text += host;
    if (path !== '' && !path.startsWith('/') && host !== '') text += '/';
    if (text === '' && path.split('/', 1)[0]!.includes(':')) text = './';
    text += path;
  }
  if (query !== undefined) text += `?${query}`;
  return fragment === '' ? text : `${text}#${fragment}`;
}

/** The reference seen from the base (RFC 3986 §5.2). */
export function resolveUrl(base: GoUrl, reference: GoUrl): GoUrl {
  if (reference.scheme !== '' || reference.host !== '' || reference.user !== undefined) {
    return {
      ...reference,
      scheme: reference.scheme || base.scheme,
      path: reference.opaque === '' ? removeDots(reference.path) : reference.path,
    };
  }
  if (reference.opaque !== '') return { ...reference, user: undefined, host: '', path: '' };
  const same = reference.path === '' && reference.query === undefined;
  return {
    ...base,
    opaque: '',
    path: removeDots(mergePaths(base.path, reference.path)),
    query: same ? base.query : reference.query,
    fragment: same && reference.fragment === '' ? base.fragment : reference.fragment,
  };
}

function mergePaths(base: string, reference: string): string {
  if (reference === '') return base;
  return reference.startsWith('/') ? reference : base.slice(0, base.lastIndexOf('/') + 1) + reference;
}

function removeDots(path: string): string {
  if (path === '') return '';
  const segments = path.split('/');
  const kept: string[] = [];
  if (segments[0] === '') segments.shift();
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '.' || segment === '..') {
      if (segment === '..') kept.pop();
      if (last) kept.push('');
    } else kept.push(segment);
  });
  return `/${kept.join('/')}`;
}
