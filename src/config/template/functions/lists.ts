import { textsOf, toInt } from '../convert.ts';
import { TemplateError } from '../error.ts';
import { fixed, type TemplateFunction, variadic } from '../function.ts';
import { deepEqual, isList, truth, type Value } from '../value.ts';

const list = variadic([], 'any', (_, items) => items);
const append = fixed(['list', 'any'], ([items, item]) => [...items, item]);
const prepend = fixed(['list', 'any'], ([items, item]) => [item, ...items]);
const first = fixed(['list'], ([items]) => items[0] ?? null);
const last = fixed(['list'], ([items]) => items.at(-1) ?? null);
const rest = fixed(['list'], ([items]) => items.slice(1));
const initial = fixed(['list'], ([items]) => items.slice(0, -1));
const reverse = fixed(['list'], ([items]) => items.toReversed());
const compact = fixed(['list'], ([items]) => items.filter(truth));
const uniq = fixed(['list'], ([items], { budget }) => {
  const found: Value[] = [];
  const scalars = new Set<Value>();
  for (const item of items) {
    if (typeof item !== 'object' || item === null) {
      if (!scalars.has(item)) found.push(item);
      scalars.add(item);
    } else {
      if (!found.some((other) => deepEqual(other, item, budget))) found.push(item);
    }
  }
  return found;
});
const without = variadic(['list'], 'any', ([items], omitted, { budget }) => {
  return items.filter((item) => !omitted.some((other) => deepEqual(other, item, budget)));
});
const has = fixed(['any', 'any'], ([item, items], { budget }) => {
  if (items === null || items === undefined) return false;
  if (!isList(items)) throw new TemplateError('only a list has items');
  return items.some((other) => deepEqual(other, item, budget));
});
const slice = variadic(['list'], 'any', ([items], indexes) => {
  if (items.length === 0) return null;
  const start = Number(toInt(indexes[0] ?? 0n));
  const end = indexes.length < 2 ? items.length : Number(toInt(indexes[1]));
  if (start < 0 || end > items.length || start > end)
    throw new TemplateError(`there is nothing from ${start} to ${end} in ${items.length} items`);
  return items.slice(start, end);
});
const chunk = fixed(['int', 'list'], ([size, items]) => {
  if (size < 1n) throw new TemplateError(`${size} is no size`);
  return Array.from({ length: Math.ceil(items.length / Number(size)) }, (_, index) =>
    items.slice(index * Number(size), (index + 1) * Number(size)),
  );
});

/** List functions of sprig; `must…` are the same, as every failure ends the rendering. */
export const LISTS: Readonly<Record<string, TemplateFunction>> = {
  list,
  tuple: list,
  append,
  push: append,
  mustAppend: append,
  mustPush: append,
  prepend,
  mustPrepend: prepend,
  first,
  mustFirst: first,
  last,
  mustLast: last,
  rest,
  mustRest: rest,
  initial,
  mustInitial: initial,
  reverse,
  mustReverse: reverse,
  compact,
  mustCompact: compact,
  uniq,
  mustUniq: uniq,
  without,
  mustWithout: without,
  has,
  mustHas: has,
  slice,
  mustSlice: slice,
  chunk,
  mustChunk: chunk,
  concat: variadic([], 'list', (_, lists) => lists.flat(1)),
  sortAlpha: fixed(['any'], ([items], { budget }) => textsOf(items, budget).sort()),
};
