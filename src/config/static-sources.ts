import { parse as parseToml } from 'smol-toml';
import { parseDocument } from 'yaml';
import { decode, type Problem } from '../base/decode.ts';
import { ConfigError } from '../base/errors.ts';
import type { Schema } from '../base/schema.ts';
import { complete, validate } from './static/effective.ts';
import { readEnvironment } from './static/environment.ts';
import { readFlags } from './static/flags.ts';
import { judgeRemoved, type SourceKind } from './static/removed.ts';
import { at, isTree, keyOf, overlay, prune, type Tree } from './static/tree.ts';
import { type StaticConfiguration, staticConfiguration } from './static.ts';

export interface StaticInput {
  /** What follows the command: flags only. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file, relative to the working folder; undefined when there is no such file. Throws when it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
}

export interface LoadedStatic {
  /** Completed and valid; undefined when there are problems. */
  readonly configuration: StaticConfiguration | undefined;
  /** Why it cannot be started with. */
  readonly problems: readonly ConfigError[];
  /** What works otherwise than one may think. */
  readonly warnings: readonly ConfigError[];
  readonly source: StaticSource;
}

export interface StaticSource {
  readonly kind: SourceKind | 'defaults';
  /** The file, where there is one. */
  readonly path?: string;
}

/**
 * The static configuration. As in Traefik, one source speaks alone: a file that is found, else flags, else variables. Only `edge`,
 * which Traefik does not have, may be spread: flags before variables before the file.
 */
export function loadStatic(input: StaticInput): LoadedStatic {
  const problems: ConfigError[] = [];
  const warnings: ConfigError[] = [];
  const flags = readFlags(input.arguments, staticConfiguration);
  problems.push(...flags.problems);
  const variables = readEnvironment(input.environment, staticConfiguration);
  const file = findFile(flags.configFile, input, problems, warnings);

  const sources: [SourceKind, string, Tree | undefined][] = [
    ['flags', 'command line', flags.tree],
    ['file', file?.path ?? '', file?.tree],
    ['environment', 'environment', variables.tree],
  ];
  for (const [kind, name, tree] of sources) {
    if (tree === undefined) continue;
    const removed = judgeRemoved(tree, kind, name);
    problems.push(...removed.problems);
    warnings.push(...removed.warnings);
  }

  const source = chooseSource(file, flags, variables, input);
  if (source.kind === 'environment') problems.push(...variables.problems);
  if (source.kind === 'file') warnIgnored(flags.tree, variables.tree, source.path!, warnings);
  if (problems.length > 0) return { configuration: undefined, problems, warnings, source };

  const chosen =
    source.kind === 'file' ? file!.tree! : source.kind === 'flags' ? flags.tree : source.kind === 'environment' ? variables.tree : {};
  const edge = [file?.tree, variables.tree, flags.tree].map((tree) => at(tree, ['edge'])).reduce(overlay, undefined);
  const name = source.path ?? (source.kind === 'flags' ? 'command line' : source.kind);
  const decoded = decodeStatic(withEdge(chosen, edge), source.kind === 'file' ? 'document' : 'keys', name);
  if (decoded.problems.length > 0) return { configuration: undefined, problems: decoded.problems, warnings, source };
  const configuration = complete(decoded.value!);
  const invalid = validate(configuration, name);
  return { configuration: invalid.length > 0 ? undefined : configuration, problems: invalid, warnings, source };
}

interface FoundFile {
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
      if (text !== undefined) return { path, tree: parseStatic(text, path) };
      if (index === 0 && configFile !== undefined && configFile.trim() !== '')
        warnings.push(new ConfigError('config.io', 'does not exist; the default places, flags and variables are tried', { source: path }));
    } catch (error) {
      problems.push(error instanceof ConfigError ? error : new ConfigError('config.io', (error as Error).message, { source: path }));
      return { path, tree: undefined };
    }
  }
  return undefined;
}

/** The sections of a static file; unknown ones are left out, so that one file can be static and dynamic. */
export function parseStatic(text: string, path: string): Tree {
  const document = prune(parseText(text, path));
  if (!isTree(document) || Object.keys(document).length === 0)
    throw new ConfigError('config.missing', 'has no content; write at least one section, such as entryPoints', { source: path });
  const known = new Map(Object.keys(staticConfiguration.fields!).map((name) => [name.toLowerCase(), name]));
  const kept = Object.entries(document).filter(([name]) => known.has(name.toLowerCase()));
  const tree = Object.fromEntries(kept) as Tree;
  // Removed sections are kept, so that they are found.
  const pilot = keyOf(document, 'pilot');
  if (pilot !== undefined) tree.pilot = document[pilot];
  if (Object.keys(tree).length === 0)
    throw new ConfigError('config.missing', `has no section of a static configuration; known are ${[...known.values()].join(', ')}`, {
      source: path,
    });
  return tree;
}

function parseText(text: string, path: string): unknown {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  if (extension === 'toml') {
    try {
      return parseToml(text);
    } catch (error) {
      const line = (error as { line?: number }).line;
      throw new ConfigError('config.syntax', (error as Error).message.split('\n')[0]!, { source: path, line });
    }
  }
  if (extension !== 'yaml' && extension !== 'yml' && extension !== 'json')
    throw new ConfigError('config.syntax', 'is neither .toml nor .yaml, .yml or .json', { source: path });
  const document = parseDocument(text.split(/^---\s*$/m).find((part) => part.trim() !== '') ?? '', { merge: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined)
    throw new ConfigError('config.syntax', error.message.split('\n')[0]!, { source: path, line: error.linePos?.[0].line });
  return document.toJS();
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

const CODES: Record<Problem['code'], ConstructorParameters<typeof ConfigError>[0]> = {
  'unknown-option': 'config.unknown-option',
  'bad-value': 'config.bad-value',
  missing: 'config.missing',
  'empty-object': 'config.bad-value',
};

function decodeStatic(
  tree: Tree,
  dialect: 'document' | 'keys',
  source: string,
): { value: StaticConfiguration | undefined; problems: ConfigError[] } {
  const { value, problems } = decode(staticConfiguration as Schema<StaticConfiguration>, tree, dialect);
  return {
    value,
    problems: problems.map(({ code, path, message }) => new ConfigError(CODES[code], message, { source, object: path.join('.') })),
  };
}
