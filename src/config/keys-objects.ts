import type { ConfigError } from '../base/errors.ts';
import { flatten } from '../base/flat-string.ts';
import { type DynamicConfiguration, dynamicConfiguration } from './dynamic.ts';
import { decodeKeys, type Pair } from './keys.ts';
import type { Loaded, ObjectPath } from './load.ts';

/** An object, or the certificates, as its keys say. */
export interface KeyObject {
  readonly section: string;
  readonly kind: string;
  /** `http.routers.blog`, `tls.certificates`. */
  readonly id: string;
  /** As its keys spell it; undefined of the certificates, and where it was refused. */
  readonly name: string | undefined;
  /** Undefined when it was refused. */
  readonly value: unknown;
  /** In the order of their keys. */
  readonly pairs: readonly Pair[];
  /** The same without the root. */
  readonly record: Readonly<Record<string, string>>;
  readonly problems: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
  readonly refused: readonly ObjectPath[];
}

/** By `http/routers/blog` in small letters, in the order of their keys. */
export type Objects = ReadonlyMap<string, KeyObject>;

interface Kind {
  readonly section: string;
  readonly kind: string;
  readonly hasNames: boolean;
}

/** By `http/routers` in small letters. */
const KINDS = new Map(
  Object.entries(dynamicConfiguration.fields!).flatMap(([section, { fields }]) =>
    Object.entries(fields!).map(([kind, schema]): [string, Kind] => [
      `${section}/${kind}`.toLowerCase(),
      { section, kind, hasNames: schema.kind !== 'list' },
    ]),
  ),
);
const SECTIONS = Object.keys(dynamicConfiguration.fields!);

export interface DividedKeys {
  readonly named: ReadonlyMap<string, readonly Pair[]>;
  /** In a section, and of no object. */
  readonly strange: readonly Pair[];
  /** Keys that `decodeKeys` passes over. */
  readonly others: readonly Pair[];
}

export function divideKeys(root: string, pairs: readonly Pair[]): DividedKeys {
  const named = new Map<string, Pair[]>();
  const strange: Pair[] = [];
  const others: Pair[] = [];
  const begin = `${root}/`;
  for (const pair of pairs) {
    const name = pair[0].startsWith(begin) ? nameOf(pair[0], begin.length) : undefined;
    const own = name === undefined ? undefined : named.get(name);
    if (own !== undefined) own.push(pair);
    else if (name !== undefined) named.set(name, [pair]);
    else (isOfSection(pair[0], root) ? strange : others).push(pair);
  }
  return { named, strange, others };
}

/** Undefined for a key that is of no object. */
function nameOf(key: string, start: number): string | undefined {
  const first = key.indexOf('/', start);
  const second = first < 0 ? -1 : key.indexOf('/', first + 1);
  const kind = key.slice(start, second < 0 ? key.length : second).toLowerCase();
  const known = KINDS.get(kind);
  if (known === undefined || !known.hasNames) return known && kind;
  const third = second < 0 ? -1 : key.indexOf('/', second + 1);
  const name = second < 0 ? '' : key.slice(second + 1, third < 0 ? key.length : third);
  // `http/routers/3` is an item of a list.
  const isIndex = /^\d+$/.test(name);
  if (name === '' || (third < 0 && isIndex)) return undefined;
  return isIndex ? `${kind}/[${name}]` : `${kind}/${name.toLowerCase()}`;
}

/** As `decodeKeys` sees it. */
function isOfSection(key: string, root: string): boolean {
  const start = key.slice(0, root.length + 5).toLowerCase();
  return SECTIONS.some((section) => start.startsWith(`${root}/${section}`.toLowerCase()));
}

interface Before {
  readonly objects: Objects;
  readonly loaded: Loaded;
}

