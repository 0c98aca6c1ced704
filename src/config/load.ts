import { type Dialect, decode, type Problem, type ProblemCode, type WarningCode } from '../base/decode.ts';
import { ConfigError, nearest, type Place } from '../base/errors.ts';
import type { Document } from './document.ts';
import { type DynamicConfiguration, dynamicConfiguration } from './dynamic.ts';

export interface Loaded {
  /** All that is sound. */
  readonly configuration: DynamicConfiguration;
  /** One for everything that was refused; the object it belongs to is not in `configuration`. */
  readonly problems: readonly ConfigError[];
  /** What is legal and does not do what one would think. */
  readonly warnings: readonly ConfigError[];
  /** The named objects that were refused. */
  readonly refused: readonly ObjectPath[];
}

/** `['http', 'routers', 'blog']`. */
export type ObjectPath = readonly [section: string, kind: string, name: string];

const CODES: Record<ProblemCode | WarningCode, ConfigError['code']> = {
  'unknown-option': 'config.unknown-option',
  'bad-value': 'config.bad-value',
  missing: 'config.missing',
  'empty-object': 'config.missing',
  deprecated: 'config.removed',
  ignored: 'config.unsupported',
  'passed-over': 'config.bad-value',
  'odd-value': 'config.bad-value',
};

/** Path of a node in the tree that was read: keys as written, indexes of lists as numbers. */
export type TreePath = readonly (string | number)[];

/** Reads a file's tree. Unknown keys at the top are for anchors and notes, as in Traefik. */
export function loadDynamic(document: Document): Loaded {
  const tree: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(document.tree)) if (key.toLowerCase() in dynamicConfiguration.fields!) tree[key] = value;
  return loadTree(tree, 'document', (path) => ({ source: document.source, line: document.lineOf(path) }));
}

/** `placeOf` tells where a node was written. */
export function loadTree(tree: Record<string, unknown>, dialect: Dialect, placeOf: (path: TreePath) => Place): Loaded {
  const { value, problems, warnings } = decode(dynamicConfiguration, tree, dialect);
  const configuration = value ?? {};
  for (const problem of problems) if (problem.code === 'unknown-option') refuseMisnamed(configuration, tree, problem.path, dialect);
  const toError = (problem: Problem<ProblemCode | WarningCode>): ConfigError => {
    const [object, rest] = objectOf(problem.path);
    const message = rest === '' ? problem.message : `${rest} ${problem.message}`;
    return new ConfigError(CODES[problem.code], message, { ...placeOf(problem.path), object });
  };
  const refused = problems.filter(({ path }) => path.length >= 3 && typeof path[2] === 'string').map(({ path }) => canonical(path));
  return { configuration, problems: problems.map(toError), warnings: warnings.map(toError), refused };
}

/** Section and kind in the spelling of the language. */
function canonical([section, kind, name]: TreePath): ObjectPath {
  const known = String(section).toLowerCase();
  const kinds = Object.keys(dynamicConfiguration.fields![known]?.fields ?? {});
  return [known, kinds.find((candidate) => candidate.toLowerCase() === String(kind).toLowerCase()) ?? String(kind), String(name)];
}

/** `http.routers.blog` and what stands below it; `tls.certificates[1]`. */
function objectOf(path: TreePath): [object: string, rest: string] {
  return [dotted(path.slice(0, 3)), dotted(path.slice(3))];
}

const dotted = (path: TreePath): string =>
  path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`), '');

/**
 * `http.router.blog.middlewares` beside `http.routers.blog.rule`: the router must not go on without its middlewares, so the object
 * of this name below the kind that was meant is refused too.
 */
function refuseMisnamed(configuration: DynamicConfiguration, tree: Record<string, unknown>, path: TreePath, dialect: Dialect): void {
  if (path.length !== 2) return;
  const section = String(path[0]).toLowerCase();
  const kind = nearest(String(path[1]), Object.keys(dynamicConfiguration.fields?.[section]?.fields ?? {}));
  const names = (tree[path[0]!] as Record<string, object | undefined>)[path[1]!];
  if (kind === undefined || typeof names !== 'object') return;
  for (const name of Object.keys(names ?? {})) dropObject(configuration, section, kind, name, dialect);
}

/** Takes an object out of a configuration; flat spellings do not tell letter case apart. */
export function dropObject(configuration: DynamicConfiguration, section: string, kind: string, name: string, dialect: Dialect): void {
  const kinds = (configuration as Record<string, Record<string, Record<string, unknown>> | undefined>)[section] ?? {};
  const objects = kinds[Object.keys(kinds).find((candidate) => candidate.toLowerCase() === kind.toLowerCase()) ?? ''];
  if (objects === undefined || Array.isArray(objects)) return;
  for (const candidate of dialect === 'document' ? [name] : Object.keys(objects))
    if (candidate === name || (dialect !== 'document' && candidate.toLowerCase() === name.toLowerCase())) delete objects[candidate];
}
