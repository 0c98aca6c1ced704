import { decode, type Problem, type ProblemCode, type WarningCode } from '../base/decode.ts';
import { ConfigError, type Place } from '../base/errors.ts';
import type { Schema } from '../base/schema.ts';
import { formatOf, parseDocument } from './document.ts';
import type { TreePath } from './load.ts';
import { STATE_DIRECTORY } from './static/edge.ts';
import { complete, validate, validateStart } from './static/effective.ts';
import { readEnvironment } from './static/environment.ts';
import { readFlags } from './static/flags.ts';
import { judgeRemoved, type SourceKind } from './static/removed.ts';
import { readStoreKeys, type StoreKeys } from './static/store-keys.ts';
import { at, keyOf, overlay, type Tree } from './static/tree.ts';
import { type StaticConfiguration, staticConfiguration } from './static.ts';

export interface StaticInput {
  /** What follows the command: flags only. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file, relative to the working folder; undefined when there is no such file. Throws when it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  /** What `edge.bootstrap` leads to, once it was read. */
  readonly store?: StoreKeys;
}

export interface LoadedStatic {
  /** Completed and valid; undefined when there are problems. */
  readonly configuration: StaticConfiguration | undefined;
  /** Why it cannot be started with. */
  readonly problems: readonly ConfigError[];
  /** What works otherwise than one may think. */
  readonly warnings: readonly ConfigError[];
  readonly source: StaticSource;
  /** `edge.bootstrap`, of which nothing was read yet: what is said here is not all. */
  readonly bootstrap?: BootstrapPlace;
}

/** What must be known before the store is read, and so cannot stand there. */
export interface BootstrapPlace {
  readonly url: string;
  /** `edge.stateDirectory`, with its default. */
  readonly stateDirectory: string;
}

export interface StaticSource {
  readonly kind: SourceKind | 'defaults';
  /** The file, where there is one. */
  readonly path?: string;
}

/**
 * The static configuration. As in Traefik, one source speaks alone: a file that is found, else flags, else variables. Only `edge`,
 * which Traefik does not have, may be spread: flags before variables before the file. With a store (`edge.bootstrap`) flags come
 * before variables before the store in all of it, and a file may hold nothing but `edge`.
 */
export function loadStatic(input: StaticInput): LoadedStatic {
  const problems: ConfigError[] = [];
  const warnings: ConfigError[] = [];
  const flags = readFlags(input.arguments, staticConfiguration);
  problems.push(...flags.problems);
  const variables = readEnvironment(input.environment, staticConfiguration);
  const file = findFile(flags.configFile, input, problems, warnings);
  const store = input.store && readStoreKeys(input.store, staticConfiguration);
  problems.push(...(store?.problems ?? []));

  const sources: [SourceKind, string, Tree | undefined][] = [
    ['flags', 'command line', flags.tree],
    ['file', file?.path ?? '', file?.tree],
    ['environment', 'environment', variables.tree],
    ['store', input.store?.name ?? '', store?.tree],
  ];
  for (const [kind, name, tree] of sources) {
    if (tree === undefined) continue;
    const removed = judgeRemoved(tree, kind, (path) => ({ source: name, line: kind === 'file' ? file?.lineOf(path) : undefined }));
    problems.push(...removed.problems);
    warnings.push(...removed.warnings);
  }

  const edge = [file?.tree, store?.tree, variables.tree, flags.tree].map((tree) => at(tree, ['edge'])).reduce(overlay, undefined);
  const url = at(edge, ['bootstrap']);
  const source = input.store ? storeSource(input.store, file, problems) : chooseSource(file, flags, variables, input);
  if (typeof url === 'string' && url !== '' && input.store === undefined) {
    const bootstrap = { url, stateDirectory: String(at(edge, ['stateDirectory']) ?? STATE_DIRECTORY) };
    return { configuration: undefined, problems, warnings, source, bootstrap };
  }
  if (source.kind === 'environment' || source.kind === 'store') problems.push(...variables.problems);
  if (source.kind === 'file') warnIgnored(flags.tree, variables.tree, source.path!, warnings);
  if (problems.length > 0) return { configuration: undefined, problems, warnings, source };

  const trees = {
    file: file?.tree,
    flags: flags.tree,
    environment: variables.tree,
    store: [store?.tree, variables.tree, flags.tree].reduce<unknown>(overlay, undefined) as Tree,
    defaults: undefined,
  };
  const chosen = trees[source.kind] ?? {};
  const name = source.path ?? (source.kind === 'flags' ? 'command line' : source.kind);
  const placeOf = (path: TreePath): Place => ({ source: name, line: source.kind === 'file' ? file?.lineOf(path) : undefined });
  const decoded = decodeStatic(withEdge(chosen, edge), source.kind === 'file' ? 'document' : 'keys', placeOf);
  const known = new Set(warnings.map(({ place }) => place.object?.toLowerCase()));
  warnings.push(...decoded.warnings.filter(({ code, place }) => code !== 'config.removed' || !known.has(place.object?.toLowerCase())));
  if (decoded.problems.length > 0) return { configuration: undefined, problems: decoded.problems, warnings, source };
  const configuration = complete(decoded.value!);
  const invalid = validate(configuration, name);
  return { configuration: invalid.length > 0 ? undefined : configuration, problems: invalid, warnings, source };
}

