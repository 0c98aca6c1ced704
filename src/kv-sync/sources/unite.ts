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

type Objects = Readonly<Record<string, unknown>>;
type Tree = Record<string, Record<string, Objects | readonly unknown[]>>;

/** Of two objects with one name the first counts, and the second is a problem. */
export function unite(parts: readonly Part[]): United {
  const merged: Tree = {};
  const problems: ConfigError[] = [];
  for (const [index, part] of parts.entries()) {
    problems.push(...part.problems);
    for (const [section, kinds] of Object.entries(part.configuration as Tree)) {
      const into = (merged[section] ??= {});
      for (const [kind, objects] of Object.entries(kinds ?? {})) {
        const before = into[kind];
        if (before === undefined) into[kind] = objects;
        else if (Array.isArray(objects)) into[kind] = [...(before as readonly unknown[]), ...objects];
        else
          into[kind] = addAll(before as Objects, objects as Objects, {
            path: [section, kind],
            part,
            earlier: parts.slice(0, index),
            problems,
          });
      }
    }
  }
  const suffixes = new Set(parts.flatMap((part) => part.suffixes));
  const configuration = localize(merged as DynamicConfiguration, suffixes, (section, kind, name) => hasObject(merged, section, kind, name));
  return { configuration, problems, suffixes, keys: keysOf(parts, merged, configuration as Tree) };
}

const hasObject = (tree: Tree, section: string, kind: string, name: string): boolean => {
  const objects = tree[section]?.[kind];
  return objects !== undefined && !Array.isArray(objects) && Object.hasOwn(objects, name);
};

interface Adding {
  readonly path: readonly [section: string, kind: string];
  readonly part: Part;
  readonly earlier: readonly Part[];
  readonly problems: ConfigError[];
}

function addAll(known: Objects, objects: Objects, { path: [section, kind], part, earlier, problems }: Adding): Objects {
  const named: Record<string, unknown> = { ...known };
  for (const [name, object] of Object.entries(objects)) {
    const owner = earlier.find(({ configuration }) => hasObject(configuration as Tree, section, kind, name));
    if (owner === undefined) {
      Object.defineProperty(named, name, { value: object, enumerable: true, writable: true, configurable: true });
    } else {
      problems.push(
        new ConfigError('config.conflict', `It is written in ${owner.source} too, which counts; give one of them another name`, {
          source: part.source,
          object: `${section}.${kind}.${name}`,
        }),
      );
    }
  }
  return named;
}

/** Keys of objects that count and of which nothing had to be renamed, and keys that are no objects (a static configuration in the store). */
function keysOf(parts: readonly Part[], merged: Tree, localized: Tree): ReadonlyMap<string, KeyRecord> {
  const [only] = parts;
  if (parts.length === 1 && isSame(merged, localized)) return only!.records ?? new Map();
  const keys = new Map<string, KeyRecord>();
  for (const part of parts) {
    for (const [id, record] of part.records ?? []) {
      const [section, kind, name] = pathOf(id);
      if (section === 'keys') {
        keys.set(id, record);
        continue;
      }
      const own = (part.configuration as Tree)[section]?.[kind];
      const [all, written] = [localized[section]?.[kind], name === undefined ? own : (own as Objects)[name]];
      if (written === (name === undefined ? all : (all as Objects)[name])) keys.set(id, record);
    }
  }
  return keys;
}

const isSame = (a: Tree, b: Tree): boolean =>
  Object.entries(a).every(([section, kinds]) => Object.entries(kinds).every(([kind, objects]) => b[section]?.[kind] === objects));
