import type { Meter } from '../budget.ts';
import { byteLength, sliceBytes } from '../convert.ts';
import { TemplateError } from '../error.ts';
import { fixed, type TemplateFunction, variadic } from '../function.ts';
import { sprint, sprintf } from '../printf.ts';
import { Dict, isList, printValue, truth, typeName, type Value } from '../value.ts';

/** What Go's text/template has itself; `and` and `or` stop early and are the evaluator's. */
export const LANGUAGE: Readonly<Record<string, TemplateFunction>> = {
  and: variadic(['any'], 'any', ([first]) => first),
  or: variadic(['any'], 'any', ([first]) => first),
  not: fixed(['any'], ([value]) => !truth(value)),
  eq: variadic(['any', 'any'], 'any', ([value, first], more) => [first, ...more].some((other) => isEqual(value, other))),
  ne: fixed(['any', 'any'], ([a, b]) => !isEqual(a, b)),
  lt: fixed(['any', 'any'], ([a, b]) => isLess(a, b)),
  le: fixed(['any', 'any'], ([a, b]) => isLess(a, b) || isEqual(a, b)),
  gt: fixed(['any', 'any'], ([a, b]) => !isLess(a, b) && !isEqual(a, b)),
  ge: fixed(['any', 'any'], ([a, b]) => !isLess(a, b)),
  len: fixed(['any'], ([value]) => BigInt(lengthOf(value))),
  index: variadic(['any'], 'any', ([value], keys) => keys.reduce<Value>(indexInto, value)),
  print: variadic([], 'any', (_, args, { budget }) => sprint(args, budget)),
  println: variadic([], 'any', (_, args, { budget }) => `${args.map((arg) => printValue(arg, budget)).join(' ')}\n`),
  printf: variadic(['text'], 'any', ([format], args, { budget }) => sprintf(format, args, budget)),
  html: variadic([], 'any', (_, args, { budget }) => escapeHtml(joined(args, budget))),
  urlquery: variadic([], 'any', (_, args, { budget }) => escapeQuery(joined(args, budget))),
};

const joined = (args: readonly Value[], meter: Meter): string =>
  args.length === 1 && typeof args[0] === 'string' ? args[0] : sprint(args, meter);

type Kind = 'nil' | 'bool' | 'int' | 'float' | 'text' | 'other';

function kindOf(value: Value): Kind {
  if (value === null || value === undefined) return 'nil';
  return ({ boolean: 'bool', bigint: 'int', number: 'float', string: 'text' } as Record<string, Kind>)[typeof value] ?? 'other';
}

function isEqual(a: Value, b: Value): boolean {
  const kinds = [kindOf(a), kindOf(b)] as const;
  if (kinds.includes('nil')) return kinds[0] === kinds[1];
  if (kinds[0] !== kinds[1] || kinds[0] === 'other') throw new TemplateError(`${typeName(a)} cannot be compared with ${typeName(b)}`);
  return a === b;
}

function isLess(a: Value, b: Value): boolean {
  const kind = kindOf(a);
  if (kind !== kindOf(b) || !['int', 'float', 'text'].includes(kind))
    throw new TemplateError(`${typeName(a)} cannot be compared with ${typeName(b)}`);
  return (a as bigint) < (b as bigint);
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return byteLength(value);
  if (isList(value)) return value.length;
  if (value instanceof Dict) return value.entries.size;
  throw new TemplateError(`${typeName(value)} has no length`);
}

function indexInto(value: Value, key: Value): Value {
  if (value instanceof Dict) {
    if (typeof key !== 'string') throw new TemplateError(`a dict is asked by a text, not by ${typeName(key)}`);
    return value.entries.has(key) ? value.entries.get(key) : value.zero;
  }
  if (!isList(value) && typeof value !== 'string') throw new TemplateError(`${typeName(value)} has no items`);
  if (typeof key !== 'bigint') throw new TemplateError(`an item is asked by its number, not by ${typeName(key)}`);
  if (key < 0n || key >= lengthOf(value)) throw new TemplateError(`there is no item ${key} in ${lengthOf(value)}`);
  if (isList(value)) return value[Number(key)];
  return BigInt(new TextEncoder().encode(sliceBytes(value, Number(key), Number(key) + 1))[0]!);
}

const HTML: Record<string, string> = { '"': '&#34;', "'": '&#39;', '&': '&amp;', '<': '&lt;', '>': '&gt;', '\0': '\uFFFD' };
const escapeHtml = (text: string): string => text.replace(/["'&<>\0]/g, (char) => HTML[char]!);

/** Go's QueryEscape: all but letters, digits and `-_.~`; a blank is `+`. */
export const escapeQuery = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
