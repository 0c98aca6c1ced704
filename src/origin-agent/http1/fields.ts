import { isAuthority } from '../rim/request-target.ts';

/** Why a head is refused: what the client is told, and the reason for the log. `detail` follows the phrase, as in Go's answers. */
export interface Refusal {
  readonly status: number;
  readonly detail: string;
  readonly reason: string;
}

const refusal = (status: number, reason: string, detail = ''): Refusal => Object.freeze({ status, detail, reason });

export const REFUSALS = {
  requestLine: refusal(400, 'bad request line'),
  statusLine: refusal(502, 'bad status line'),
  method: refusal(400, 'bad method'),
  target: refusal(400, 'bad request target'),
  version: refusal(505, 'unsupported version', 'unsupported protocol version'),
  fieldName: refusal(400, 'bad field name', 'invalid header name'),
  fieldLine: refusal(400, 'bad field line'),
  fieldValue: refusal(400, 'bad byte in a field value'),
  fold: refusal(400, 'folded field'),
  lineEnd: refusal(400, 'CR or LF alone'),
  contentLength: refusal(400, 'bad Content-Length'),
  framing: refusal(400, 'Content-Length and Transfer-Encoding together, or one of them twice'),
  transferEncoding: refusal(501, 'unsupported transfer encoding', 'Unsupported transfer encoding'),
  hostMissing: refusal(400, 'no Host', 'missing required Host header'),
  hostTwice: refusal(400, 'several Host fields'),
  host: refusal(400, 'bad Host', 'malformed Host header'),
  headTooLarge: refusal(431, 'head too large'),
  tooManyFields: refusal(431, 'too many fields'),
  targetTooLong: refusal(414, 'target too long'),
} as const;

/** What a field section says, with the meaning of those fields on which framing and the connection hang. */
export interface Fields {
  /** Only a Refusal has one. */
  readonly reason?: undefined;
  /** Name, value … without Host. */
  readonly raw: string[];
  host: string | undefined;
  /** -1 without Content-Length. */
  contentLength: number;
  chunked: boolean;
  /** Connection names `close`, `keep-alive`, `upgrade`. */
  close: boolean;
  keepAlive: boolean;
  connectionUpgrade: boolean;
  upgrade: string | undefined;
  expect: string | undefined;
}

const newFields = (): Fields => ({
  reason: undefined,
  raw: [],
  host: undefined,
  contentLength: -1,
  chunked: false,
  close: false,
  keepAlive: false,
  connectionUpgrade: false,
  upgrade: undefined,
  expect: undefined,
});

// RFC 9110 §5.6.2 token, and field-vchar with SP, HTAB and obs-text (§5.5), by character code.
const TOKEN = new Uint8Array(256);
const VALUE = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") TOKEN[character.charCodeAt(0)] = 1;
for (let code = 0x20; code < 0x100; code++) VALUE[code] = code === 0x7f ? 0 : 1;
VALUE[9] = 1;

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;

export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

/**
 * The field lines of `text` from `at` to `end`, which is the place of the empty line. Strict: no folding, no space before the colon,
 * no bare CR or LF, no byte outside the grammar (RFC 9110 §5.5, RFC 9112 §5). One pass, linear.
 */