/** `loadStatic` for a program that is about to start: also refuses what cannot be opened. */
export function loadStart(input: StaticInput): LoadedStatic {
  const loaded = loadStatic(input);
  const { configuration, source } = loaded;
  if (configuration === undefined) return loaded;
  const problems = validateStart(configuration, source.path ?? source.kind);
  return problems.length === 0 ? loaded : { ...loaded, configuration: undefined, problems };
}

interface FoundFile extends Omit<StaticDocument, 'tree'> {
  readonly path: string;
  readonly tree: Tree | undefined;
}

const EXTENSIONS = ['toml', 'yaml', 'yml'];

/** Where a file may lie, in the order in which it is looked for. */
export function searchPaths(configFile: string | undefined, environment: StaticInput['environment']): string[] {
  const folders = [
    '/etc/traefik',
    environment.XDG_CONFIG_HOME === undefined ? undefined : environment.XDG_CONFIG_HOME,
    environment.HOME === undefined ? undefined : `${environment.HOME}/.config`,
    '.',
  ];
  const named = configFile === undefined || configFile.trim() === '' ? [] : [expand(configFile, environment)];
  return [
    ...named,
    ...folders
      .filter((folder) => folder !== undefined && folder !== '')
      .flatMap((folder) => EXTENSIONS.map((extension) => `${folder}/traefik.${extension}`)),
  ];
}

/** `$NAME` and `${NAME}`. */
const expand = (path: string, environment: StaticInput['environment']): string =>
  path.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, bare: string | undefined) => environment[braced ?? bare!] ?? '');

function findFile(
  configFile: string | undefined,
  input: StaticInput,
  problems: ConfigError[],
  warnings: ConfigError[],
): FoundFile | undefined {
  const paths = searchPaths(configFile, input.environment);
  for (const [index, path] of paths.entries()) {
    try {
      const text = input.readFile(path);
      if (text !== undefined) return { path, ...parseStatic(text, path) };
      if (index === 0 && configFile !== undefined && configFile.trim() !== '')
        warnings.push(new ConfigError('config.io', 'does not exist; the default places, flags and variables are tried', { source: path }));
    } catch (error) {
      problems.push(error instanceof ConfigError ? error : new ConfigError('config.io', (error as Error).message, { source: path }));
      return { path, tree: undefined, lineOf: () => undefined };
    }
  }
  return undefined;
}

export interface StaticDocument {
  readonly tree: Tree;
  readonly lineOf: (path: TreePath) => number | undefined;
}

