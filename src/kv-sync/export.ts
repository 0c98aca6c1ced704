import { stringify as stringifyToml } from 'smol-toml';
import { stringify as stringifyYaml } from 'yaml';
import type { ConfigError } from '../base/errors.ts';
import { decodeKeys, type Pair } from '../config/keys.ts';
import { encodeBriefly } from './brief.ts';
import { formatPairs } from './sources/pairs.ts';
import { objectOfKey } from './store-objects.ts';

export const EXPORT_FORMATS = ['yaml', 'toml', 'json', 'keys'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface Exported {
  /** By section (`http`), or one `keys`. */
  readonly texts: ReadonlyMap<string, string>;
  /** What could not be read, and so is not in the files. */
  readonly problems: readonly ConfigError[];
  /** Keys that are none of a dynamic configuration; only the format `keys` has them. */
  readonly leftOut: readonly string[];
}

/** What a store has, as files that the file provider (or `edgeway sync`) reads as the same. Secrets are in them. */
export function exportPairs(root: string, pairs: readonly Pair[], format: ExportFormat, isWhole: boolean): Exported {
  if (format === 'keys') {
    const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
    return { texts: new Map([['keys', formatPairs(sorted)]]), problems: [], leftOut: [] };
  }
  const { configuration, problems } = decodeKeys(root, pairs);
  const tree = withoutEmpty(encodeBriefly(configuration)) as Record<string, unknown> | undefined;
  const parts: [string, Record<string, unknown>][] = isWhole
    ? [['dynamic', tree ?? {}]]
    : Object.entries(tree ?? {}).map(([section, value]) => [section, { [section]: value }]);
  const leftOut = pairs.map(([key]) => key).filter((key) => objectOfKey(key.slice(root.length + 1)).startsWith('keys.'));
  return { texts: new Map(parts.map(([section, value]) => [section, textOf(value, format)])), problems, leftOut };
}

function textOf(tree: Record<string, unknown>, format: Exclude<ExportFormat, 'keys'>): string {
  if (format === 'json') return `${JSON.stringify(tree, undefined, 2)}\n`;
  return format === 'toml' ? `${stringifyToml(tree)}\n` : stringifyYaml(tree, { lineWidth: 0 });
}

/** Sections and kinds without objects go. */
function withoutEmpty(tree: unknown, depth = 0): unknown {
  if (depth === 2 || typeof tree !== 'object' || tree === null || Array.isArray(tree)) return tree;
  const kept = Object.entries(tree)
    .map(([name, value]) => [name, withoutEmpty(value, depth + 1)] as const)
    .filter(([, value]) => value !== undefined && Object.keys(value as object).length > 0);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
