/**
 * Byte strings: every character stands for one byte (0–255). Heads come from the wire like this, so paths, headers and queries
 * compare as Go compares them, and pure ASCII needs no work at all. Text from configuration is turned into the same form once.
 */

/** Marks one byte that is not UTF-8 in text: U+DC80–U+DCFF, which no valid text holds (as Python's surrogateescape). */
const STRAY_BASE = 0xdc00;

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** UTF-8 of a text as byte string. Stray bytes (see `fromByte`) are themselves again; other lone surrogates become U+FFFD. */
export function toByteString(text: string): string {
  if (isAscii(text)) return text;
  let bytes = '';
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point > 0xffff) i++;
    bytes += encodePoint(point);
  }
  return bytes;
}

function encodePoint(point: number): string {
  if (point < 0x80) return String.fromCharCode(point);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), tail(point));
  if (isStray(point)) return String.fromCharCode(point - STRAY_BASE);
  if (point >= 0xd800 && point <= 0xdfff) return '\xef\xbf\xbd';
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12), tail(point >> 6), tail(point));
  return String.fromCharCode(0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point));
}

const tail = (bits: number): number => 0x80 | (bits & 0x3f);
const isStray = (point: number): boolean => point >= STRAY_BASE + 0x80 && point <= STRAY_BASE + 0xff;

/** One byte as text: ASCII is itself, others are marked as stray. */
export const fromByte = (byte: number): string => String.fromCharCode(byte < 0x80 ? byte : STRAY_BASE + byte);

/** True when the text holds bytes that are not UTF-8. */
export const hasStrayBytes = (text: string): boolean => /[\udc80-\udcff]/.test(text) && !text.isWellFormed();

/** Text of a byte string. Each byte that is no part of valid UTF-8 becomes one U+FFFD, as in Go. */
export function fromByteString(bytes: string): string {
  if (isAscii(bytes)) return bytes;
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      text += '\ufffd';
      i++;
      continue;
    }
    text += String.fromCodePoint(decodePoint(bytes, i, length));
    i += length;
  }
  return text;
}

function decodePoint(bytes: string, at: number, length: number): number {
  const first = bytes.charCodeAt(at);
  if (length === 1) return first;
  let point = first & (0x7f >> length);
  for (let i = 1; i < length; i++) point = (point << 6) | (bytes.charCodeAt(at + i) & 0x3f);
  return point;
}

/** Bytes of the valid UTF-8 sequence that begins here (RFC 3629 §4), or 0. */
function sequenceLength(bytes: string, at: number): number {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const second = bytes.charCodeAt(at + 1);
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (!(second >= low && second <= high)) return 0;
  for (let i = 2; i < length; i++) if ((bytes.charCodeAt(at + i) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Bytes of a text in UTF-8, without encoding it. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    length += code < 0x800 ? 1 : 2;
    // A pair of surrogates is two characters and four bytes.
    if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i++;
  }
  return length;
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;
