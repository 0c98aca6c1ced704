import { ConfigError } from '../../base/errors.ts';
import type { Schema } from '../../base/schema.ts';
import { type Tree, treeOf } from './tree.ts';

/** Later ones win where both name an option. */
export const PREFIXES = ['TRAEFIK_', 'EDGEWAY_'] as const;

/**
 * `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS`: underscores part the names, so that names cannot contain them, and letter case is lost. A
 * variable that begins like a known section belongs to it; any other is none of ours.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  schema: Schema,
): { tree: Tree; any: boolean; problems: ConfigError[] } {
  const problems: ConfigError[] = [];
  // Removed sections are read too, so that they are found.
  const sections = [...Object.keys(schema.fields ?? {}), 'pilot'].map((name) => name.toUpperCase());
  const given = new Map<string, string>();
  for (const prefix of PREFIXES) {
    for (const [name, text] of Object.entries(environment)) {
      if (text === undefined || !name.startsWith(prefix)) continue;
      const rest = name.slice(prefix.length);
      if (!sections.some((section) => rest.startsWith(section))) continue;
      if (rest.split('_').includes('')) {
        problems.push(new ConfigError('config.syntax', 'has an empty part between underscores', { source: 'environment', object: name }));
        continue;
      }
      given.set(rest.toLowerCase(), text);
    }
  }
  const pairs = [...given].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => [name.split('_'), text] as const);
  return { tree: treeOf(pairs, schema), any: given.size > 0, problems };
}
