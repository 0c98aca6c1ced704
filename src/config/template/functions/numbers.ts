import { ITEM_SIZE } from '../budget.ts';
import { textOf, toFloat, toInt, wrap } from '../convert.ts';
import { TemplateError } from '../error.ts';
import { type FunctionContext, fixed, type TemplateFunction, variadic } from '../function.ts';
import type { Value } from '../value.ts';

const largest = variadic(['any'], 'any', ([first], more) => more.map(toInt).reduce((a, b) => larger(a, b), toInt(first)));
const floats = (operate: (a: number, b: number) => number): TemplateFunction =>
  variadic(['any'], 'any', ([first], more) => more.map(toFloat).reduce((a, b) => operate(a, b), toFloat(first)));

/** Digits behind the point. */
const places = (value: number): number => /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0;
/** Sprig reckons in decimals: 0.1 + 0.2 is 0.3. */
const rounded = (value: number, digits: number): number => (Math.abs(value) < 1e15 ? Number(value.toFixed(Math.min(digits, 100))) : value);
const sum = (a: number, b: number): number => rounded(a + b, Math.max(places(a), places(b)));
/** Sprig's quotients have so many digits behind the point. */
const QUOTIENT_PLACES = 16;

/** Number functions of sprig. Whole numbers have 64 bits. */
export const NUMBERS: Readonly<Record<string, TemplateFunction>> = {
  int: fixed(['any'], ([value]) => toInt(value)),
  int64: fixed(['any'], ([value]) => toInt(value)),
  float64: fixed(['any'], ([value]) => toFloat(value)),
  atoi: fixed(['text'], ([text]) => (/^[+-]?\d{1,19}$/.test(text) ? wrap(BigInt(text.replace(/^\+/, ''))) : 0n)),
  toDecimal: fixed(['any'], ([value], { budget }) => {
    const digits = textOf(value, budget);
    return /^[0-7]{1,21}$/.test(digits) ? BigInt(`0o${digits}`) : 0n;
  }),
  add1: fixed(['any'], ([value]) => wrap(toInt(value) + 1n)),
  add: variadic([], 'any', (_, values) => wrap(values.map(toInt).reduce((a, b) => wrap(a + b), 0n))),
  sub: fixed(['any', 'any'], ([a, b]) => wrap(toInt(a) - toInt(b))),
  mul: variadic(['any'], 'any', ([first], more) => more.map(toInt).reduce((a, b) => wrap(a * b), toInt(first))),
  div: fixed(['any', 'any'], ([a, b]) => wrap(toInt(a) / divisor(b))),
  mod: fixed(['any', 'any'], ([a, b]) => toInt(a) % divisor(b)),
  max: largest,
  biggest: largest,
  min: variadic(['any'], 'any', ([first], more) => more.map(toInt).reduce((a, b) => -larger(-a, -b), toInt(first))),
  maxf: floats(Math.max),
  minf: floats(Math.min),
  add1f: fixed(['any'], ([value]) => sum(toFloat(value), 1)),
  addf: variadic([], 'any', (_, values) => values.map(toFloat).reduce((a, b) => sum(a, b), 0)),
  subf: floats((a, b) => sum(a, -b)),
  mulf: floats((a, b) => rounded(a * b, places(a) + places(b))),
  divf: floats((a, b) => {
    if (b === 0) throw new TemplateError('0 divides nothing');
    return rounded(a / b, QUOTIENT_PLACES);
  }),
  floor: fixed(['any'], ([value]) => Math.floor(toFloat(value))),
  ceil: fixed(['any'], ([value]) => Math.ceil(toFloat(value))),
  round: variadic(['any', 'int'], 'float', ([value, places], [from = 0.5]) => {
    const power = 10 ** Number(places);
    const scaled = toFloat(value) * power;
    return (scaled - Math.trunc(scaled) >= Number(from) ? Math.ceil(scaled) : Math.floor(scaled)) / power;
  }),
  until: fixed(['int'], ([count], { budget }) => steps(0n, count, count < 0n ? -1n : 1n, budget)),
  untilStep: fixed(['int', 'int', 'int'], ([start, stop, step], { budget }) => steps(start, stop, step, budget)),
  seq: variadic([], 'int', (_, values, { budget }) => sequence(values, budget)),
};

function divisor(value: Value): bigint {
  const number = toInt(value);
  if (number === 0n) throw new TemplateError('0 divides nothing');
  return number;
}

function steps(start: bigint, stop: bigint, step: bigint, budget: FunctionContext['budget']): bigint[] {
  if (stop < start ? step >= 0n : step <= 0n) return [];
  const distance = stop < start ? start - stop : stop - start;
  const size = step < 0n ? -step : step;
  budget.make(Number((distance + size - 1n) / size) * ITEM_SIZE);
  const result: bigint[] = [];
  for (let value = start; step > 0n ? value < stop : value > stop; value += step) result.push(value);
  return result;
}

function sequence(values: readonly bigint[], budget: FunctionContext['budget']): string {
  if (values.length === 0 || values.length > 3) return '';
  const start = values.length === 1 ? 1n : values[0]!;
  const end = values.at(-1)!;
  const direction = end < start ? -1n : 1n;
  const step = values.length === 3 ? values[1]! : direction;
  if (values.length === 3 && direction === -1n && step > 0n) return '';
  return steps(start, end + direction, step, budget).join(' ');
}

function larger(a: bigint, b: bigint): bigint {
  return a < b ? b : a;
}