/** The sections of a static file; unknown ones are left out, so that one file can be static and dynamic. Throws ConfigError. */
export function parseStatic(text: string, path: string): StaticDocument {
  const format = formatOf(path);
  if (format === undefined) throw new ConfigError('config.syntax', 'is neither .toml nor .yaml, .yml or .json', { source: path });
  const document = parseDocument(text, format, path);
  const said = Object.entries(document.tree).filter(([, value]) => value !== null && value !== undefined);
  if (said.length === 0)
    throw new ConfigError('config.missing', 'has no content; write at least one section, such as entryPoints', { source: path });
  const known = Object.keys(staticConfiguration.fields!);
  // Removed sections are kept, so that they are found.
  const names = new Set([...known, 'pilot'].map((name) => name.toLowerCase()));
  const tree = Object.fromEntries(said.filter(([name]) => names.has(name.toLowerCase()))) as Tree;
  if (Object.keys(tree).length === 0)
    throw new ConfigError('config.missing', `has no section of a static configuration; known are ${known.join(', ')}`, { source: path });
  return { tree, lineOf: (place) => document.lineOf(place) };
}

const saysAnything = (tree: Tree): boolean => Object.keys(tree).some((name) => name.toLowerCase() !== 'edge');

function chooseSource(
  file: FoundFile | undefined,
  flags: ReturnType<typeof readFlags>,
  variables: ReturnType<typeof readEnvironment>,
  input: StaticInput,
): StaticSource {
  if (file !== undefined && (file.tree === undefined || saysAnything(file.tree))) return { kind: 'file', path: file.path };
  if (saysAnything(flags.tree) || (input.arguments.length > 0 && Object.keys(flags.tree).length === 0)) return { kind: 'flags' };
  if (saysAnything(variables.tree)) return { kind: 'environment' };
  if (file !== undefined) return { kind: 'file', path: file.path };
  return { kind: 'defaults' };
}

function storeSource({ name }: StoreKeys, file: FoundFile | undefined, problems: ConfigError[]): StaticSource {
  if (file?.tree !== undefined && saysAnything(file.tree))
    problems.push(
      new ConfigError('config.conflict', `says more than edge, and so does ${name} (edge.bootstrap); keep one of them`, {
        source: file.path,
      }),
    );
  return { kind: 'store', path: name };
}

function warnIgnored(flags: Tree, variables: Tree, path: string, warnings: ConfigError[]): void {
  for (const [tree, what] of [
    [flags, 'flags'],
    [variables, 'variables'],
  ] as const) {
    const names = Object.keys(tree).filter((name) => name.toLowerCase() !== 'edge');
    if (names.length > 0)
      warnings.push(
        new ConfigError('config.conflict', `${what} are not read because this file is (${names.join(', ')}); write them there`, {
          source: path,
        }),
      );
  }
}

function withEdge(tree: Tree, edge: unknown): Tree {
  const key = keyOf(tree, 'edge');
  const rest = Object.fromEntries(Object.entries(tree).filter(([name]) => name !== key));
  return edge === undefined ? (rest as Tree) : ({ ...rest, edge } as Tree);
}

const CODES: Record<ProblemCode | WarningCode, ConfigError['code']> = {
  'unknown-option': 'config.unknown-option',
  'bad-value': 'config.bad-value',
  missing: 'config.missing',
  'empty-object': 'config.bad-value',
  deprecated: 'config.removed',
  ignored: 'config.unsupported',
  'passed-over': 'config.bad-value',
  'odd-value': 'config.bad-value',
};

/** Decodes sections that were read; `placeOf` tells where a node was written. */
export function decodeStatic(tree: Tree, dialect: 'document' | 'keys', placeOf: (path: TreePath) => Place) {
  const { value, problems, warnings } = decode(staticConfiguration as Schema<StaticConfiguration>, tree, dialect);
  const toError = ({ code, path, message }: Problem<ProblemCode | WarningCode>): ConfigError =>
    new ConfigError(CODES[code], message, { ...placeOf(path), object: path.join('.') });
  return { value, problems: problems.map(toError), warnings: warnings.map(toError) };
}
