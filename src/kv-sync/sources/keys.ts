import { ConfigError, type Place } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { decodeKeys, type Pair } from '../../config/keys.ts';
import { createKeysDecoder } from '../../config/keys-decoder.ts';
import type { KeyRecord } from '../store-objects.ts';
import { KEY_SUFFIXES, type Part } from './part.ts';
import { placesOf } from './places.ts';

export interface LocatedKeys {
  readonly configuration: DynamicConfiguration;
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
}

type LineOf = (key: string) => number | undefined;

/** The configuration of pairs that stand in a text; places name its lines. */
export function decodeLocated(root: string, pairs: readonly Pair[], source: string, lineOf: LineOf): LocatedKeys {
  const { configuration, problems, warnings } = decodeKeys(root, pairs);
  const first = new Map<string, string>();
  for (const [key] of pairs) {
    const object = key
      .split('/')
      .filter((part) => part !== '')
      .slice(0, 4)
      .join('/')
      .toLowerCase();
    if (!first.has(object)) first.set(object, key);
  }
  const places = placesOf(configuration, (path): Place => {
    const key = first.get([root, ...path].join('/').toLowerCase());
    return { source, line: key === undefined ? undefined : lineOf(key) };
  });
  const relocate = createRelocate(source, lineOf);
  return { configuration, places, problems: problems.map(relocate), warnings: warnings.map(relocate) };
}

const createRelocate =
  (source: string, lineOf: LineOf) =>
  (error: ConfigError): ConfigError => {
    const key = error.place.source ?? '';
    return new ConfigError(error.code, key === '' ? error.message : `${error.message} (key ${key})`, {
      source,
      line: lineOf(key),
      object: error.place.object,
    });
  };

/** Reads keys again and again: what did not change since the last time is the same reference. */
export type KeysReader = (source: string, all: readonly Pair[], lineOf: LineOf) => Part;

/** Keys below the root; others are told, as they would not arrive. */
export function createKeysReader(root: string): KeysReader {
  const decoder = createKeysDecoder(root);
  const below = `${root}/`;
  return (source, all, lineOf) => {
    const astray = all.filter(([key]) => !key.startsWith(below));
    const pairs = astray.length === 0 ? all : all.filter(([key]) => key.startsWith(below));
    const problems = astray.map(([key]) => {
      const message = `The key ${key} does not begin with '${below}'; another root is given with --root`;
      return new ConfigError('config.bad-value', message, { source, line: lineOf(key) });
    });
    const { configuration, objects, others, ...said } = decoder.decode(pairs);
    const records = new Map<string, KeyRecord>();
    for (const { id, value, record } of objects.values()) if (value !== undefined) records.set(id, record);
    for (const [key, value] of others)
      if (key !== below) records.set(`keys.${key.slice(below.length)}`, { [key.slice(below.length)]: value });
    const relocate = createRelocate(source, lineOf);
    problems.push(...said.problems.map(relocate));
    return { source, suffixes: KEY_SUFFIXES, configuration, problems, warnings: said.warnings.map(relocate), records };
  };
}
