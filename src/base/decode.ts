import { parseDuration } from './duration.ts';
import { nearest } from './errors.ts';
import type { Fields, Infer, Schema } from './schema.ts';

/** The text of a node that also has children (`tls=true` beside `tls.options=x`), in trees made of flat keys. */
export const OWN_TEXT = Symbol('own text');

export type ProblemCode = 'unknown-option' | 'bad-value' | 'missing' | 'empty-object';

/** What is wrong with one node. `path` has the keys as they were written. */
export interface Problem {
  readonly code: ProblemCode;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface Decoded<T> {
  /** Undefined when the whole was refused. Entries of isolating maps that have problems are left out. */
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

/**
 * `document`: YAML, TOML, JSON. `labels`: label trees. `keys`: trees out of flat store keys, flags and variables.
 * Everywhere scalars may be written as text, lists of scalars as one text with commas, and option names in any letter case.
 */
export type Dialect = 'document' | 'labels' | 'keys';

const FAILED = Symbol('failed');
type Path = readonly (string | number)[];

/** Reads `input` by the schema: defaults filled in, every problem found, and nothing thrown. */
export function decode<S extends Schema>(schema: S, input: unknown, dialect: Dialect = 'document'): Decoded<Infer<S>> {
  const problems: Problem[] = [];
  const value = decodeNode(schema, input, { dialect, problems }, []);
  return { value: value === FAILED ? undefined : (value as Infer<S>), problems };
}

/** The defaults of an object schema, as `decode` would fill them into `{}`. */
export function defaultsOf<S extends Schema>(schema: S): Infer<S> {
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.fields ?? {})) {
    const value = defaultOf(field);
    if (value !== undefined) result[name] = value;
  }
  return result as Infer<S>;
}

interface Context {
  readonly dialect: Dialect;
  readonly problems: Problem[];
}

function defaultOf(schema: Schema): unknown {
  if (schema.default === undefined) return undefined;
  if (schema.kind === 'object') return { ...(defaultsOf(schema) as object), ...(schema.default as object) };
  return structuredClone(schema.default);
}

function decodeNode(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  const value = readNode(schema, input, context, path);
  if (value === FAILED || value === undefined || schema.check === undefined) return value;
  const complaint = schema.check(value as never);
  return complaint === undefined ? value : fail(context, 'bad-value', path, complaint);
}

function readNode(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  switch (schema.kind) {
    case 'string':
      return readString(schema, input, context, path);
    case 'boolean':
      return readBoolean(schema, input, context, path);
    case 'integer':
    case 'number':
      return readNumber(schema, input, context, path);
    case 'duration':
      return readDuration(schema, input, context, path);
    case 'list':
      return readList(schema, input, context, path);
    case 'map':
      return readMap(schema, input, context, path);
    case 'object':
      return readObject(schema, input, context, path);
    case 'any':
      return input;
  }
}

function fail(context: Context, code: ProblemCode, path: Path, message: string): typeof FAILED {
  context.problems.push({ code, path, message });
  return FAILED;
}

const isTree = (input: unknown): input is Record<string, unknown> => typeof input === 'object' && input !== null && !Array.isArray(input);

/** The text of a scalar; undefined for lists and objects. Floats get six decimals, as Go prints them on Traefik's way through text. */
export function scalarText(input: unknown): string | undefined {
  if (typeof input === 'string') return input;
  if (typeof input === 'number') return Number.isInteger(input) ? String(input) : input.toFixed(6);
  if (typeof input === 'boolean' || typeof input === 'bigint') return String(input);
  if (input instanceof Date) return input.toISOString();
  if (isTree(input)) return (input as { [OWN_TEXT]?: string })[OWN_TEXT];
  return undefined;
}

const show = (schema: Schema, input: unknown): string =>
  schema.secret ? '***' : JSON.stringify(scalarText(input) ?? input)?.slice(0, 120);