/** The objects of before with those that changed, of which a name has no pairs when it is gone, and what they say together. */
export function readObjects(root: string, before: Before, changed: ReadonlyMap<string, readonly Pair[]>): Before {
  const read = decodeObjects(root, changed);
  let objects = new Map(before.objects);
  let isPatch = true;
  for (const name of changed.keys()) {
    const [old, now] = [before.objects.get(name), read.get(name)];
    isPatch &&= old !== undefined && now !== undefined && old.name === now.name && old.kind === now.kind;
    if (now === undefined) objects.delete(name);
    else objects.set(name, now);
  }
  if (!isPatch) objects = new Map([...objects].sort(([, a], [, b]) => (a.pairs[0]![0] < b.pairs[0]![0] ? -1 : 1)));
  const configuration = isPatch ? patch(before.loaded.configuration as Tree, read) : join(objects);
  const [problems, warnings, refused]: [ConfigError[], ConfigError[], ObjectPath[]] = [[], [], []];
  for (const object of objects.values()) {
    // Nearly none has any.
    if (object.problems.length > 0) problems.push(...object.problems);
    if (object.warnings.length > 0) warnings.push(...object.warnings);
    if (object.refused.length > 0) refused.push(...object.refused);
  }
  return { objects, loaded: { configuration: configuration as DynamicConfiguration, problems, warnings, refused } };
}

type Named = Record<string, unknown>;
type Tree = Record<string, Record<string, unknown>>;

function patch(before: Tree, changed: Objects): Tree {
  const tree: Tree = { ...before };
  for (const { section, kind, name, value } of changed.values()) {
    if (tree[section] === before[section]) tree[section] = { ...before[section] };
    const kinds = tree[section]!;
    if (value === undefined) continue;
    if (name === undefined) kinds[kind] = value;
    else {
      if (kinds[kind] === before[section]?.[kind]) kinds[kind] = { ...(kinds[kind] as Named) };
      put(kinds[kind] as Named, name, value);
    }
  }
  return tree;
}

function join(objects: Objects): Tree {
  const tree: Tree = {};
  for (const { section, kind, name, value } of objects.values()) {
    const kinds = (tree[section] ??= {});
    if (Array.isArray(value)) kinds[kind] = value;
    else if (KINDS.get(`${section}/${kind}`.toLowerCase())!.hasNames) kinds[kind] ??= {};
    if (name !== undefined) put(kinds[kind] as Named, name, value);
  }
  return tree;
}

function put(objects: Named, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(objects, name, { value, enumerable: true, writable: true, configurable: true });
  else objects[name] = value;
}

/** So many are read as one tree, which is faster; when something is wrong with them, each is read for itself. */
const TOGETHER = 100;

function decodeObjects(root: string, changed: ReadonlyMap<string, readonly Pair[]>): Map<string, KeyObject> {
  const result = new Map<string, KeyObject>();
  const all = new Map<string, readonly Pair[]>();
  for (const [name, pairs] of changed) if (pairs.length > 0) all.set(name, pairs.map(kept));
  const whole = all.size < TOGETHER ? undefined : decodeKeys(root, [...all.values()].flat());
  const values = whole && isClean(whole) ? byName(whole.configuration as Tree) : undefined;
  for (const [name, pairs] of all) result.set(name, readObject(root, name, pairs, values));
  return result;
}

/** A text that was cut out of a file would keep all of it. */
const kept = ([key, value]: Pair): Pair => [flatten(key), flatten(value)];

const isClean = ({ problems, warnings, refused }: Loaded): boolean => problems.length + warnings.length + refused.length === 0;

type Value = readonly [name: string | undefined, value: unknown];

function byName(tree: Tree): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [section, kinds] of Object.entries(tree))
    for (const [kind, objects] of Object.entries(kinds)) {
      const path = `${section}/${kind}`.toLowerCase();
      if (Array.isArray(objects)) values.set(path, [undefined, objects]);
      else for (const [name, value] of Object.entries(objects as Named)) values.set(`${path}/${name.toLowerCase()}`, [name, value]);
    }
  return values;
}

const NONE: readonly never[] = [];

function readObject(root: string, path: string, pairs: readonly Pair[], values: ReadonlyMap<string, Value> | undefined): KeyObject {
  const { section, kind } = KINDS.get(path.split('/', 2).join('/'))!;
  const record: Record<string, string> = {};
  for (const [key, value] of pairs) record[key.slice(root.length + 1)] = value;
  const loaded = values === undefined ? decodeKeys(root, pairs) : undefined;
  const found = values ?? byName(loaded!.configuration as Tree);
  const [name, value] = found.get(path) ?? [undefined, undefined];
  const { problems = NONE, warnings = NONE, refused = NONE } = loaded ?? {};
  const id = name === undefined ? `${section}.${kind}` : `${section}.${kind}.${name}`;
  return { id, section, kind, name, value, pairs, record, problems, warnings, refused };
}
