import { nearest } from './errors.ts';
import { readRaw } from './raw.ts';
import { type Dialect, FAILED, fail, type Problem, type Reading, type WarningCode, warn } from './reading.ts';
import { childrenOf, isTree, readScalar, showValue, textOf } from './scalars.ts';
import type { Fields, Infer, Schema } from './schema.ts';

export type { Dialect, Problem, ProblemCode, WarningCode } from './reading.ts';
export { OWN_TEXT, scalarText } from './scalars.ts';

export interface Decoded<T> {
  /** Undefined when the whole was refused. Entries of isolating maps that have problems are left out. */
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
  /** What was taken, but does not do what one would think. */
  readonly warnings: readonly Problem<WarningCode>[];
}

/**
 * Reads `input` by the schema: defaults filled in, every problem found, and nothing thrown. The rules are those of Traefik's
 * reader (paerser 0.2.2): a node has a text, children, or both; what fits neither is refused.
 */
export function decode<S extends Schema>(schema: S, input: unknown, dialect: Dialect = 'document'): Decoded<Infer<S>> {
  const reading: Reading = { dialect, problems: [], warnings: [], path: [], passing: 0 };
  const value = readEntry(schema, input, reading);
  return { value: value === FAILED ? undefined : (value as Infer<S>), problems: reading.problems, warnings: reading.warnings };
}

/** The defaults of an object schema, as `decode` would fill them into `{}`. */
export function defaultsOf<S extends Schema>(schema: S): Infer<S> {
  const result: Record<string, unknown> = {};
  for (const [name, field] of lackedFields(schema.fields ?? {})) if (field.default !== undefined) result[name] = defaultOf(field);
  return result as Infer<S>;
}

function defaultOf(schema: Schema): unknown {
  if (schema.default === undefined) return undefined;
  if (schema.kind === 'object') return { ...(defaultsOf(schema) as object), ...(schema.default as object) };
  return typeof schema.default === 'object' ? structuredClone(schema.default) : schema.default;
}

/** The value of a field. Undefined: absent after all. */
function readField(schema: Schema, input: unknown, reading: Reading): unknown {
  if (schema.kind !== 'object') return checked(schema, readNode(schema, input, reading), reading);
  if (Array.isArray(input)) return fail(reading, 'bad-value', `${wantsOptions(schema.fields!)}, not a list`);
  const text = textOf(input);
  if (!schema.presence || (schema.presence === 'not in keys' && reading.dialect === 'keys')) {
    if (childrenOf(input) > 0 || (reading.dialect === 'machine' && isTree(input))) return readEntry(schema, input, reading);
    return fail(reading, 'empty-object', emptyMessage(schema));
  }
  if (text === '' || text.toLowerCase() === 'true') return readEntry(schema, input, reading);
  if (text.toLowerCase() !== 'false') warn(reading, 'odd-value', `'${text}' switches it off; write true or false`);
  return passOver(schema, input, reading);
}

const emptyMessage = (schema: Schema): string =>
  schema.presence === 'not in keys' && optionNames(schema.fields!) === ''
    ? 'cannot be set by keys, where Traefik refuses it'
    : `wants options below it: at least one of ${optionNames(schema.fields!)}`;

/** The value of an entry of a map or list, or of the root: an object may be empty here, and its own text says nothing. */
function readEntry(schema: Schema, input: unknown, reading: Reading): unknown {
  if (schema.kind !== 'object') return checked(schema, readNode(schema, input, reading), reading);
  if (Array.isArray(input)) return fail(reading, 'bad-value', `${wantsOptions(schema.fields!)}, not a list`);
  const text = textOf(input);
  if (text !== '' && text.toLowerCase() !== 'true')
    warn(reading, 'passed-over', `${showValue(schema, text)} says nothing here; write one of ${optionNames(schema.fields!)} below it`);
  return checked(schema, readFields(schema, isTree(input) ? input : {}, reading), reading);
}

function checked(schema: Schema, value: unknown, reading: Reading): unknown {
  if (value === FAILED || value === undefined || schema.check === undefined || reading.passing > 0) return value;
  const complaint = schema.check(value as never);
  return complaint === undefined ? value : fail(reading, 'bad-value', complaint);
}

