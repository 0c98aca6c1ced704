import { ConfigError } from '../base/errors.ts';
import type { DynamicConfiguration } from './dynamic.ts';
import { type FlatEntry, MAX_DEPTH, sourceFinder, treeOf } from './flat.ts';
import { flatten } from './flatten.ts';
import { dropObject, type Loaded, loadTree } from './load.ts';

const SECTIONS = ['http', 'tcp', 'udp', 'tls'];

/** Key and value, as a store lists them. */
export type Pair = readonly [key: string, value: string];

/**
 * The configuration of Traefik's flat key layout below `root` (`traefik/http/routers/blog/rule`). Keys of other roots and sections
 * are passed over, of two equal keys the later counts. The source of a problem's place is the key.
 */
export function decodeKeys(root: string, pairs: Iterable<Pair>): Loaded {
  const problems: ConfigError[] = [];
  const entries: FlatEntry[] = [];
  const refused: string[][] = [];
  for (const [key, text] of joinItems(root, pairs)) {
    const parts = partsOf(key.slice(root.length + 1));
    if (key.startsWith(`${root}/`) && parts.length < MAX_DEPTH) entries.push({ parts, text, source: key });
    else {
      const message = parts.length < MAX_DEPTH ? `The key does not begin with '${root}/'` : `The key has more than ${MAX_DEPTH} parts`;
      problems.push(new ConfigError('config.syntax', message, { source: key }));
      refused.push(parts);
    }
  }
  const sourceOf = sourceFinder(entries);
  const loaded = loadTree(treeOf(entries), 'keys', (path) => ({ source: sourceOf(path) }));
  for (const [section, kind, name] of refused)
    if (section !== undefined && kind !== undefined && name !== undefined)
      dropObject(loaded.configuration, section.toLowerCase(), kind, name, 'keys');
  return { ...loaded, problems: [...problems, ...loaded.problems] };
}

/** `middlewares/0`, `middlewares/1` become one key with commas, in the text order of their keys. */
function joinItems(root: string, pairs: Iterable<Pair>): Pair[] {
  const prefixes = SECTIONS.map((section) => `${root}/${section}`.toLowerCase());
  const texts = new Map<string, string>();
  for (const [key, text] of pairs) {
    const start = key.slice(0, root.length + 5).toLowerCase();
    if (prefixes.some((prefix) => start.startsWith(prefix))) texts.set(key, text);
  }
  const joined = new Map<string, string[]>();
  for (const key of [...texts.keys()].sort()) {
    const slash = key.lastIndexOf('/');
    if (slash <= 0 || !/^\d+$/.test(key.slice(slash + 1))) continue;
    const list = key.slice(0, slash);
    const items = joined.get(list);
    if (items === undefined) joined.set(list, [texts.get(key)!]);
    else items.push(texts.get(key)!);
    texts.delete(key);
  }
  for (const [list, items] of joined) texts.set(list, items.join(','));
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
}

const partsOf = (key: string): string[] =>
  key
    .split('/', MAX_DEPTH * 4)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : part));

export interface EncodedKeys {
  /** In the order of their keys. */
  readonly pairs: readonly Pair[];
  /** Objects that have no form in flat keys, as a list item with a comma; none of their keys is written. */
  readonly problems: readonly ConfigError[];
}

/** The pairs that Traefik, and `decodeKeys`, read as this configuration. What only Edgeway has is left out: Traefik would refuse all. */
export function encodeKeys(configuration: DynamicConfiguration, root: string): EncodedKeys {
  const { leaves, problems } = flatten(configuration, { dialect: 'keys', checkName: checkKeyName, indexed: true });
  const pairs = leaves.map(({ path, text }): Pair => [[root, ...path.map(keyWord)].join('/'), text]);
  return { pairs: pairs.sort(([a], [b]) => (a < b ? -1 : 1)), problems };
}

/** `[3]` is written as `3`, which reads back as `[3]`. */
const keyWord = (word: string): string => /^\[(\d+)\]$/.exec(word)?.[1] ?? word;

function checkKeyName(name: string): string | undefined {
  if (name === '' || name.includes('/')) return `the name '${name}' is empty or has a slash`;
  return /^\d+$/.test(name) ? `the name '${name}' would be an index` : undefined;
}
