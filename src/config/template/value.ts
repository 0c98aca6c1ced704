import type { Meter } from './budget.ts';

/**
 * What a template handles. Go's ints are bigint, its floats number; undefined is the value of what does not exist (`<no value>`),
 * null Go's nil.
 */
export type Value = undefined | null | boolean | bigint | number | string | readonly Value[] | Dict | Struct;

/** A Go map with text keys. */
export class Dict {
  readonly entries: Map<string, Value>;
  /** What `index` gives for a key that is not there: '' in a map of texts. */
  readonly zero: Value;
  constructor(entries: Iterable<readonly [string, Value]> = [], zero: Value = null) {
    this.entries = new Map(entries);
    this.zero = zero;
  }
  /** Keys in the order in which Go prints and ranges. */
  sortedKeys(): string[] {
    return [...this.entries.keys()].sort();
  }
}

/** A Go struct: asking for a field that it lacks is an error. */
export class Struct {
  readonly fields: ReadonlyMap<string, Value>;
  constructor(fields: Iterable<readonly [string, Value]>) {
    this.fields = new Map(fields);
  }
}

/** Data from outside: a plain object is a struct, those below it and Maps are maps, whole numbers ints. */
export function toValue(data: unknown, depth = 0): Value {
  if (typeof data === 'number') return Number.isInteger(data) ? BigInt(data) : data;
  if (typeof data !== 'object' || data === null) return data as Value;
  if (Array.isArray(data)) return data.map((item) => toValue(item, depth + 1));
  const entries = [...(data instanceof Map ? data : Object.entries(data))].map(
    ([key, value]) => [String(key), toValue(value, depth + 1)] as const,
  );
  if (depth === 0 && !(data instanceof Map)) return new Struct(entries);
  return new Dict(entries, entries.every(([, value]) => typeof value === 'string') ? '' : null);
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** Go's truth: false are false, 0, nil, and what is empty. */
export function truth(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (value instanceof Dict) return value.entries.size > 0;
  if (value instanceof Struct) return true;
  return Boolean(value);
}

/** The name of the Go type, for messages and `typeOf`. */
export function typeName(value: Value): string {
  if (value === undefined || value === null) return 'nil';
  if (isList(value)) return '[]interface {}';
  if (value instanceof Dict) return `map[string]${value.zero === '' ? 'string' : 'interface {}'}`;
  if (value instanceof Struct) return 'struct';
  return { boolean: 'bool', bigint: 'int', number: 'float64', string: 'string' }[typeof value as 'boolean'];
}

/** Deeper data is cut off when it is printed or compared. */
const MAX_DEPTH = 100;
/** What it costs to print one node, measured against a character. */
const NODE_SIZE = 32;

/** Go's `%v`. */
export function printValue(value: Value, meter: Meter, depth = 0): string {
  if (depth > MAX_DEPTH) return '…';
  meter.make(typeof value === 'string' ? value.length : NODE_SIZE);
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'number') return printFloat(value);
  if (isList(value)) return `[${value.map((item) => printValue(item, meter, depth + 1)).join(' ')}]`;
  if (value instanceof Dict)
    return `map[${value
      .sortedKeys()
      .map((key) => `${key}:${printValue(value.entries.get(key), meter, depth + 1)}`)
      .join(' ')}]`;
  if (value instanceof Struct) return `{${[...value.fields.values()].map((item) => printValue(item, meter, depth + 1)).join(' ')}}`;
  return String(value);
}

/** Go's `%g`: the shortest text that reads back, or so many digits; with an exponent below -4, and from 6 or `digits` on. */
export function printFloat(value: number, digits?: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [mantissa, exponent] = value.toExponential(digits === undefined ? undefined : Math.max(digits, 1) - 1).split('e') as [
    string,
    string,
  ];
  const power = Number(exponent);
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  const sign = Object.is(value, -0) ? '-' : '';
  if (power < -4 || power >= (digits ?? SHORTEST_DIGITS)) return `${sign}${exponentForm(`${short}e${exponent}`)}`;
  return sign + Number(`${short}e${exponent}`).toFixed(Math.max(0, short.replace(/^-?\d\.?/, '').length - power));
}

/** From this power of ten on Go's shortest form has an exponent. */
const SHORTEST_DIGITS = 6;

/** Go writes at least two digits of an exponent. */
export const exponentForm = (text: string): string => text.replace(/e([+-])(\d)$/, 'e$10$2');

/** Go's reflect.DeepEqual, as far as there are types here. */
export function deepEqual(a: Value, b: Value, meter: Meter, depth = 0): boolean {
  meter.make(1);
  if (depth > MAX_DEPTH) return false;
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, index) => deepEqual(item, b[index], meter, depth + 1));
  if (a instanceof Dict && b instanceof Dict)
    return (
      a.entries.size === b.entries.size &&
      [...a.entries].every(([key, item]) => b.entries.has(key) && deepEqual(item, b.entries.get(key), meter, depth + 1))
    );
  return (a ?? null) === (b ?? null);
}