function readString(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  const text = scalarText(input);
  if (text === undefined) return fail(context, 'bad-value', path, `wants a text, not ${describeShape(input)}`);
  if (schema.values === undefined || text === '' || schema.values.includes(text)) return text;
  const near = nearest(text, schema.values);
  return fail(
    context,
    'bad-value',
    path,
    `${show(schema, text)} is not one of ${schema.values.join(', ')}${near === undefined ? '' : `; did you mean '${near}'?`}`,
  );
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

function readBoolean(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  const text = scalarText(input);
  if (text !== undefined && TRUE.has(text)) return true;
  if (text !== undefined && FALSE.has(text)) return false;
  return fail(context, 'bad-value', path, `${show(schema, input)} is no boolean; write true or false`);
}

function readNumber(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  const text = scalarText(input);
  if (schema.kind === 'integer') {
    if (text !== undefined && /^[+-]?\d+$/.test(text)) {
      const value = Number(text);
      if (Number.isSafeInteger(value)) return value;
      const big = BigInt(text.replace(/^\+/, ''));
      if (BigInt.asIntN(64, big) === big) return big;
      return fail(context, 'bad-value', path, `${text} does not fit into 64 bits`);
    }
    return fail(context, 'bad-value', path, `${show(schema, input)} is no whole number`);
  }
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : fail(context, 'bad-value', path, `${show(schema, input)} is no number`);
}

function readDuration(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  const text = scalarText(input);
  const value = text === undefined ? undefined : parseDuration(text);
  return value ?? fail(context, 'bad-value', path, `${show(schema, input)} is no duration; write '10s', '1m30s' or a number of seconds`);
}

function readList(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  const items = schema.items!;
  const scalar = items.kind !== 'object' && items.kind !== 'map' && items.kind !== 'list';
  let entries: unknown[];
  if (Array.isArray(input)) {
    entries = input;
    if (scalar && context.dialect !== 'document') entries = entries.flatMap((entry) => splitCommas(scalarText(entry) ?? ''));
  } else if (scalar && scalarText(input) !== undefined) {
    const text = scalarText(input)!;
    entries = text === '' && context.dialect === 'document' ? [] : splitCommas(text);
  } else if (!scalar && isTree(input) && context.dialect !== 'document') {
    entries = [input];
  } else {
    return fail(context, 'bad-value', path, `wants a list, not ${describeShape(input)}`);
  }
  const values: unknown[] = [];
  let failed = false;
  entries.forEach((entry, index) => {
    const value =
      entry === null || entry === undefined
        ? fail(context, 'bad-value', [...path, index], 'is empty')
        : decodeNode(items, entry, context, [...path, index]);
    if (value === FAILED) failed = true;
    else values.push(value);
  });
  return failed ? FAILED : values;
}

const splitCommas = (text: string): string[] => text.split(',').map((item) => item.trim());

function readMap(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  if (!isTree(input))
    return fail(
      context,
      'bad-value',
      path,
      `wants names with ${schema.items!.kind === 'object' ? 'objects' : 'values'} below them, not ${describeShape(input)}`,
    );
  const result: Record<string, unknown> = {};
  let failed = false;
  for (const [name, entry] of Object.entries(input)) {
    if (entry === null || entry === undefined) continue;
    const value = decodeNode(schema.items!, entry, context, [...path, name]);
    if (value !== FAILED) define(result, name, value);
    else if (!schema.isolate) failed = true;
  }
  return failed ? FAILED : result;
}

/** A user may name an object `__proto__`; it must stay a plain key. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function readObject(schema: Schema, input: unknown, context: Context, path: Path): unknown {
  const own = isTree(input) ? (input as { [OWN_TEXT]?: string })[OWN_TEXT] : scalarText(input);
  if (own !== undefined) {
    if (!schema.presence) {
      if (!isTree(input) || Object.keys(input).length === 0) {
        return fail(
          context,
          own === '' || own === 'true' ? 'empty-object' : 'bad-value',
          path,
          `wants options below it (${optionNames(schema.fields!)}), not ${JSON.stringify(own)}`,
        );
      }
    } else if (own !== '' && own.toLowerCase() !== 'true') {
      return undefined;
    }
  } else if (!isTree(input)) {
    return fail(context, 'bad-value', path, `wants options below it, not ${describeShape(input)}`);
  }
  const tree = isTree(input) ? input : {};
  if (own === undefined && !schema.presence && path.length > 0 && Object.keys(tree).length === 0) {
    return fail(context, 'empty-object', path, `has no options; write at least one of ${optionNames(schema.fields!)}`);
  }
  return readFields(schema, tree, context, path);
}

const optionNames = (fields: Fields): string => Object.keys(fields).slice(0, 8).join(', ');

function readFields(schema: Schema, tree: Record<string, unknown>, context: Context, path: Path): unknown {
  const fields = schema.fields!;
  const names = fieldNames(fields, context.dialect);
  const result: Record<string, unknown> = {};
  let failed = false;
  for (const [key, entry] of Object.entries(tree)) {
    if (entry === null || entry === undefined) continue;
    const name = names.get(key.toLowerCase());
    if (name === undefined) {
      const near = nearest(key, Object.keys(fields));
      fail(
        context,
        'unknown-option',
        [...path, key],
        `is no option here${near === undefined ? `; known are ${optionNames(fields)}` : `; did you mean '${near}'?`}`,
      );
      failed = true;
      continue;
    }
    const field = fields[name]!;
    if (field.labels === false && context.dialect === 'labels') continue;
    const value = decodeNode(field, entry, context, [...path, key]);
    if (value === FAILED) failed = true;
    else if (value !== undefined) result[name] = value;
  }
  if (failed) return FAILED;
  for (const [name, field] of Object.entries(fields)) {
    if (result[name] !== undefined) continue;
    const value = defaultOf(field);
    if (value !== undefined) result[name] = value;
    else if (field.required) return fail(context, 'missing', [...path, name], `is required: ${field.summary}`);
  }
  return result;
}

const namesByFields = new WeakMap<Fields, Map<string, Map<string, string>>>();

/** Lower-case key → option name; labels have names of their own beside. */
function fieldNames(fields: Fields, dialect: Dialect): Map<string, string> {
  let byDialect = namesByFields.get(fields);
  if (byDialect === undefined) namesByFields.set(fields, (byDialect = new Map()));
  let names = byDialect.get(dialect);
  if (names === undefined) {
    names = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
    if (dialect !== 'document')
      for (const [name, { labelName }] of Object.entries(fields)) if (labelName !== undefined) names.set(labelName.toLowerCase(), name);
    byDialect.set(dialect, names);
  }
  return names;
}

function describeShape(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (isTree(input)) return 'an object';
  return JSON.stringify(input) ?? 'nothing';
}
