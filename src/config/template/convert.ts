import type { Meter } from './budget.ts';
import { isList, printValue, type Value } from './value.ts';

/** The text of a value, as sprig makes it; nil is `<nil>`. */
export const textOf = (value: Value, meter: Meter): string => (typeof value === 'string' ? value : printValue(value, meter));

/** The texts of a list, nil left out; of anything else the one text. */
export function textsOf(value: Value, meter: Meter): string[] {
  if (isList(value)) return value.filter((item) => item !== null && item !== undefined).map((item) => textOf(item, meter));
  return value === null || value === undefined ? [] : [textOf(value, meter)];
}

/** What sprig's arithmetic makes of a value: texts are read, what is no number is 0. */
export function toInt(value: Value): bigint {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'boolean':
      return value ? 1n : 0n;
    case 'number':
      return Number.isFinite(value) ? wrap(BigInt(Math.trunc(value))) : 0n;
    case 'string':
      return parseInteger(value) ?? 0n;
    default:
      return 0n;
  }
}

/** Go's 64 bits. */
export const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

/** Go's ParseInt with base 0, after a `.0`; undefined when it is none. */
function parseInteger(text: string): bigint | undefined {
  const match = /^([+-]?)(0[xX][\da-fA-F]{1,16}|0[bB][01]{1,64}|0[oO]?[0-7]{1,22}|0|[1-9]\d{0,18})(?:\.0+)?$/.exec(text);
  if (match === null) return undefined;
  const value = BigInt(match[2]!.replace(/^0[oO]?(?=[0-7])/, '0o'));
  const signed = match[1] === '-' ? -value : value;
  return wrap(signed) === signed ? signed : undefined;
}

export function toFloat(value: Value): number {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'number':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) ? Number(value) : 0;
    default:
      return 0;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** Length in bytes, as Go counts. */
export const byteLength = (text: string): number => (isAscii(text) ? text.length : encoder.encode(text).length);

/** From byte to byte; half a character becomes U+FFFD. */
export const sliceBytes = (text: string, start: number, end?: number): string =>
  isAscii(text) ? text.slice(start, end) : decoder.decode(encoder.encode(text).slice(start, end));
