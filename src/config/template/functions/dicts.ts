import { ITEM_SIZE, type Meter } from '../budget.ts';
import { textOf } from '../convert.ts';
import { TemplateError } from '../error.ts';
import { fixed, type TemplateFunction, variadic } from '../function.ts';
import { Dict, deepEqual, isList, Struct, truth, typeName, type Value } from '../value.ts';

/** Copies go no deeper. */
const MAX_DEPTH = 100;

const merge = variadic(['dict'], 'dict', ([target], sources, { budget }) => {
  for (const source of sources) mergeInto(target, source, false, budget);
  return target;
});
const mergeOverwrite = variadic(['dict'], 'dict', ([target], sources, { budget }) => {
  for (const source of sources) mergeInto(target, source, true, budget);
  return target;
});
const deepCopy = fixed(['any'], ([value], { budget }) => copy(value, budget));

/** Dict and default functions of sprig. */
export const DICTS: Readonly<Record<string, TemplateFunction>> = {
  dict: variadic([], 'any', (_, args, { budget }) => {
    const entries: [string, Value][] = [];
    for (let index = 0; index < args.length; index += 2)
      entries.push([textOf(args[index], budget), index + 1 < args.length ? args[index + 1] : '']);
    return new Dict(entries);
  }),
  get: fixed(['dict', 'text'], ([dict, key]) => (dict.entries.has(key) ? dict.entries.get(key) : '')),
  set: fixed(['dict', 'text', 'any'], ([dict, key, value]) => {
    dict.entries.set(key, value);
    return dict;
  }),
  unset: fixed(['dict', 'text'], ([dict, key]) => {
    dict.entries.delete(key);
    return dict;
  }),
  hasKey: fixed(['dict', 'text'], ([dict, key]) => dict.entries.has(key)),
  pluck: variadic(['text'], 'dict', ([key], dicts) => dicts.filter((dict) => dict.entries.has(key)).map((dict) => dict.entries.get(key))),
  keys: variadic([], 'dict', (_, dicts) => dicts.flatMap((dict) => dict.sortedKeys())),
  values: fixed(['dict'], ([dict]) => dict.sortedKeys().map((key) => dict.entries.get(key))),
  pick: variadic(['dict'], 'text', ([dict], keys) => new Dict([...dict.entries].filter(([key]) => keys.includes(key)))),
  omit: variadic(['dict'], 'text', ([dict], keys) => new Dict([...dict.entries].filter(([key]) => !keys.includes(key)))),
  merge,
  mustMerge: merge,
  mergeOverwrite,
  mustMergeOverwrite: mergeOverwrite,
  dig: variadic(['any', 'any', 'any'], 'any', (fixedArgs, more) => dig([...fixedArgs, ...more])),
  deepCopy,
  mustDeepCopy: deepCopy,
  deepEqual: fixed(['any', 'any'], ([a, b], { budget }) => deepEqual(a, b, budget)),
  default: variadic(['any'], 'any', ([fallback], given) => (truth(given[0]) ? given[0] : fallback)),
  empty: fixed(['any'], ([value]) => !truth(value)),
  coalesce: variadic([], 'any', (_, values) => values.find(truth) ?? null),
  all: variadic([], 'any', (_, values) => values.every(truth)),
  any: variadic([], 'any', (_, values) => values.some(truth)),
  ternary: fixed(['any', 'any', 'bool'], ([yes, no, condition]) => (condition ? yes : no)),
  typeOf: fixed(['any'], ([value]) => (value === null || value === undefined ? '<nil>' : typeName(value))),
  typeIs: fixed(['text', 'any'], ([name, value]) => name === typeName(value)),
  typeIsLike: fixed(['text', 'any'], ([name, value]) => name === typeName(value)),
  kindOf: fixed(['any'], ([value]) => kindOf(value)),
  kindIs: fixed(['text', 'any'], ([name, value]) => name === kindOf(value)),
};

function kindOf(value: Value): string {
  if (value === null || value === undefined) return 'invalid';
  if (isList(value)) return 'slice';
  if (value instanceof Dict) return 'map';
  return value instanceof Struct ? 'struct' : typeName(value);
}

/** Empty values count as absent, as in sprig. */
function mergeInto(target: Dict, source: Dict, overwrite: boolean, meter: Meter, depth = 0): void {
  meter.make(source.entries.size);
  if (depth > MAX_DEPTH) throw new TemplateError('the dicts are nested too deeply', undefined, true);
  for (const [key, value] of source.entries) {
    const before = target.entries.get(key);
    if (before instanceof Dict && value instanceof Dict && before !== value) mergeInto(before, value, overwrite, meter, depth + 1);
    else if (overwrite ? truth(value) || !target.entries.has(key) : !truth(before)) target.entries.set(key, value);
  }
}

function dig(args: readonly Value[]): Value {
  const fallback = args.at(-2);
  let value: Value = args.at(-1);
  for (const key of args.slice(0, -2)) {
    if (typeof key !== 'string' || !(value instanceof Dict)) throw new TemplateError('dig wants texts, a default and a dict');
    if (!value.entries.has(key)) return fallback;
    value = value.entries.get(key);
  }
  return value;
}

function copy(value: Value, meter: Meter, depth = 0): Value {
  meter.make(ITEM_SIZE);
  if (depth > MAX_DEPTH) throw new TemplateError('the value is nested too deeply', undefined, true);
  if (isList(value)) return value.map((item) => copy(item, meter, depth + 1));
  if (value instanceof Dict)
    return new Dict(
      [...value.entries].map(([key, item]) => [key, copy(item, meter, depth + 1)] as const),
      value.zero,
    );
  return value;
}
