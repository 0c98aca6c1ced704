import { TemplateError } from './error.ts';

const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', "'": "'", '"': '"' };

/** The text of a Go string literal, quoted or raw. Throws TemplateError. */
export function unquote(literal: string, offset: number): string {
  const inner = literal.slice(1, -1);
  if (literal[0] === '`') return inner.replaceAll('\r', '');
  return inner.includes('\\') ? unescapeText(inner, literal[0]!, offset) : inner;
}

/** `\xff` and `\377` are bytes, which may make a character together. */
function unescapeText(text: string, quote: string, offset: number): string {
  let result = '';
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) result += new TextDecoder().decode(Uint8Array.from(bytes));
    bytes = [];
  };
  for (const [whole, byte, octal, short, long, simple] of text.matchAll(
    /\\(?:x([\da-fA-F]{2})|([0-3][0-7]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))|[^\\]+/gsu,
  )) {
    if (byte !== undefined || octal !== undefined) {
      bytes.push(byte === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(byte, 16));
      continue;
    }
    flush();
    const code = Number.parseInt(short ?? long ?? '0', 16);
    if (short !== undefined || long !== undefined) {
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new TemplateError(`'${whole}' is no character`, offset);
      result += String.fromCodePoint(code);
    } else if (simple !== undefined) {
      const char = ESCAPES[simple];
      if (char === undefined || (char !== quote && (char === "'" || char === '"')))
        throw new TemplateError(`'${whole}' is no escape`, offset);
      result += char;
    } else result += whole;
  }
  flush();
  return result;
}

/** The code point of `'a'`, which is an int in Go. */
export function readCharacter(literal: string, offset: number): bigint {
  const text = unquote(literal, offset);
  if ([...text].length !== 1) throw new TemplateError(`${literal} is no single character`, offset);
  return BigInt(text.codePointAt(0)!);
}

/** Go's number literals: bigint for ints, number for floats. Throws TemplateError. */
export function readNumber(literal: string, offset: number): bigint | number {
  const bad = new TemplateError(`'${literal}' is no number`, offset);
  if (literal.endsWith('i')) throw new TemplateError(`'${literal}' is a complex number, which is not supported`, offset);
  if (/(^|[^\da-fA-FxXoObB])_|__|_$|_[.eEpP]|[.]_/.test(literal.replace(/^[+-]/, ''))) throw bad;
  const text = literal.replaceAll('_', '');
  if (/^[+-]?(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.test(text)) {
    const negative = text[0] === '-';
    const digits = text.replace(/^[+-]/, '').replace(/^0[oO]?(?=[0-7])/, '0o');
    const value = BigInt(digits);
    const signed = negative ? -value : value;
    if (BigInt.asIntN(64, signed) !== signed) throw new TemplateError(`'${literal}' does not fit into 64 bits`, offset);
    return signed;
  }
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) && /[.eE]/.test(text)) return Number(text);
  throw bad;
}
