import { parseDuration } from './duration.ts';
import { nearest } from './errors.ts';
import { fail, type Reading, warn } from './reading.ts';
import type { Schema } from './schema.ts';

/** The text of a node that also has children (`tls=true` beside `tls.options=x`), in trees made of flat keys. */
export const OWN_TEXT = Symbol('own text');

type Tree = Record<string, unknown> & { readonly [OWN_TEXT]?: string };

/** A node with names below it; dates of TOML are none. */
export const isTree = (input: unknown): input is Tree =>
  typeof input === 'object' && input !== null && !Array.isArray(input) && !(input instanceof Date);

/** How many names stand below the node; those without anything behind them do not count. */
export function childrenOf(input: unknown): number {
  if (!isTree(input)) return 0;
  let count = 0;
  for (const key in input) if (input[key] !== null && input[key] !== undefined) count++;
  return count;
}

/** The text of a scalar, or of a node beside its children; empty for the rest. */
export const textOf = (input: unknown): string => scalarText(input) ?? '';

/** The text of a scalar; undefined for lists and objects. Floats get six decimals, as Traefik prints them on their way through text. */
export function scalarText(input: unknown): string | undefined {
  switch (typeof input) {
    case 'string':
      return input;
    case 'number':
      return numberText(input);
    case 'boolean':
    case 'bigint':
      return String(input);
    default:
      return isTree(input) ? input[OWN_TEXT] : undefined;
  }
}

function numberText(input: number): string {
  if (Number.isSafeInteger(input)) return Object.is(input, -0) ? '-0' : String(input);
  if (Number.isInteger(input)) return BigInt(input).toString();
  if (Number.isFinite(input)) return input.toFixed(6).replace(/\.000000$/, '');
  return Number.isNaN(input) ? 'NaN' : input > 0 ? '+Inf' : '-Inf';
}

/** The value as it may be printed. */
export const showValue = (schema: Schema, input: unknown): string =>
  schema.secret ? '***' : `'${(scalarText(input) ?? JSON.stringify(input) ?? '').slice(0, 120)}'`;

/** A text, boolean, number or duration. */
export function readScalar(schema: Schema, input: unknown, reading: Reading): unknown {
  if (childrenOf(input) > 0) return fail(reading, 'bad-value', `is a ${schema.kind} and has no options below it`);
  if (Array.isArray(input)) return fail(reading, 'bad-value', `is a ${schema.kind}, not a list`);
  if (input instanceof Date) return fail(reading, 'bad-value', 'is a date; put it into quotes');
  if (reading.passing > 0) return undefined;
  const text = textOf(input);
  switch (schema.kind) {
    case 'boolean':
      return readBoolean(schema, text, reading);
    case 'integer':
      return readInteger(schema, text, reading);
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
        ? Number(text)
        : fail(reading, 'bad-value', `${showValue(schema, text)} is no number`);
    case 'duration':
      return (
        parseDuration(text) ??
        fail(reading, 'bad-value', `${showValue(schema, text)} is no duration; write '10s', '1m30s' or a number of seconds`)
      );
    default:
      return readText(schema, text, reading);
  }
}

function readText(schema: Schema, text: string, reading: Reading): unknown {
  if (schema.values === undefined || text === '' || schema.values.includes(text)) return text;
  const near = nearest(text, schema.values);
  const message = `${showValue(schema, text)} is not one of ${schema.values.join(', ')}${near === undefined ? '' : `; did you mean '${near}'?`}`;
  if (!schema.open) return fail(reading, 'bad-value', message);
  warn(reading, 'odd-value', message);
  return text;
}

/** Go's ParseBool. */
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

function readBoolean(schema: Schema, text: string, reading: Reading): unknown {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  return fail(reading, 'bad-value', `${showValue(schema, text)} is no boolean; write true or false`);
}

function readInteger(schema: Schema, text: string, reading: Reading): unknown {
  if (!/^[+-]?\d+$/.test(text)) return fail(reading, 'bad-value', `${showValue(schema, text)} is no whole number`);
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value + 0;
  // 19 digits are enough for 64 bits; a longer text must not cost a BigInt of its length.
  const digits = text.replace(/^([+-]?)0+(?=\d)/, '$1');
  const big = digits.length > 20 ? undefined : BigInt(digits.replace(/^\+/, ''));
  if (big !== undefined && BigInt.asIntN(64, big) === big) return big;
  return fail(reading, 'bad-value', `${showValue(schema, text)} does not fit into 64 bits`);
}
