import type { DynamicConfiguration } from '../config/dynamic.ts';
import type { ObjectPath } from '../config/load.ts';

type Objects = Record<string, Record<string, Record<string, unknown> | undefined> | undefined>;

/** A refused object that was sound before stays as it was, until it is sound again or taken out. */
export function keepRefused(
  configuration: DynamicConfiguration,
  refused: readonly ObjectPath[],
  before: DynamicConfiguration | undefined,
): DynamicConfiguration {
  if (before === undefined || refused.length === 0) return configuration;
  const result: Objects = { ...(configuration as Objects) };
  for (const [section, kind, name] of refused) {
    const object = (before as Objects)[section]?.[kind]?.[name];
    if (object === undefined) continue;
    const objects = result[section]?.[kind];
    result[section] = { ...result[section], [kind]: { ...objects, [name]: object } };
  }
  return result as DynamicConfiguration;
}