export function parseFields(text: string, at: number, end: number, maxFields: number): Fields | Refusal {
  const fields = newFields();
  const { raw } = fields;
  let from = at;
  while (from < end) {
    let i = from;
    while (TOKEN[text.charCodeAt(i)] === 1) i++;
    if (i === from || text.charCodeAt(i) !== COLON) return refuseName(text, from, i);
    const name = text.slice(from, i++);
    let code = text.charCodeAt(i);
    while (code === SPACE || code === TAB) code = text.charCodeAt(++i);
    const start = i;
    while (VALUE[code] === 1) code = text.charCodeAt(++i);
    if (code !== CR || text.charCodeAt(i + 1) !== LF) return code === CR || code === LF ? REFUSALS.lineEnd : REFUSALS.fieldValue;
    let stop = i;
    while (stop > start && isBlank(text.charCodeAt(stop - 1))) stop--;
    const value = text.slice(start, stop);
    const known = knownField(name);
    if (known !== OTHER) {
      const refused = understand(fields, known, value, text, i);
      if (refused !== undefined) return refused;
    }
    if (known !== HOST) raw.push(name, value);
    if (raw.length > maxFields * 2) return REFUSALS.tooManyFields;
    from = i + 2;
  }
  return fields;
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

function refuseName(text: string, from: number, at: number): Refusal {
  const code = text.charCodeAt(at);
  if (at === from && isBlank(code)) return REFUSALS.fold;
  if (code === CR || code === LF) return text.charCodeAt(at + 1) === LF ? REFUSALS.fieldLine : REFUSALS.lineEnd;
  return at > from && text.slice(at, text.indexOf('\r\n', at)).includes(':') ? REFUSALS.fieldName : REFUSALS.fieldLine;
}

const OTHER = 0;
export const HOST = 1;
const EXPECT = 2;
const UPGRADE = 3;
export const CONNECTION = 4;
const CONTENT_LENGTH = 5;
/** By number; the last one is Transfer-Encoding. */
const KNOWN = ['', 'host', 'expect', 'upgrade', 'connection', 'content-length', 'transfer-encoding'] as const;
/** Which of them a name could be, by its length. */
const KNOWN_BY_LENGTH = new Uint8Array(64);
for (const [i, name] of KNOWN.entries()) if (name !== '') KNOWN_BY_LENGTH[name.length] = i;

/** One of the few fields that decide about framing and connection, or OTHER. Length and first letter spare most names the comparison. */
export function knownField(name: string): number {
  const candidate = name.length < 64 ? KNOWN_BY_LENGTH[name.length]! : OTHER;
  if (candidate === OTHER) return OTHER;
  const known = KNOWN[candidate]!;
  return (name.charCodeAt(0) | 0x20) === known.charCodeAt(0) && name.toLowerCase() === known ? candidate : OTHER;
}

/** The line ends at `end` of `text`. */
function understand(fields: Fields, known: number, value: string, text: string, end: number): Refusal | undefined {
  switch (known) {
    case HOST:
      return takeHost(fields, value);
    case EXPECT:
      fields.expect = fields.expect === undefined ? value : `${fields.expect}, ${value}`;
      return undefined;
    case UPGRADE:
      fields.upgrade ??= value;
      return undefined;
    case CONNECTION:
      takeConnection(fields, value);
      return undefined;
    case CONTENT_LENGTH:
      return endsInTab(text, end) ? REFUSALS.contentLength : takeLength(fields, value);
    default:
      return endsInTab(text, end) ? REFUSALS.transferEncoding : takeTransferEncoding(fields, value);
  }
}

/** A tab behind a framing field is read as blank by some and as part of the value by others (llhttp): neither reading is safe. */
function endsInTab(text: string, end: number): boolean {
  let at = end - 1;
  while (text.charCodeAt(at) === SPACE) at--;
  return text.charCodeAt(at) === TAB;
}

function takeHost(fields: Fields, value: string): Refusal | undefined {
  if (fields.host !== undefined) return REFUSALS.hostTwice;
  if (!isAuthority(value)) return REFUSALS.host;
  fields.host = value;
  return undefined;
}

function takeConnection(fields: Fields, value: string): void {
  if (value === 'keep-alive') {
    fields.keepAlive = true;
    return;
  }
  for (const part of value.split(',')) {
    const token = part.trim().toLowerCase();
    if (token === 'close') fields.close = true;
    else if (token === 'keep-alive') fields.keepAlive = true;
    else if (token === 'upgrade') fields.connectionUpgrade = true;
  }
}

/** 1*DIGIT up to 2^53 - 1; anything else has been used to smuggle (signs, lists, hexadecimal, blanks). */
function takeLength(fields: Fields, value: string): Refusal | undefined {
  if (fields.contentLength !== -1 || fields.chunked) return REFUSALS.framing;
  if (value.length === 0 || value.length > 16) return REFUSALS.contentLength;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return REFUSALS.contentLength;
    length = length * 10 + digit;
  }
  if (length > Number.MAX_SAFE_INTEGER) return REFUSALS.contentLength;
  fields.contentLength = length;
  return undefined;
}

function takeTransferEncoding(fields: Fields, value: string): Refusal | undefined {
  if (fields.contentLength !== -1) return REFUSALS.framing;
  if (fields.chunked || value.toLowerCase() !== 'chunked') return REFUSALS.transferEncoding;
  fields.chunked = true;
  return undefined;
}
