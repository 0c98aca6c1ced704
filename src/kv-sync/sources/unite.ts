import { ConfigError } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { type KeyRecord, pathOf } from '../store-objects.ts';
import { localize } from './localize.ts';
import type { Part } from './part.ts';

export interface United {
  /** All objects of all sources, as one provider would have them. */
  readonly configuration: DynamicConfiguration;
  readonly problems: readonly ConfigError[];
  /** Objects that stand in a source as keys, with their keys; they are kept as they are written. */
  readonly keys: ReadonlyMap<string, KeyRecord>;
  /** Suffixes that meant one of the sources. */
  readonly suffixes: ReadonlySet<string>;
}

type Tree = Record<string, Record<string, Record<string, unknown> | readonly unknown[]>>;

/** Of two objects with one name the first counts, and the second is a problem. */
export function unite(parts: readonly Part[]): United {
  const merged: Tree = {};
  const problems: ConfigError[] = [];
  const owners = new Map<string, Part>();
  for (const part of parts) {
    problems.push(...part.problems);
    for (const [section, kinds] of Object.entries(part.configuration as Tree)) {
      const into = (merged[section] ??= {});
      for (const [kind, objects] of Object.entries(kinds ?? {})) {
        const key = `${section}.${kind}`;
        if (Array.isArray(objects)) {
          const before = into[kind] as readonly unknown[] | undefined;
          into[kind] = [...(before ?? []), ...objects];
          if (before === undefined) owners.set(key, part);
          else owners.delete(key);
        } else
          into[kind] = addAll(into[kind] as Record<string, unknown>, objects as Record<string, unknown>, { key, part, owners, problems });
      }
    }
  }
  const suffixes = new Set(parts.flatMap((part) => part.suffixes));
  const configuration = localize(merged as DynamicConfiguration, suffixes, (section, kind, name) =>
    owners.has(`${section}.${kind}.${name}`),
  );
  return { configuration, problems, suffixes, keys: keysOf(parts, owners, merged, configuration as Tree) };
}

interface Adding {
  readonly key: string;
  readonly part: Part;
  readonly owners: Map<string, Part>;
  readonly problems: ConfigError[];
}

function addAll(
  known: Readonly<Record<string, unknown>> | undefined,
  objects: Readonly<Record<string, unknown>>,
  { key, part, owners, problems }: Adding,
): Record<string, unknown> {
  const named: Record<string, unknown> = { ...known };
  for (const [name, object] of Object.entries(objects)) {
    const owner = owners.get(`${key}.${name}`);
    if (owner === undefined) {
      owners.set(`${key}.${name}`, part);
      if (name === '__proto__') Object.defineProperty(named, name, { value: object, enumerable: true, writable: true, configurable: true });
      else named[name] = object;
    } else {
      problems.push(
        new ConfigError('config.conflict', `It is written in ${owner.source} too, which counts; give one of them another name`, {
          source: part.source,
          object: `${key}.${name}`,
        }),
      );
    }
  }
  return named;
}

/** Keys of objects of which nothing had to be renamed, and keys that are no objects (a static configuration in the store). */
function keysOf(parts: readonly Part[], owners: ReadonlyMap<string, Part>, merged: Tree, localized: Tree): Map<string, KeyRecord> {
  const keys = new Map<string, KeyRecord>();
  // Keys do not tell letter case apart: an object is named as its first key names it.
  let names: Map<string, string> | undefined;
  const nameOf = (id: string): string | undefined => {
    if (owners.has(id)) return id;
    names ??= new Map(Array.from(owners.keys(), (name) => [name.toLowerCase(), name]));
    return names.get(id);
  };
  for (const part of parts) {
    for (const [small, record] of part.records ?? []) {
      if (small.startsWith('keys.')) {
        const [key = ''] = Object.keys(record);
        if (key !== '' && !isObjectKey(key)) keys.set(`keys.${key}`, record);
        continue;
      }
      const id = nameOf(small);
      if (id === undefined || owners.get(id) !== part) continue;
      const [section, kind, name] = pathOf(id);
      if (name === undefined || sameObject(merged, localized, section, kind, name)) keys.set(id, record);
    }
  }
  return keys;
}

/** Whatever begins like a section, Traefik reads as one. */
const isObjectKey = (key: string): boolean => /^(?:http|tcp|udp|tls)/i.test(key);

const sameObject = (a: Tree, b: Tree, section: string, kind: string, name: string): boolean =>
  (a[section]?.[kind] as Record<string, unknown>)?.[name] === (b[section]?.[kind] as Record<string, unknown>)?.[name];
