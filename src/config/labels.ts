import { ConfigError } from '../base/errors.ts';
import type { DynamicConfiguration } from './dynamic.ts';
import { type FlatEntry, MAX_DEPTH, sourceFinder, treeOf } from './flat.ts';
import { flatten } from './flatten.ts';
import { dropObject, type Loaded, loadTree } from './load.ts';

/** What is read below a root. The last is a prefix in Traefik too: labels can make the default store only. */
const SECTIONS = ['http', 'tcp', 'udp', 'tls.stores.default'];
/** Works beside Traefik's; where both say something, ours counts. */
const OWN_ROOT = 'edgeway';

interface BadLabel {
  readonly label: string;
  readonly message: string;
}

/**
 * The configuration of a set of labels, of which those of other programs are passed over. The source of a problem's place is the
 * label. Traefik refuses the whole set for one bad label; here the object that it belongs to is refused.
 */
export function decodeLabels(labels: Readonly<Record<string, string>>, root = 'traefik'): Loaded {
  const bad: BadLabel[] = [];
  const entries = [...readRoot(labels, root, bad), ...(root === OWN_ROOT ? [] : readRoot(labels, OWN_ROOT, bad))];
  const sourceOf = sourceFinder(entries);
  const loaded = loadTree(treeOf(entries), 'labels', (path) => ({ source: sourceOf(path) }));
  for (const { label } of bad) refuseOwner(loaded, label);
  const problems = bad.map(({ label, message }) => new ConfigError('config.syntax', message, { source: label }));
  return { ...loaded, problems: [...problems, ...loaded.problems] };
}

function readRoot(labels: Readonly<Record<string, string>>, root: string, bad: BadLabel[]): FlatEntry[] {
  const prefixes = SECTIONS.map((section) => `${root}.${section}`.toLowerCase());
  const longest = prefixes.at(-1)!.length;
  const entries: FlatEntry[] = [];
  for (const label of Object.keys(labels).sort()) {
    const start = label.slice(0, longest).toLowerCase();
    if (!prefixes.some((prefix) => start.startsWith(prefix))) continue;
    const parts = partsOf(label, root);
    if (typeof parts === 'string') bad.push({ label, message: parts });
    else entries.push({ parts, text: labels[label]!, source: label });
  }
  return entries;
}

/** The parts behind the root, `domains[0]` being two; or what is wrong. */
function partsOf(label: string, root: string): string[] | string {
  const words = label.split('.', MAX_DEPTH + 1);
  if (words.length > MAX_DEPTH) return `The label has more than ${MAX_DEPTH} parts`;
  if (words[0] !== root) return `The label begins with '${words[0]}'; write '${root}'${root.includes('.') ? ', a root without dot' : ''}`;
  const parts: string[] = [];
  for (const word of words.slice(1)) {
    if (word === '') return 'The label has an empty part; take the extra dot away';
    if (word[0] === '[') return `'${word}' begins with a bracket, which only ends a name as in domains[0]`;
    const bracket = word.endsWith(']') ? word.indexOf('[') : undefined;
    if (bracket === -1) return `'${word}' has no opening bracket`;
    if (bracket === undefined) parts.push(word);
    else parts.push(word.slice(0, bracket), word.slice(bracket));
  }
  return parts;
}

/** A router must not go on without the middlewares that a mistyped label wanted to give it. */
function refuseOwner({ configuration }: Loaded, label: string): void {
  const [section, kind, name] = label
    .split('.', MAX_DEPTH)
    .slice(1)
    .filter((word) => word !== '');
  if (section === undefined || kind === undefined || name === undefined) return;
  dropObject(configuration, section.toLowerCase(), kind, name.replace(/\[.*$/, ''), 'labels');
}

export interface EncodedLabels {
  readonly labels: Readonly<Record<string, string>>;
  /** Objects that have no form in labels, as a service with two servers; none of their labels is written. */
  readonly problems: readonly ConfigError[];
}

/** The labels that `decodeLabels` reads as this configuration. */
export function encodeLabels(configuration: DynamicConfiguration, root = 'traefik'): EncodedLabels {
  const { leaves, problems } = flatten(configuration, { dialect: 'labels', checkName: checkLabelName, checkObject, indexed: false });
  const labels: Record<string, string> = {};
  for (const { path, text } of leaves) labels[[root, ...path].join('.').replaceAll(/\.(?=\[)/g, '')] = text;
  return { labels, problems };
}

function checkLabelName(name: string): string | undefined {
  if (name === '' || name.includes('.')) return `the name '${name}' is empty or has a dot`;
  return name.startsWith('[') || name.endsWith(']') ? `the name '${name}' has a bracket at its begin or end` : undefined;
}

const checkObject = (kind: string, name: string): string | undefined =>
  kind === 'tls.stores' && !/^default/i.test(name) ? 'only the default store is read from labels' : undefined;
