/** Heads of requests and answers as RFC 9112 writes them; whatever else comes is refused. A security boundary: fuzzed, compared with llhttp. */
import { parseRequestTarget, type RequestTarget } from '../rim/request-target.ts';
import { type Fields, isToken, parseFields, REFUSALS, type Refusal } from './fields.ts';

export interface HeadLimits {
  /** Field lines of a head or a trailer section. */
  readonly maxHeaderFields: number;
  /** Bytes of the request target. */
  readonly maxTargetBytes: number;
}

export interface RequestHead {
  /** Only a Refusal has one. */
  readonly reason?: undefined;
  readonly method: string;
  readonly target: RequestTarget;
  /** HTTP/1.x. */
  readonly minor: 0 | 1;
  readonly fields: Fields;
}

export interface ResponseHead {
  /** Only a Refusal has one. */
  readonly reason?: undefined;
  readonly status: number;
  readonly minor: 0 | 1;
  readonly fields: Fields;
}

/** `text` is latin1; `end` is behind the empty line. */
export function parseRequestHead(text: string, end: number, limits: HeadLimits): RequestHead | Refusal {
  const lineEnd = text.indexOf('\r\n');
  const methodEnd = text.indexOf(' ');
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  if (methodEnd < 1 || targetEnd === -1 || targetEnd > lineEnd) return REFUSALS.requestLine;
  const minor = parseVersion(text, targetEnd + 1, lineEnd);
  if (minor !== 0 && minor !== 1) return minor;
  if (targetEnd - methodEnd > limits.maxTargetBytes) return REFUSALS.targetTooLong;
  const method = text.slice(0, methodEnd);
  if (!isToken(method)) return REFUSALS.method;
  const rawTarget = text.slice(methodEnd + 1, targetEnd);
  const target = TARGET.test(rawTarget) ? parseRequestTarget(method, rawTarget) : undefined;
  if (target === undefined) return REFUSALS.target;
  const fields = parseFields(text, lineEnd + 2, end - 2, limits.maxHeaderFields);
  if (fields.reason !== undefined) return fields;
  if (minor === 0 && fields.chunked) return REFUSALS.transferEncoding;
  if (minor === 1 && fields.host === undefined) return REFUSALS.hostMissing;
  return { reason: undefined, method, target, minor, fields };
}

// Bytes beyond ASCII pass, as Traefik takes them; they are escaped towards servers.
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;

function parseVersion(text: string, from: number, to: number): 0 | 1 | Refusal {
  if (to - from !== 8 || !text.startsWith('HTTP/', from)) return REFUSALS.requestLine;
  if (text.startsWith('1.1', from + 5)) return 1;
  if (text.startsWith('1.0', from + 5)) return 0;
  return /^[0-9]\.[0-9]$/.test(text.slice(from + 5, to)) ? REFUSALS.version : REFUSALS.requestLine;
}

/** `text` is latin1; `end` is behind the empty line. The reason phrase is checked and forgotten. */
export function parseResponseHead(text: string, end: number, limits: HeadLimits): ResponseHead | Refusal {
  const lineEnd = text.indexOf('\r\n');
  const status = parseStatusLine(text, lineEnd);
  if (status === 0) return REFUSALS.statusLine;
  const minor = text.charCodeAt(7) === 0x31 ? 1 : 0;
  const fields = parseFields(text, lineEnd + 2, end - 2, limits.maxHeaderFields);
  if (fields.reason !== undefined) return fields;
  if (minor === 0 && fields.chunked) return REFUSALS.transferEncoding;
  return { reason: undefined, status, minor, fields };
}

const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;

/** 0 when the line is no status line. */
function parseStatusLine(text: string, lineEnd: number): number {
  if (lineEnd === 15 && text.startsWith('HTTP/1.1 200 OK')) return 200;
  return Number(STATUS_LINE.exec(text.slice(0, lineEnd))?.[1] ?? 0);
}

/**
 * Why an unfinished head can no longer become a good one; undefined while it can. Tells at once what would else wait for a time-out.
 * `first` when the text begins with the head.
 */
export function refuseBeginning(text: string, first: boolean): Refusal | undefined {
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (at === 0 ? first : text.charCodeAt(at - 1) !== 13) return REFUSALS.lineEnd;
  }
  if (!first || !text.includes('\r\n')) return undefined;
  return /^(?:[^ \r\n]+ [^ \r\n]+ HTTP\/[0-9]\.[0-9]|HTTP\/1\.[01] [0-9]{3}(?: [^\r\n]*)?)\r\n/.test(text)
    ? undefined
    : REFUSALS.requestLine;
}

export type { Refusal } from './fields.ts';
