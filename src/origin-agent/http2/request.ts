import { HeaderList } from '../../base/message.ts';
import { isAuthority, parseRequestTarget } from '../rim/request-target.ts';

/** What the header section of a request says; Node has looked at names, order and number of pseudo-header fields. */
export interface RequestSection {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly host: string;
  readonly headers: HeaderList;
  readonly contentLength: number | undefined;
  readonly expectsContinue: boolean;
  /** `:protocol` of an extended CONNECT (RFC 8441). */
  readonly protocol: string | undefined;
}

/** As in HTTP/1.1: bytes beyond ASCII pass, blanks and controls do not. */
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;

/** The status of a refusal, when it is no request that anybody could answer. */
export function readRequestSection(raw: readonly string[], maxTargetBytes: number): RequestSection | number {
  const list: string[] = [];
  let method = '';
  let target = '';
  let authority: string | undefined;
  let hostField: string | undefined;
  let protocol: string | undefined;
  let cookie: string | undefined;
  let contentLength: number | undefined;
  let expectsContinue = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (name.charCodeAt(0) === 0x3a) {
      if (name === ':method') method = value;
      else if (name === ':path') target = value;
      else if (name === ':authority') authority = value;
      else if (name === ':protocol') protocol = value;
    } else if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`;
    else if (name === 'host') {
      if (hostField !== undefined) return 400;
      hostField = value;
    } else {
      if (name === 'content-length') contentLength = Number(value);
      else if (name === 'expect') expectsContinue = value.toLowerCase() === '100-continue';
      list.push(name, value);
    }
  }
  // Cookies come in crumbs, and leave as one field (RFC 9113 §8.2.3).
  if (cookie !== undefined) list.push('cookie', cookie);
  const host = authority ?? hostField ?? '';
  if (!isAuthority(host)) return 400;
  // RFC 9113 §8.3.1: two names for one request have been used to get past rules.
  if (authority !== undefined && hostField !== undefined && authority.toLowerCase() !== hostField.toLowerCase()) return 400;
  const plainConnect = method === 'CONNECT' && protocol === undefined;
  if (target.length > maxTargetBytes) return 414;
  if (!plainConnect && target !== '*' && (target.charCodeAt(0) !== 0x2f || !TARGET.test(target))) return 400;
  const parsed = parseRequestTarget(method, plainConnect ? host : target);
  if (parsed === undefined) return 400;
  return {
    method,
    path: parsed.path,
    query: parsed.query,
    host,
    headers: new HeaderList(list),
    contentLength,
    expectsContinue,
    protocol,
  };
}
