import type { Meter } from './budget.ts';
import { Dict, exponentForm, isList, printFloat, printValue, typeName, type Value } from './value.ts';

const DIRECTIVE = /%([-+# 0]*)(\*|\d{1,9})?(?:\.(\*|\d{0,9}))?(.)?/gsu;
/** Deeper data is cut off. */
const MAX_DEPTH = 100;
/** Wider fields are cut: a template must not fill memory with blanks. */
const MAX_WIDTH = 1_000_000;

interface Form {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** Go's Sprintf for the verbs v s d t q f F e g x X o b c U T and %%. What does not fit is told in the text, as Go does. */
export function sprintf(format: string, args: readonly Value[], meter: Meter): string {
  let index = 0;
  const number = (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    const value = text === '*' ? Number(args[index++] ?? 0) : Number(text);
    return Math.min(Math.abs(value), MAX_WIDTH);
  };
  const text = format.replaceAll(DIRECTIVE, (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (verb === undefined) return '%!(NOVERB)';
    const form = { flags, width: number(width), precision: number(precision), verb };
    if (index >= args.length) return `%!${verb}(MISSING)`;
    return pad(formatOne(args[index++], form, meter), form, meter);
  });
  const extra = args.slice(index);
  if (extra.length === 0) return text;
  return `${text}%!(EXTRA ${extra.map((arg) => (arg === null || arg === undefined ? '<nil>' : `${typeName(arg)}=${printValue(arg, meter)}`)).join(', ')})`;
}

function pad(text: string, { flags, width, verb }: Form, meter: Meter): string {
  meter.make(width ?? 0);
  const missing = (width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = 'dfFeEgGxXob'.includes(verb) ? (/^[+-]/.exec(text)?.[0] ?? '') : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function formatOne(value: Value, form: Form, meter: Meter, depth = 0): string {
  const { verb } = form;
  meter.make(1);
  if (depth > MAX_DEPTH) return '…';
  if (verb === 'T') return value === null || value === undefined ? '<nil>' : typeName(value);
  if (isList(value) && verb !== 'v') return `[${value.map((item) => formatOne(item, form, meter, depth + 1)).join(' ')}]`;
  if (value instanceof Dict && verb !== 'v')
    return `map[${value
      .sortedKeys()
      .map((key) => `${formatOne(key, form, meter)}:${formatOne(value.entries.get(key), form, meter, depth + 1)}`)
      .join(' ')}]`;
  switch (typeof value) {
    case 'bigint':
      return formatInt(value, form);
    case 'number':
      return formatFloat(value, form);
    case 'string':
      return formatText(value, form);
    case 'boolean':
      return verb === 'v' || verb === 't' ? String(value) : bad(value, verb);
    default:
      return verb === 'v' ? printValue(value, meter) : value === null || value === undefined ? `%!${verb}(<nil>)` : bad(value, verb);
  }
}

const bad = (value: Value, verb: string): string =>
  `%!${verb}(${typeName(value)}=${isList(value) || typeof value === 'object' ? '…' : String(value)})`;

function formatInt(value: bigint, { verb, flags, precision }: Form): string {
  const bases: Record<string, number> = { v: 10, d: 10, x: 16, X: 16, o: 8, b: 2 };
  const base = bases[verb];
  if (base === undefined) {
    if (verb === 'c') return String.fromCodePoint(Number(value));
    if (verb === 'q') return quoteText(String.fromCodePoint(Number(value))).replace(/^"|"$/g, "'");
    return verb === 'U' ? `U+${value.toString(16).toUpperCase().padStart(4, '0')}` : bad(value, verb);
  }
  const digits = (value < 0n ? -value : value).toString(base).padStart(precision ?? 0, '0');
  const prefix = flags.includes('#') ? ({ x: '0x', X: '0X', o: '0', b: '0b' }[verb] ?? '') : '';
  const sign = value < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  return sign + prefix + (verb === 'X' ? digits.toUpperCase() : digits);
}

function formatFloat(value: number, { verb, flags, precision }: Form): string {
  const sign = flags.includes('+') && value >= 0 ? '+' : flags.includes(' ') && value >= 0 ? ' ' : '';
  switch (verb) {
    case 'f':
    case 'F':
      return sign + fixedText(value, Math.min(precision ?? 6, 100));
    case 'e':
    case 'E': {
      const text = exponentForm(value.toExponential(Math.min(precision ?? 6, 100)));
      return sign + (verb === 'E' ? text.toUpperCase() : text);
    }
    case 'g':
    case 'G':
    case 'v':
      return sign + printFloat(value, precision === undefined ? undefined : Math.min(precision, 100));
    default:
      return bad(value, verb);
  }
}

/** toFixed, which writes an exponent from 1e21 on. */
const fixedText = (value: number, digits: number): string =>
  Math.abs(value) < 1e21 || !Number.isFinite(value)
    ? value.toFixed(digits)
    : `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;

function formatText(value: string, { verb, flags, precision }: Form): string {
  const text = precision === undefined ? value : [...value].slice(0, precision).join('');
  switch (verb) {
    case 's':
    case 'v':
      return verb === 'v' && flags.includes('#') ? quoteText(text) : text;
    case 'q':
      return flags.includes('#') && !text.includes('`') ? `\`${text}\`` : quoteText(text);
    case 'x':
    case 'X': {
      const hex = [...new TextEncoder().encode(text)]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(flags.includes(' ') ? ' ' : '');
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    default:
      return bad(value, verb);
  }
}

const SHORT: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Go's Quote: what cannot be printed is escaped. */
export function quoteText(text: string): string {
  let result = '"';
  for (const char of text) {
    const short = SHORT[char];
    if (short !== undefined) result += short;
    else if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)) result += char;
    else {
      const code = char.codePointAt(0)!;
      const digits = code.toString(16);
      result +=
        code < 0x80 ? `\\x${digits.padStart(2, '0')}` : code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
    }
  }
  return `${result}"`;
}

/** Go's Sprint: a blank between two values of which neither is a text. */
export function sprint(args: readonly Value[], meter: Meter): string {
  let text = '';
  args.forEach((arg, index) => {
    if (index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string') text += ' ';
    text += printValue(arg, meter);
  });
  return text;
}
