import { byteLength, sliceBytes, textOf, textsOf } from '../convert.ts';
import { TemplateError } from '../error.ts';
import { type FunctionContext, fixed, type TemplateFunction, variadic } from '../function.ts';
import { quoteText } from '../printf.ts';
import { Dict, printValue } from '../value.ts';

/** Text functions of sprig, and `normalize` and `split` as Traefik has them. */
export const TEXT: Readonly<Record<string, TemplateFunction>> = {
  trim: fixed(['text'], ([text]) => text.trim()),
  trimAll: fixed(['text', 'text'], ([cut, text]) => trimSet(text, cut)),
  trimall: fixed(['text', 'text'], ([cut, text]) => trimSet(text, cut)),
  trimSuffix: fixed(['text', 'text'], ([suffix, text]) => (suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text)),
  trimPrefix: fixed(['text', 'text'], ([prefix, text]) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  upper: fixed(['text'], ([text]) => upper(text)),
  lower: fixed(['text'], ([text]) => lower(text)),
  title: fixed(['text'], ([text]) => text.replace(/(?<![\p{L}\p{N}_])\p{L}/gu, upper)),
  untitle: fixed(['text'], ([text]) => text.replace(/(?<!\S)\S/gu, lower)),
  swapcase: fixed(['text'], ([text]) =>
    [...text].map((char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase())).join(''),
  ),
  repeat: fixed(['int', 'text'], ([count, text], { budget }) => repeat(text, Number(count), budget)),
  substr: fixed(['int', 'int', 'text'], ([start, end, text]) => substring(text, Number(start), Number(end))),
  trunc: fixed(['int', 'text'], ([length, text]) => truncate(text, Number(length))),
  abbrev: fixed(['int', 'text'], ([width, text]) => abbreviate(text, Number(width))),
  nospace: fixed(['text'], ([text]) => text.replace(/\s/g, '')),
  initials: fixed(['text'], ([text]) => [...text.matchAll(/(?<!\S)\S/gu)].map(([letter]) => letter).join('')),
  contains: fixed(['text', 'text'], ([part, text]) => text.includes(part)),
  hasPrefix: fixed(['text', 'text'], ([prefix, text]) => text.startsWith(prefix)),
  hasSuffix: fixed(['text', 'text'], ([suffix, text]) => text.endsWith(suffix)),
  quote: variadic([], 'any', (_, args, { budget }) =>
    present(args)
      .map((arg) => quoteText(textOf(arg, budget)))
      .join(' '),
  ),
  squote: variadic([], 'any', (_, args, { budget }) =>
    present(args)
      .map((arg) => `'${printValue(arg, budget)}'`)
      .join(' '),
  ),
  cat: variadic([], 'any', (_, args, { budget }) =>
    present(args)
      .map((arg) => printValue(arg, budget))
      .join(' '),
  ),
  indent: fixed(['int', 'text'], ([spaces, text], { budget }) => indent(text, Number(spaces), budget)),
  nindent: fixed(['int', 'text'], ([spaces, text], { budget }) => `\n${indent(text, Number(spaces), budget)}`),
  replace: fixed(['text', 'text', 'text'], ([old, fresh, text], { budget }) => replaceAll(text, old, fresh, budget)),
  plural: fixed(['text', 'text', 'int'], ([one, many, count]) => (count === 1n ? one : many)),
  toString: fixed(['any'], ([value], { budget }) => textOf(value, budget)),
  toStrings: fixed(['any'], ([value], { budget }) => textsOf(value, budget)),
  join: fixed(['text', 'any'], ([separator, value], { budget }) => {
    const texts = textsOf(value, budget);
    budget.make(separator.length * texts.length);
    return texts.join(separator);
  }),
  split: fixed(['text', 'text'], ([text, separator]) => splitText(text, separator)),
  splitList: fixed(['text', 'text'], ([separator, text]) => splitText(text, separator)),
  splitn: fixed(['text', 'int', 'text'], ([separator, count, text]) => {
    const parts = splitAtMost(text, separator, Number(count));
    return new Dict(
      parts.map((part, index) => [`_${index}`, part] as const),
      '',
    );
  }),
  normalize: fixed(['text'], ([text]) =>
    text
      .split(/[^\p{L}\p{N}]+/u)
      .filter((part) => part !== '')
      .join('-'),
  ),
  snakecase: fixed(['text'], ([text]) => words(text).join('_')),
  kebabcase: fixed(['text'], ([text]) => words(text).join('-')),
  env: fixed(['text'], ([name], { environment }) => environment[name] ?? ''),
  expandenv: fixed(['text'], ([text], { environment }) =>
    text.replace(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (_, braced: string | undefined, bare: string | undefined) => environment[(braced ?? bare)!] ?? '',
    ),
  ),
  fail: fixed(['text'], ([message]) => {
    throw new TemplateError(message);
  }),
};

/** Letter by letter, as Go does: what would become two letters stays. */
const mapLetters = (text: string, change: (letter: string) => string): string =>
  text.replace(/\P{ASCII}/gu, (letter) => ([...change(letter)].length === 1 ? change(letter) : letter));
const upper = (text: string): string => mapLetters(text, (letter) => letter.toUpperCase()).replace(/[a-z]+/g, (word) => word.toUpperCase());
const lower = (text: string): string => mapLetters(text, (letter) => letter.toLowerCase()).replace(/[A-Z]+/g, (word) => word.toLowerCase());

type Budget = FunctionContext['budget'];

const present = <T>(args: readonly T[]): T[] => args.filter((arg) => arg !== null && arg !== undefined);

function trimSet(text: string, cut: string): string {
  const set = new Set(cut);
  const chars = [...text];
  let start = 0;
  let end = chars.length;
  while (start < end && set.has(chars[start]!)) start++;
  while (end > start && set.has(chars[end - 1]!)) end--;
  return chars.slice(start, end).join('');
}

function repeat(text: string, count: number, budget: Budget): string {
  if (count < 0) throw new TemplateError(`${count} is no number of times`);
  budget.make(text.length * count);
  return text.repeat(count);
}

function indent(text: string, spaces: number, budget: Budget): string {
  if (spaces < 0) throw new TemplateError(`${spaces} is no number of blanks`);
  budget.make(spaces * text.split('\n').length);
  const pad = ' '.repeat(spaces);
  return pad + text.replaceAll('\n', `\n${pad}`);
}

function replaceAll(text: string, old: string, fresh: string, budget: Budget): string {
  const parts = old === '' ? ['', ...text, ''] : text.split(old);
  budget.make(parts.length * fresh.length);
  return parts.join(fresh);
}

/** Go's Split: an empty separator splits into characters. */
function splitText(text: string, separator: string): string[] {
  return separator === '' ? [...text] : text.split(separator);
}

function splitAtMost(text: string, separator: string, count: number): string[] {
  if (count === 0) return [];
  const parts = splitText(text, separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

function substring(text: string, start: number, end: number): string {
  const length = byteLength(text);
  const outside = (position: number): boolean => position < 0 || position > length;
  const from = Math.max(start, 0);
  const to = start >= 0 && (end < 0 || end > length) ? length : end;
  if (outside(from) || outside(to) || from > to) throw new TemplateError(`there is nothing from ${start} to ${end} in ${length} bytes`);
  return sliceBytes(text, from, to);
}

function truncate(text: string, length: number): string {
  const bytes = byteLength(text);
  if (length < 0 && bytes + length > 0) return sliceBytes(text, bytes + length);
  return length >= 0 && bytes > length ? sliceBytes(text, 0, length) : text;
}

function abbreviate(text: string, width: number): string {
  return width < 4 || byteLength(text) <= width ? text : `${sliceBytes(text, 0, width - 3)}...`;
}

/** The words of an identifier, in small letters. */
const words = (text: string): string[] =>
  (text.match(/\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lu}+|\p{N}+/gu) ?? []).map((word) => word.toLowerCase());
