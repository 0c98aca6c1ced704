import type { Meter } from './budget.ts';
import { TemplateError } from './error.ts';
import { Dict, exponentForm, isList, Struct, toValue, type Value } from './value.ts';

const MAX_DEPTH = 100;

interface Style {
  readonly escapeHtml?: boolean;
  readonly indent?: string;
}

/** Go's json.Marshal: names sorted, `<`, `>`, `&` escaped on demand. */
export function writeJson(value: Value, style: Style, meter: Meter, depth = 0): string {
  meter.make(typeof value === 'string' ? value.length : 1 + depth);
  if (depth > MAX_DEPTH) throw new TemplateError('the value is nested too deeply', undefined, true);
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return writeText(value, style);
  if (typeof value === 'number') return writeNumber(value);
  if (typeof value !== 'object') return String(value);
  const line = style.indent === undefined ? '' : `\n${style.indent.repeat(depth + 1)}`;
  const close = style.indent === undefined ? '' : `\n${style.indent.repeat(depth)}`;
  if (isList(value)) {
    if (value.length === 0) return '[]';
    return `[${value.map((item) => line + writeJson(item, style, meter, depth + 1)).join(',')}${close}]`;
  }
  const entries = [
    ...(value instanceof Struct ? value.fields : new Map(value.sortedKeys().map((key) => [key, value.entries.get(key)] as const))),
  ];
  if (entries.length === 0) return '{}';
  const colon = style.indent === undefined ? ':' : ': ';
  return `{${entries.map(([key, item]) => `${line}${writeText(key, style)}${colon}${writeJson(item, style, meter, depth + 1)}`).join(',')}${close}}`;
}

function writeText(text: string, { escapeHtml }: Style): string {
  const json = JSON.stringify(text.toWellFormed()).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  return escapeHtml ? json.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`) : json;
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TemplateError(`${value} has no form in JSON`);
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-6 || magnitude >= 1e21)) return exponentForm(value.toExponential()).replace(/e-0/, 'e-');
  return String(value);
}

/** Undefined when the text is no JSON. Numbers are floats, as in Go. */
export function readJson(text: string): Value {
  try {
    return fromParsed(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function fromParsed(value: unknown, depth = 0): Value {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deeply');
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map((item) => fromParsed(item, depth + 1));
  if (typeof value === 'object' && value !== null)
    return new Dict(Object.entries(value).map(([key, item]) => [key, fromParsed(item, depth + 1)] as const));
  return toValue(value);
}
