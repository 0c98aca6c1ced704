import type { HeaderList } from '../../base/message.ts';

/** The parts of a request target as the record keeps them, all as sent. */
export interface RequestTarget {
  path: string;
  query: string | undefined;
  /** Authority of an absolute or CONNECT target, which outranks the Host field (RFC 9112 §3.2.2); undefined in other forms. */
  authority: string | undefined;
}

/**
 * Takes the four forms of RFC 9112 §3.2 apart; undefined for anything else. `host.test:443` is a target for CONNECT only.
 * Userinfo in an absolute target is refused: it belongs to no request and has been used to mislead readers of logs.
 */
export function parseRequestTarget(method: string, target: string): RequestTarget | undefined {
  if (target.charCodeAt(0) === 0x2f) return split(target, undefined);
  if (target === '*') return { path: '*', query: undefined, authority: undefined };
  if (method === 'CONNECT') return isAuthority(target) ? { path: '', query: undefined, authority: target } : undefined;
  const start = /^https?:\/\//i.exec(target)?.[0].length;
  if (start === undefined) return undefined;
  const length = target.slice(start).search(/[/?]/);
  const authority = length === -1 ? target.slice(start) : target.slice(start, start + length);
  if (!isAuthority(authority) || authority === '') return undefined;
  const rest = target.slice(start + authority.length);
  return split(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

function split(target: string, authority: string | undefined): RequestTarget {
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, query: undefined, authority };
  return { path: target.slice(0, mark), query: target.slice(mark + 1), authority };
}

// uri-host [":" port] (RFC 9110 §7.2): reg-name, IPv4 or a bracketed literal. Empty is what HTTP/1.1 sends for a missing authority.
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._~-]+)?\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?$/;

/** Whether a Host field or authority has the form that RFC 9110 gives it. */
export const isAuthority = (text: string): boolean => AUTHORITY.test(text);

/** The protocol that the client asks to switch to, when Connection names Upgrade. */
export function upgradeOf(headers: HeaderList): string | undefined {
  return hasToken(headers, 'Connection', 'upgrade') ? upgradeProtocol(headers.get('Upgrade')) : undefined;
}

/**
 * The value of Upgrade when it may be followed. Never h2c, which RFC 9113 has given up: behind such a switch a client would speak to the
 * server past all rules and middlewares.
 */
export const upgradeProtocol = (value: string | undefined): string | undefined =>
  value === undefined || value === '' || /h2c/i.test(value) ? undefined : value;

/** Whether a comma-separated field names the token (lower case). */
export function hasToken(headers: HeaderList, name: string, token: string): boolean {
  for (const value of headers.getAll(name)) {
    if (value.split(',').some((part) => part.trim().toLowerCase() === token)) return true;
  }
  return false;
}
