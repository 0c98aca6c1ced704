import { ConfigError, type Place } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { decodeKeys, type Pair } from '../../config/keys.ts';
import { createKeysDecoder } from '../../config/keys-decoder.ts';
import { type KeyRecord, objectOfKey } from '../store-objects.ts';
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

interface KeyObject {
  /** In small letters. */
  readonly id: string;
  readonly record: KeyRecord;
}

/** Keys below the root; others are told, as they would not arrive. */
export function createKeysReader(root: string): KeysReader {
  const decoder = createKeysDecoder(root);
  const read = new WeakMap<readonly Pair[], KeyObject>();
  const below = `${root}/`;

  function objectOf(pairs: readonly Pair[]): KeyObject {
    let object = read.get(pairs);
    if (object === undefined) {
      const own = pairs.map(([key, value]): Pair => [key.slice(below.length), value]);
      read.set(pairs, (object = { id: objectOfKey(own[0]![0]).toLowerCase(), record: Object.fromEntries(own) }));
    }
    return object;
  }

  return (source, all, lineOf) => {
    const problems: ConfigError[] = [];
    const pairs: Pair[] = [];
    for (const pair of all) {
      if (pair[0].startsWith(below)) pairs.push(pair);
      else {
        const message = `The key ${pair[0]} does not begin with '${below}'; another root is given with --root`;
        problems.push(new ConfigError('config.bad-value', message, { source, line: lineOf(pair[0]) }));
      }
    }
    const { configuration, objects, ...said } = decoder.decode(pairs);
    const records = new Map<string, KeyRecord>();
    for (const own of objects) {
      const { id, record } = objectOf(own);
      records.set(id, record);
    }
    const relocate = createRelocate(source, lineOf);
    problems.push(...said.problems.map(relocate));
    return { source, suffixes: KEY_SUFFIXES, configuration, problems, warnings: said.warnings.map(relocate), records };
  };
}