/** Looks at names and shapes only; the value is never used. */
function passOver(schema: Schema, input: unknown, reading: Reading): unknown {
  reading.passing++;
  const value = schema.kind === 'object' ? readEntry(schema, input, reading) : readNode(schema, input, reading);
  reading.passing--;
  return value === FAILED ? FAILED : undefined;
}

function readNode(schema: Schema, input: unknown, reading: Reading): unknown {
  switch (schema.kind) {
    case 'list':
      return readList(schema, input, reading);
    case 'map':
      return readMap(schema, input, reading);
    case 'any':
      return reading.dialect === 'machine' ? input : readRaw(input);
    default:
      return readScalar(schema, input, reading);
  }
}

function readList(schema: Schema, input: unknown, reading: Reading): unknown {
  const items = schema.items!;
  if (items.kind !== 'object') return readTexts(schema, input, reading);
  if (reading.dialect === 'labels' && schema.labelName !== undefined) {
    if (childrenOf(input) === 0) return fail(reading, 'empty-object', `wants options below it (${optionNames(items.fields!)})`);
    const only = readEntry(items, input, reading);
    return only === FAILED ? FAILED : [only];
  }
  return readItems(schema, items, input, reading);
}

function readItems(schema: Schema, items: Schema, input: unknown, reading: Reading): unknown {
  const values: unknown[] = [];
  let failed = false;
  const read = (key: string | number, entry: unknown): void => {
    reading.path.push(key);
    const value = readEntry(items, entry, reading);
    reading.path.pop();
    if (value !== FAILED) values.push(value);
    else if (!schema.isolate) failed = true;
  };
  if (Array.isArray(input)) {
    input.forEach((entry, index) => {
      if (isTree(entry)) read(index, entry);
      else if (!readStrayItem(items, entry, index, reading)) failed = true;
    });
  } else if (isTree(input)) {
    for (const [key, entry] of Object.entries(input)) {
      if (entry === null || entry === undefined) continue;
      if (!/^\[.*\]$/.test(key) && !isTree(entry))
        warn(reading, 'passed-over', `is a list: '${key}' makes an empty entry; write ${indexed(reading, key)}`);
      read(key, isTree(entry) ? entry : {});
    }
  } else if (textOf(input) !== '') {
    warn(reading, 'passed-over', `${showValue(schema, input)} says nothing here; write a list with ${optionNames(items.fields!)}`);
  }
  return failed ? FAILED : values;
}

const indexed = (reading: Reading, key: string): string => {
  const name = String(reading.path.at(-1));
  if (reading.dialect === 'labels') return `${name}[0].${key}`;
  return reading.dialect === 'keys' ? `${name}/0/${key}` : `${name}: [{${key}: …}]`;
};

/** Traefik passes over scalars among objects, and refuses what is empty. */
function readStrayItem(items: Schema, entry: unknown, index: number, reading: Reading): boolean {
  reading.path.push(index);
  const known = textOf(entry) !== '' || entry === '';
  if (known) warn(reading, 'passed-over', `${showValue(items, entry)} says nothing here; write one of ${optionNames(items.fields!)}`);
  else fail(reading, 'bad-value', entry === null ? 'is empty' : 'wants options, not a list');
  reading.path.pop();
  return known;
}

function readTexts(schema: Schema, input: unknown, reading: Reading): unknown {
  const entries = Array.isArray(input) ? input : textEntries(input, reading);
  if (entries === FAILED) return fail(reading, 'bad-value', `wants a list of ${schema.items!.kind} values, not options below it`);
  if (entries.length === 0) return undefined;
  const items = inherit(schema);
  // No longer than it must be: there may be very many such lists.
  const values: unknown[] = entries.slice();
  let failed = false;
  for (let index = 0; index < values.length; index++) {
    const entry = values[index];
    reading.path.push(index);
    const value =
      entry === null || entry === undefined || isTree(entry) || Array.isArray(entry)
        ? fail(reading, 'bad-value', entry === null || entry === undefined ? 'is empty' : 'wants a plain value')
        : readEntry(items, typeof entry === 'string' && reading.dialect !== 'machine' ? entry.trim() : entry, reading);
    reading.path.pop();
    if (value === FAILED) failed = true;
    else values[index] = value;
  }
  return failed ? FAILED : values;
}

const inherit = (schema: Schema): Schema => (schema.secret ? { ...schema.items!, secret: true } : schema.items!);

