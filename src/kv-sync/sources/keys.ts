import { ConfigError, type Place } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { decodeKeys, type Pair } from '../../config/keys.ts';
import { placesOf } from './places.ts';

export interface LocatedKeys {
  readonly configuration: DynamicConfiguration;
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
}

/** The configuration of pairs that stand in a text; places name its lines. */
export function decodeLocated(
  root: string,
  pairs: readonly Pair[],
  source: string,
  lineOf: (key: string) => number | undefined,
): LocatedKeys {
  const { configuration, problems, warnings } = decodeKeys(root, pairs);
  const relocate = (error: ConfigError): ConfigError => {
    const key = error.place.source ?? '';
    return new ConfigError(error.code, key === '' ? error.message : `${error.message} (key ${key})`, {
      source,
      line: lineOf(key),
      object: error.place.object,
    });
  };
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
  return { configuration, places, problems: problems.map(relocate), warnings: warnings.map(relocate) };
}
