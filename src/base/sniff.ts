import { byteTextOf } from './bytes.ts';

/** How many bytes a guess looks at. */
const SNIFF_BYTES = 512;

/** Bytes that a kind begins with, `?` for any; some look behind leading white space. Order as in the MIME Sniffing standard, §6 and §7. */
const SIGNATURES: readonly (readonly [bytes: string, type: string])[] = [
  ['%PDF-', 'application/pdf'],
  ['%!PS-Adobe-', 'application/postscript'],
  ['\xFE\xFF??', 'text/plain; charset=utf-16be'],
  ['\xFF\xFE??', 'text/plain; charset=utf-16le'],
  ['\xEF\xBB\xBF?', 'text/plain; charset=utf-8'],
  ['\x00\x00\x01\x00', 'image/x-icon'],
  ['\x00\x00\x02\x00', 'image/x-icon'],
  ['BM', 'image/bmp'],
  ['GIF87a', 'image/gif'],
  ['GIF89a', 'image/gif'],
  ['RIFF????WEBPVP', 'image/webp'],
  ['\x89PNG\r\n\x1A\n', 'image/png'],
  ['\xFF\xD8\xFF', 'image/jpeg'],
  ['FORM????AIFF', 'audio/aiff'],
  ['ID3', 'audio/mpeg'],
  ['OggS\x00', 'application/ogg'],
  ['MThd\x00\x00\x00\x06', 'audio/midi'],
  ['RIFF????AVI ', 'video/avi'],
  ['RIFF????WAVE', 'audio/wave'],
];
const AFTER_MP4: typeof SIGNATURES = [
  ['\x1A\x45\xDF\xA3', 'video/webm'],
  [`${'?'.repeat(34)}LP`, 'application/vnd.ms-fontobject'],
  ['\x00\x01\x00\x00', 'font/ttf'],
  ['OTTO', 'font/otf'],
  ['ttcf', 'font/collection'],
  ['wOFF', 'font/woff'],
  ['wOF2', 'font/woff2'],
  ['\x1F\x8B\x08', 'application/x-gzip'],
  ['PK\x03\x04', 'application/zip'],
  ['Rar!\x1A\x07\x00', 'application/x-rar-compressed'],
  ['Rar!\x1A\x07\x01\x00', 'application/x-rar-compressed'],
  ['\x00asm', 'application/wasm'],
];

const TAGS = '!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--';
const HTML = new RegExp(`^[\\t\\n\\f\\r ]*<(?:${TAGS})[ >]`, 'i');
const XML = /^[\t\n\f\r ]*<\?xml/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the bytes that texts do not have
const BINARY = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** The media type that the first bytes look like, as Go's DetectContentType tells it. */
export function detectContentType(data: Uint8Array): string {
  const text = byteTextOf(data.subarray(0, SNIFF_BYTES));
  if (HTML.test(text)) return 'text/html; charset=utf-8';
  if (XML.test(text)) return 'text/xml; charset=utf-8';
  const early = find(SIGNATURES, text);
  if (early !== undefined) return early;
  if (isMp4(text)) return 'video/mp4';
  return find(AFTER_MP4, text) ?? (BINARY.test(text) ? 'application/octet-stream' : 'text/plain; charset=utf-8');
}

const find = (signatures: typeof SIGNATURES, text: string): string | undefined =>
  signatures.find(([bytes]) => beginsWith(text, bytes))?.[1];

function beginsWith(text: string, signature: string): boolean {
  if (text.length < signature.length) return false;
  for (let i = 0; i < signature.length; i++) if (signature[i] !== '?' && signature[i] !== text[i]) return false;
  return true;
}

/** A first box `ftyp` that names a brand beginning with mp4 (§6.2.1). */
function isMp4(text: string): boolean {
  if (text.length < 12 || text.slice(4, 8) !== 'ftyp') return false;
  const size = [0, 1, 2, 3].reduce((value, i) => value * 256 + text.charCodeAt(i), 0);
  if (text.length < size || size % 4 !== 0) return false;
  for (let at = 8; at < size; at += 4) if (at !== 12 && text.slice(at, at + 3) === 'mp4') return true;
  return false;
}