/** One text with commas. `entryPoints[0]=web` says nothing in Traefik; deeper nodes are refused. */
function textEntries(input: unknown, reading: Reading): string[] | typeof FAILED {
  if (childrenOf(input) > 0) {
    const entries = Object.values(input as object);
    if (entries.some((entry) => childrenOf(entry) > 0)) return FAILED;
    const example = `${String(reading.path.at(-1))}=${entries.map((entry) => textOf(entry)).join(',')}`;
    warn(reading, 'passed-over', `is a list and has no options below it; write ${example}`);
  }
  const text = textOf(input);
  return text === '' ? [] : text.split(',');
}

function readMap(schema: Schema, input: unknown, reading: Reading): unknown {
  if (childrenOf(input) === 0 && !(reading.dialect === 'machine' && isTree(input))) {
    const wanted = schema.items!.kind === 'object' ? 'objects' : 'values';
    return fail(reading, Array.isArray(input) ? 'bad-value' : 'empty-object', `wants names with ${wanted} below it`);
  }
  const items = inherit(schema);
  const result: Record<string, unknown> = {};
  let failed = false;
  for (const [name, entry] of Object.entries(input as object)) {
    if (entry === null || entry === undefined) continue;
    reading.path.push(name);
    const value = items.kind === 'string' ? readTextsBelow(items, name, entry, result, reading) : readEntry(items, entry, reading);
    reading.path.pop();
    if (value === FAILED) {
      if (!schema.isolate) failed = true;
    } else if (value !== undefined) define(result, name, value);
  }
  return failed ? FAILED : result;
}

/** A dot in the name of a header splits it in labels; the parts are joined again. */
function readTextsBelow(items: Schema, name: string, input: unknown, result: Record<string, unknown>, reading: Reading): unknown {
  if (!isTree(input) || childrenOf(input) === 0) return readEntry(items, isTree(input) ? textOf(input) : input, reading);
  let failed = false;
  for (const [key, entry] of Object.entries(input)) {
    if (entry === null || entry === undefined) continue;
    const joined = `${name}.${key}`;
    reading.path.push(key);
    const value = readTextsBelow(items, joined, entry, result, reading);
    reading.path.pop();
    if (value === FAILED) failed = true;
    else if (value !== undefined) define(result, joined, value);
  }
  return failed ? FAILED : undefined;
}

/** A user may name an object `__proto__`; it must stay a plain key. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

/** Some objects are only there or not. */
const wantsOptions = (fields: Fields): string => {
  const names = optionNames(fields);
  return names === '' ? 'wants true or {}' : `wants options below it (${names})`;
};

const optionNames = (fields: Fields): string =>
  Object.entries(fields)
    .filter(([, field]) => !field.internal)
    .slice(0, 8)
    .map(([name]) => name)
    .join(', ');

function readFields(schema: Schema, tree: Record<string, unknown>, reading: Reading): unknown {
  const fields = schema.fields!;
  const result: Record<string, unknown> = {};
  let failed = false;
  if (isSpelledOut(tree, fields, reading.dialect)) {
    for (const key in tree) if (!readOption(fields, key, key, tree[key], result, reading)) failed = true;
  } else {
    const names = fieldNames(fields, reading.dialect);
    for (const [key, entry] of distinctKeys(tree, names))
      if (!readOption(fields, key, names.get(key.toLowerCase()), entry, result, reading)) failed = true;
  }
  return failed && !schema.isolate ? FAILED : withDefaults(fields, result, reading);
}

/** False when it is refused. */
function readOption(
  fields: Fields,
  key: string,
  name: string | undefined,
  entry: unknown,
  result: Record<string, unknown>,
  reading: Reading,
): boolean {
  if (entry === null || entry === undefined) return true;
  reading.path.push(key);
  const value = readNamed(fields, name, entry, reading);
  reading.path.pop();
  if (value === FAILED) return false;
  if (value !== undefined) result[name!] = value;
  return true;
}

/** Every key is an option's own name, as it mostly is: no two can mean the same. */
function isSpelledOut(tree: Record<string, unknown>, fields: Fields, dialect: Dialect): boolean {
  for (const key in tree) if (!Object.hasOwn(fields, key) || (dialect === 'labels' && fields[key]!.labelName !== undefined)) return false;
  return true;
}

