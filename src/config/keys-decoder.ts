import type { ConfigError } from '../base/errors.ts';
import { flatten } from '../base/flat-string.ts';
import { type DynamicConfiguration, dynamicConfiguration } from './dynamic.ts';
import { decodeKeys, type Pair } from './keys.ts';
import type { Loaded, ObjectPath } from './load.ts';

/** `decodeKeys` for somebody who reads a root again and again. */
export interface KeysDecoder {
  /** What `decodeKeys` says. Objects whose pairs are those of the last call are not read anew: they are the same references. */
  decode(pairs: Iterable<Pair>): DecodedObjects;
}

export interface DecodedObjects extends Loaded {
  /** Pairs of one object together; the same array as long as they are the same pairs. Keys that are of no object are alone. */
  readonly objects: readonly (readonly Pair[])[];
}

/** One object, `http/routers/blog` in small letters, or the certificates. */
interface Entry {
  readonly pairs: readonly Pair[];
  readonly loaded: Loaded;
}

const SECTIONS = Object.keys(dynamicConfiguration.fields!);
/** `http/routers` → whether its objects have names. */
const KINDS = new Map(
  Object.entries(dynamicConfiguration.fields!).flatMap(([section, { fields }]) =>
    Object.entries(fields!).map(([kind, schema]): [string, boolean] => [`${section}/${kind}`.toLowerCase(), schema.kind !== 'list']),
  ),
);

export function createKeysDecoder(root: string): KeysDecoder {
  let known = new Map<string, Entry>();
  /** Names of `known`, by their first keys. */
  let order: readonly string[] = [];
  let alone = new Map<string, readonly Pair[]>();

  function decode(pairs: Iterable<Pair>): DecodedObjects {
    const { named, strange, others } = divide(root, pairs);
    const entries = new Map<string, Entry>();
    let isNew = named.size !== known.size;
    for (const [name, own] of named) {
      const before = known.get(name);
      isNew ||= before === undefined;
      const sorted = sortByKey(own);
      entries.set(name, isSame(before?.pairs, sorted) ? before! : readEntry(root, sorted));
    }
    if (isNew) order = [...entries.keys()].sort((a, b) => compare(entries.get(a)!.pairs[0]![0], entries.get(b)!.pairs[0]![0]));
    known = entries;
    const before = alone;
    alone = new Map();
    for (const pair of others) {
      const same = before.get(pair[0]);
      alone.set(pair[0], same !== undefined && isSame(same, [pair]) ? same : [[flatten(pair[0]), flatten(pair[1])]]);
    }
    const sorted = order.map((name) => entries.get(name)!);
    const objects = [...sorted.map((entry) => entry.pairs), ...alone.values()];
    // A key that is of no object may mean any of them, as `http/router/blog/middlewares` does.
    if (strange.length > 0) return { ...decodeKeys(root, [...sorted.flatMap((entry) => entry.pairs), ...strange]), objects };
    return { ...join(sorted), objects };
  }

  return { decode };
}

function readEntry(root: string, pairs: readonly Pair[]): Entry {
  // Kept for long: texts that were cut out of a file would keep all of it.
  const own = pairs.map(([key, value]): Pair => [flatten(key), flatten(value)]);
  return { pairs: own, loaded: decodeKeys(root, own) };
}

interface Divided {
  readonly named: ReadonlyMap<string, Pair[]>;
  /** In a section, and of no object. */
  readonly strange: readonly Pair[];
  /** Keys that `decodeKeys` passes over. */
  readonly others: readonly Pair[];
}

function divide(root: string, pairs: Iterable<Pair>): Divided {
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

/** Undefined for a key that is of no object. Most keys are, and so this asks for no list of their parts. */
function nameOf(key: string, start: number): string | undefined {
  const first = key.indexOf('/', start);
  const second = first < 0 ? -1 : key.indexOf('/', first + 1);
  const kind = key.slice(start, second < 0 ? key.length : second).toLowerCase();
  const hasNames = KINDS.get(kind);
  if (hasNames === undefined || !hasNames) return hasNames === undefined ? undefined : kind;
  const third = second < 0 ? -1 : key.indexOf('/', second + 1);
  const name = second < 0 ? '' : key.slice(second + 1, third < 0 ? key.length : third);
  // `http/routers/3` is an item of a list.
  if (name === '' || (third < 0 && /^\d+$/.test(name))) return undefined;
  return `${kind}/${name.toLowerCase()}`;
}

/** As `decodeKeys` sees it. */
function isOfSection(key: string, root: string): boolean {
  const start = key.slice(0, root.length + 5).toLowerCase();
  return SECTIONS.some((section) => start.startsWith(`${root}/${section}`.toLowerCase()));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function sortByKey(pairs: Pair[]): Pair[] {
  for (let index = 1; index < pairs.length; index++)
    if (pairs[index]![0] < pairs[index - 1]![0]) return pairs.sort(([a], [b]) => compare(a, b));
  return pairs;
}

function isSame(before: readonly Pair[] | undefined, now: readonly Pair[]): boolean {
  if (before?.length !== now.length) return false;
  for (let index = 0; index < now.length; index++)
    if (before[index]![0] !== now[index]![0] || before[index]![1] !== now[index]![1]) return false;
  return true;
}

type Objects = Record<string, Record<string, Record<string, unknown> | readonly unknown[]>>;

function join(entries: readonly Entry[]): Loaded {
  const configuration: Objects = {};
  const problems: ConfigError[] = [];
  const warnings: ConfigError[] = [];
  const refused: ObjectPath[] = [];
  for (const { loaded } of entries) {
    problems.push(...loaded.problems);
    warnings.push(...loaded.warnings);
    refused.push(...loaded.refused);
    const said = loaded.configuration as Objects;
    for (const section in said)
      for (const kind in said[section]) {
        const objects = said[section]![kind]!;
        const into = (configuration[section] ??= {});
        if (Array.isArray(objects)) into[kind] = objects;
        else addAll((into[kind] ??= {}) as Record<string, unknown>, objects as Record<string, unknown>);
      }
  }
  return { configuration: configuration as DynamicConfiguration, problems, warnings, refused };
}

function addAll(into: Record<string, unknown>, objects: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(objects)) {
    const value = objects[name];
    if (name === '__proto__') Object.defineProperty(into, name, { value, enumerable: true, writable: true, configurable: true });
    else into[name] = value;
  }
}
