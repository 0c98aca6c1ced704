/** Heads as text (latin1) for one write. What comes from the wire passes as it came; what configuration or middlewares made is made safe. */
import { type HeaderList, type ProxyRequest, requestTarget } from '../../base/message.ts';
import { STATUS_TEXT, statusText } from '../../base/status-text.ts';
import { CONNECTION, HOST, isToken, knownField } from './fields.ts';

// Anything outside tells of text that never passed a parser: a line break would end the field, a character above U+00FF would be cut to its low byte.
const UNSAFE_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const UNSAFE_TARGET = /[^\x21-\x7e]/;

/** One line of a field section; empty for a name that is no token. Line breaks become spaces, wide characters UTF-8. */
export function fieldLine(name: string, value: string): string {
  if (UNSAFE_VALUE.test(value)) return isToken(name) ? `${name}: ${safeValue(value)}\r\n` : '';
  return `${name}: ${value}\r\n`;
}

const safeValue = (value: string): string =>
  Buffer.from(value, 'utf8')
    .toString('latin1')
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ');

/** Bytes outside ASCII leave percent-encoded, as Traefik sends them; so do blanks and controls that a middleware made. */
function safeTarget(target: string): string {
  return target.replace(/[^\x21-\x7e]/gu, (character) => {
    // A character up to U+00FF is a raw byte of the wire.
    const bytes = character.charCodeAt(0) < 0x100 ? [character.charCodeAt(0)] : Buffer.from(character, 'utf8');
    return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}

/** The target as a server gets it. */
export function targetText(request: ProxyRequest): string {
  const target = requestTarget(request);
  return UNSAFE_TARGET.test(target) ? safeTarget(target) : target;
}

/** How a message's body is framed on its way out: by so many bytes, by chunks, or (null) by nothing at all. */
export type OutgoingFraming = number | 'chunked' | null;

function framingLine(framing: OutgoingFraming): string {
  if (framing === null) return '';
  return framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${framing}\r\n`;
}

/** Host first, the record's fields in their order, framing and (for an upgrade) Connection as this side wants them. */
export function requestHeadText(request: ProxyRequest, framing: OutgoingFraming): string {
  let text = `${request.method} ${targetText(request)} HTTP/1.1\r\n${fieldLine('Host', request.host)}`;
  const { raw } = request.headers;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const known = knownField(name);
    if (known !== HOST && !isFraming(known)) text += fieldLine(name, raw[i + 1]!);
  }
  if (request.upgrade !== undefined) text += upgradeLines(request.headers, request.upgrade);
  return `${text}${framingLine(framing)}\r\n`;
}

const upgradeLines = (headers: HeaderList, upgrade: string): string =>
  headers.has('Upgrade') ? 'Connection: Upgrade\r\n' : `Connection: Upgrade\r\n${fieldLine('Upgrade', upgrade)}`;

/** Content-Length, Transfer-Encoding and Connection belong to the connection, not to the message that passes. */
const isFraming = (known: number): boolean => known >= CONNECTION;

const STATUS_LINES: (string | undefined)[] = [];
for (const status of Object.keys(STATUS_TEXT)) STATUS_LINES[Number(status)] = `${status} ${STATUS_TEXT[Number(status)]}\r\n`;

const statusLine = (version: '1.0' | '1.1', status: number): string =>
  `HTTP/${version} ${STATUS_LINES[status] ?? `${status} ${statusText(status)}\r\n`}`;

export interface ResponseHeadOptions {
  readonly version: '1.0' | '1.1';
  readonly framing: OutgoingFraming;
  /** What the connection says about itself; empty for nothing. */
  readonly connection: '' | 'close' | 'keep-alive';
  /** Value of Date when the answer has none. */
  readonly date: string;
}

/** The record's fields in their order, then framing, Date when absent, Connection. */
export function responseHeadText(status: number, headers: HeaderList, { version, framing, connection, date }: ResponseHeadOptions): string {
  let text = statusLine(version, status);
  let dated = false;
  const { raw } = headers;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if (isFraming(knownField(name))) continue;
    if (name.length === 4 && !dated) dated = name === 'Date' || name.toLowerCase() === 'date';
    text += fieldLine(name, raw[i + 1]!);
  }
  text += framingLine(framing);
  if (!dated) text += `Date: ${date}\r\n`;
  if (connection !== '') text += `Connection: ${connection}\r\n`;
  return `${text}\r\n`;
}

/** A 1xx answer: nothing is added. For 101, Connection passes as the server sent it. */
export function interimHeadText(status: number, headers: HeaderList): string {
  let text = statusLine('1.1', status);
  const { raw } = headers;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const known = knownField(name);
    if (isFraming(known) && !(status === 101 && known === CONNECTION)) continue;
    text += fieldLine(name, raw[i + 1]!);
  }
  return `${text}\r\n`;
}

let dateSecond = -1;
let dateText = '';

/** The Date of a moment (milliseconds since the epoch), made once a second. */
export function httpDate(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