/** Of spellings that differ in letter case the last in the order of text counts; what stands below two of them is one. */
function distinctKeys(tree: Record<string, unknown>, names: Map<string, string>): readonly (readonly [key: string, entry: unknown])[] {
  const entries: (readonly [string, unknown])[] = [];
  const seen = new Set<string>();
  for (const key in tree) {
    const entry = tree[key];
    if (entry === null || entry === undefined) continue;
    entries.push([key, entry]);
    seen.add(names.get(key.toLowerCase()) ?? key);
  }
  if (seen.size === entries.length) return entries;
  const distinct = new Map<string, readonly [string, unknown]>();
  for (const [key, entry] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = key.toLowerCase();
    const before = distinct.get(name);
    distinct.set(name, [key, before !== undefined && isTree(before[1]) && isTree(entry) ? combine(before[1], entry) : entry]);
  }
  return [...distinct.values()];
}

function combine(first: Record<string, unknown>, second: Record<string, unknown>): Record<string, unknown> {
  const result = { ...first };
  for (const [key, entry] of Object.entries(second)) {
    const before = result[key];
    define(result, key, isTree(before) && isTree(entry) ? combine(before, entry) : entry);
  }
  return result;
}

function readNamed(fields: Fields, name: string | undefined, entry: unknown, reading: Reading): unknown {
  if (name === undefined) {
    const near = nearest(String(reading.path.at(-1)), fieldNames(fields, reading.dialect).values());
    return fail(
      reading,
      'unknown-option',
      `is no option here; ${near === undefined ? `known are ${optionNames(fields) || 'none'}` : `did you mean '${near}'?`}`,
    );
  }
  const field = fields[name]!;
  const elsewhere = passedOver(field, reading.dialect);
  if (elsewhere !== undefined) {
    warn(reading, 'passed-over', elsewhere);
    return childrenOf(entry) === 0 ? undefined : passOver(field, entry, reading);
  }
  const value = readField(field, entry, reading);
  if (value === FAILED || value === undefined) return value;
  if (field.deprecated !== undefined) warn(reading, 'deprecated', `is deprecated: ${field.deprecated}`);
  if (field.ignored !== undefined) warn(reading, 'ignored', `is not acted on: ${field.ignored}`);
  return value;
}

function passedOver(field: Schema, dialect: Dialect): string | undefined {
  if (field.internal && dialect !== 'machine') return 'is set by providers only and passed over here';
  if (field.labels === false && dialect === 'labels') return 'cannot be set by labels and is passed over; write it in a file';
  if (field.onlyLabels && dialect !== 'labels') return 'can be set by labels only and is passed over here';
  return undefined;
}

const lackedByFields = new WeakMap<Fields, readonly [name: string, field: Schema][]>();

/** The fields that say something when they are absent; most do not. */
function lackedFields(fields: Fields): readonly [name: string, field: Schema][] {
  let lacked = lackedByFields.get(fields);
  if (lacked === undefined) {
    lacked = Object.entries(fields).filter(([, field]) => field.default !== undefined || field.required);
    lackedByFields.set(fields, lacked);
  }
  return lacked;
}

function withDefaults(fields: Fields, result: Record<string, unknown>, reading: Reading): unknown {
  for (const [name, field] of lackedFields(fields)) {
    if (result[name] !== undefined) continue;
    if (field.default !== undefined) result[name] = defaultOf(field);
    else if (reading.passing === 0) {
      reading.path.push(name);
      fail(reading, 'missing', `is required: ${field.summary}`);
      reading.path.pop();
      return FAILED;
    }
  }
  return result;
}

const namesByFields = new WeakMap<Fields, Map<Dialect, Map<string, string>>>();

/** Lower-case key → option name; a list that labels write as one object has another name there. */
function fieldNames(fields: Fields, dialect: Dialect): Map<string, string> {
  let byDialect = namesByFields.get(fields);
  if (byDialect === undefined) namesByFields.set(fields, (byDialect = new Map()));
  let names = byDialect.get(dialect);
  if (names === undefined) {
    names = new Map(
      Object.entries(fields).map(([name, { labelName }]) => [(dialect === 'labels' ? (labelName ?? name) : name).toLowerCase(), name]),
    );
    byDialect.set(dialect, names);
  }
  return names;
}
