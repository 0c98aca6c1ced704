/** Field sections between records and HTTP/2: small letters there, and nothing that belongs to one connection (RFC 9113 §8.2). */
import { HeaderList } from '../../base/message.ts';
import { isToken, knownField } from '../http1/fields.ts';

const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings']);
const UPPER = /[A-Z]/;
// Anything outside tells of text that never passed a parser (http1/head-text.ts has the same rule).
const UNSAFE_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Appends the fields in their order to a list of names and values as Node's HTTP/2 takes it. Content-Length and Host are the caller's. */
export function appendFields(to: string[], headers: HeaderList): void {
  const { raw } = headers;
  for (let i = 0; i < raw.length; i += 2) {
    const name = UPPER.test(raw[i]!) ? raw[i]!.toLowerCase() : raw[i]!;
    if (name === 'host' || name === 'content-length' || OF_CONNECTION.has(name) || !isToken(name)) continue;
    if (name === 'te' && raw[i + 1]!.toLowerCase() !== 'trailers') continue;
    to.push(name, safeValue(raw[i + 1]!));
  }
}

/** Blanks around a value are no part of it; HTTP/2 refuses them. Line breaks become spaces, wide characters UTF-8. */
function safeValue(value: string): string {
  const safe = UNSAFE_VALUE.test(value)
    ? Buffer.from(value, 'utf8')
        .toString('latin1')
        .replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ')
    : value;
  const first = safe.charCodeAt(0);
  const last = safe.charCodeAt(safe.length - 1);
  return first === 32 || first === 9 || last === 32 || last === 9 ? safe.trim() : safe;
}

/** Fields as an object, for those of Node's functions that take no list. */
export function fieldsObject(headers: HeaderList): Record<string, string | string[]> {
  const list: string[] = [];
  appendFields(list, headers);
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < list.length; i += 2) {
    const before = fields[list[i]!];
    fields[list[i]!] = before === undefined ? list[i + 1]! : [before, list[i + 1]!].flat();
  }
  return fields;
}

/** Trailers as they came, without those that would frame a message or name its connection. */
export const readTrailers = (raw: readonly string[]): HeaderList => {
  const trailers = new HeaderList(raw.slice());
  trailers.filter((name) => !name.startsWith(':') && knownField(name) === 0);
  return trailers;
};
