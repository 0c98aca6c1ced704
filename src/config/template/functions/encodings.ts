import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { decodeText, encodeText, fromBase64, toBase64, toHex } from '../../../base/bytes.ts';
import { ConfigError } from '../../../base/errors.ts';
import { compileRegexp, type Regexp } from '../../../base/regexp.ts';
import { TemplateError } from '../error.ts';
import { fixed, type TemplateFunction } from '../function.ts';
import { readJson, writeJson } from '../json.ts';

const toJson = fixed(['any'], ([value], { budget }) => writeJson(value, { escapeHtml: true }, budget));
const toPrettyJson = fixed(['any'], ([value], { budget }) => writeJson(value, { escapeHtml: true, indent: '  ' }, budget));
const toRawJson = fixed(['any'], ([value], { budget }) => writeJson(value, {}, budget));
const mustRegexMatch = fixed(['text', 'text'], ([source, text]) => compile(source).test(text));
/** What is no expression matches nothing, as in sprig. */
const regexMatch = fixed(['text', 'text'], ([source, text]) => {
  try {
    return compile(source).test(text);
  } catch {
    return false;
  }
});
const regexFind = fixed(['text', 'text'], ([source, text]) => compile(source).find(text)?.[0] ?? '');
const regexFindAll = fixed(['text', 'text', 'int'], ([source, text, count]) =>
  compile(source)
    .findAll(text, Number(count))
    .map((match) => match.text),
);
const regexReplaceAll = fixed(['text', 'text', 'text'], ([source, text, fresh]) => compile(source).replaceAll(text, fresh));
const regexReplaceAllLiteral = fixed(['text', 'text', 'text'], ([source, text, fresh]) =>
  compile(source).replaceAll(text, fresh.replaceAll('$', '$$$$')),
);
const regexSplit = fixed(['text', 'text', 'int'], ([source, text, count]) => splitBy(compile(source), text, Number(count)));

/** Encodings, checksums, expressions and paths of sprig. */
export const ENCODINGS: Readonly<Record<string, TemplateFunction>> = {
  b64enc: fixed(['text'], ([text]) => toBase64(encodeText(text))),
  b64dec: fixed(['text'], ([text]) => decodeBase64(text)),
  b32enc: fixed(['text'], ([text]) => encodeBase32(encodeText(text))),
  b32dec: fixed(['text'], ([text]) => decodeBase32(text)),
  sha1sum: fixed(['text'], ([text]) => toHex(sha1(encodeText(text)))),
  sha256sum: fixed(['text'], ([text]) => toHex(sha256(encodeText(text)))),
  adler32sum: fixed(['text'], ([text]) => String(adler32(encodeText(text)))),
  toJson,
  mustToJson: toJson,
  toPrettyJson,
  mustToPrettyJson: toPrettyJson,
  toRawJson,
  mustToRawJson: toRawJson,
  fromJson: fixed(['text'], ([text]) => readJson(text) ?? null),
  mustFromJson: fixed(['text'], ([text]) => {
    const value = readJson(text);
    if (value === undefined) throw new TemplateError('the text is no JSON');
    return value;
  }),
  regexMatch,
  mustRegexMatch,
  regexFind,
  mustRegexFind: regexFind,
  regexFindAll,
  mustRegexFindAll: regexFindAll,
  regexReplaceAll,
  mustRegexReplaceAll: regexReplaceAll,
  regexReplaceAllLiteral,
  mustRegexReplaceAllLiteral: regexReplaceAllLiteral,
  regexSplit,
  mustRegexSplit: regexSplit,
  regexQuoteMeta: fixed(['text'], ([text]) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
  base: fixed(['text'], ([path]) => baseName(path)),
  dir: fixed(['text'], ([path]) => cleanPath(path.slice(0, path.lastIndexOf('/') + 1))),
  clean: fixed(['text'], ([path]) => cleanPath(path)),
  ext: fixed(['text'], ([path]) => /\.[^./]*$/.exec(path.slice(path.lastIndexOf('/') + 1))?.[0] ?? ''),
  isAbs: fixed(['text'], ([path]) => path.startsWith('/')),
};

function compile(source: string): Regexp {
  try {
    return compileRegexp(source);
  } catch (error) {
    if (error instanceof ConfigError) throw new TemplateError(error.message);
    throw error;
  }
}

function splitBy(expression: Regexp, text: string, count: number): string[] {
  if (count === 0) return [];
  if (text === '') return [''];
  const parts: string[] = [];
  let begin = 0;
  let end = 0;
  for (const match of expression.findAll(text, count)) {
    if (count > 0 && parts.length === count - 1) break;
    end = match.start;
    if (match.end !== 0) parts.push(text.slice(begin, end));
    begin = match.end;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return parts;
}

/** Sprig gives the error's text in place of what is no Base64. */
function decodeBase64(text: string): string {
  const plain = text.replace(/[\r\n]/g, '');
  if (plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) throw new TemplateError('the text is no Base64');
  return decodeText(fromBase64(plain));
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32[(value >> (bits - 5)) & 31];
  }
  if (bits > 0) text += BASE32[(value << (5 - bits)) & 31];
  return text + '='.repeat((8 - (text.length % 8)) % 8);
}

function decodeBase32(text: string): string {
  const plain = text.replace(/[\r\n]/g, '');
  if (plain.length % 8 !== 0 || !/^[A-Z2-7]*={0,6}$/.test(plain)) throw new TemplateError('the text is no Base32');
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const char of plain.replace(/=+$/, '')) {
    value = ((value << 5) | BASE32.indexOf(char)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return decodeText(Uint8Array.from(bytes));
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

function baseName(path: string): string {
  if (path === '') return '.';
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  if (end === 0) return '/';
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}

/** Go's path.Clean. */
function cleanPath(path: string): string {
  const rooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!rooted) parts.push('..');
  }
  const text = parts.join('/');
  return rooted ? `/${text}` : text === '' ? '.' : text;
}
