import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError, type Place } from '../../base/errors.ts';
import { type Document, formatOf } from '../../config/document.ts';
import type { Pair } from '../../config/keys.ts';
import { loadDynamic } from '../../config/load.ts';
import { isTree, keyOf } from '../../config/static/tree.ts';
import { loadStart } from '../../config/static-sources.ts';
import { type ReadCompose, readCompose } from '../../kv-sync/sources/compose.ts';
import { formatOfText, kindOf, parseTree } from '../../kv-sync/sources/detect.ts';
import { decodeLocated } from '../../kv-sync/sources/keys.ts';
import { parsePairs } from '../../kv-sync/sources/pairs.ts';
import { placesOf } from '../../kv-sync/sources/places.ts';
import { loadFiles } from '../../providers/file-load.ts';
import type { Io } from '../io.ts';
import { fault, type ReadSource } from './source.ts';

export interface ReadOptions {
  /** First part of labels and keys. */
  readonly root: string;
}

/** Reads what the user named: files, folders, `-` for standard input. Never throws for what a text says. */
export async function readSources(names: readonly string[], io: Io, options: ReadOptions): Promise<ReadSource[]> {
  const done = new Set<string>();
  const sources: ReadSource[] = [];
  for (const name of names) sources.push(...(await readSource(name, io, options, done)));
  for (const source of [...sources]) {
    const file = source.static?.configuration?.providers.file;
    const named = file?.directory || file?.filename;
    if (named !== undefined && named !== '' && !done.has(resolve(io.cwd, named)))
      sources.push(...(await readSource(named, io, options, done)));
  }
  return sources;
}

async function readSource(name: string, io: Io, options: ReadOptions, done: Set<string>): Promise<ReadSource[]> {
  if (name === '-') return [await readText('<stdin>', await readStream(io.stdin), io, options)];
  const path = resolve(io.cwd, name);
  if (done.has(path)) return [];
  done.add(path);
  try {
    if ((await stat(path)).isDirectory()) {
      const entries = (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
      const inner = entries.filter((entry) => (entry.isDirectory() ? !entry.name.startsWith('.') : formatOf(entry.name) !== undefined));
      const sources: ReadSource[] = [];
      for (const entry of inner) sources.push(...(await readSource(join(name, entry.name), io, options, done)));
      return sources;
    }
    return [await readText(name, await readFile(path, 'utf8'), io, options)];
  } catch (error) {
    return [fault('config.io', `cannot be read: ${(error as Error).message}`, name)];
  }
}

async function readStream(stream: Io['stdin']): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

async function readText(name: string, text: string, io: Io, options: ReadOptions): Promise<ReadSource> {
  const format = formatOfText(name, text);
  if (format === 'pairs') {
    const { pairs, lineOf, problems, warnings } = parsePairs(text, name);
    const read = readPairs(name, pairs, lineOf, options);
    return { ...read, problems: [...problems.map((error) => ({ error })), ...read.problems], warnings: [...warnings, ...read.warnings] };
  }
  let document: Document;
  try {
    document = parseTree(name, text, format);
  } catch (error) {
    // A template is no YAML before it was rendered.
    if (text.includes('{{') && name !== '<stdin>') return readDynamicFile(name, undefined, io);
    if (error instanceof ConfigError) return { dynamic: [], problems: [{ error }], warnings: [] };
    throw error;
  }
  const { tree } = document;
  switch (kindOf(tree)) {
    case 'compose':
      return fromCompose(readCompose(document, options.root, io.env));
    case 'keys':
      return readPairs(
        name,
        Object.entries(tree).map(([key, value]) => [key, String(value)]),
        (key) => document.lineOf([key]),
        options,
      );
    case 'static':
      return readStatic(name, text, format);
    case 'dynamic':
      return readDynamicFile(name, document, io);
    case 'both': {
      const [first, second] = [readStatic(name, text, format), await readDynamicFile(name, document, io)];
      return {
        ...first,
        dynamic: second.dynamic,
        problems: [...first.problems, ...second.problems],
        warnings: [...first.warnings, ...second.warnings],
      };
    }
    case 'nothing':
      if (Object.keys(tree).length === 0) return fault('config.missing', 'has no content', name);
      return fault(
        'config.missing',
        `has neither routers (http, tcp, udp, tls) nor a static configuration (entryPoints, providers …) nor compose services; it has ${Object.keys(tree).slice(0, 5).join(', ')}`,
        name,
      );
  }
}

function readStatic(name: string, text: string, format: string): ReadSource {
  // Names of files may have what is expanded in --configFile.
  const path = `static.${format}`;
  const { configuration, problems, warnings } = loadStart({
    arguments: [`--configFile=${path}`],
    environment: {},
    readFile: (asked) => (asked === path ? text : undefined),
  });
  const rename = (error: ConfigError): ConfigError =>
    error.place.source === path ? new ConfigError(error.code, error.message, { ...error.place, source: name }) : error;
  return {
    static: { configuration, path: name },
    dynamic: [],
    problems: problems.map((error) => ({ error: rename(error) })),
    warnings: warnings.map(rename),
  };
}

/** As the file provider reads it: templates rendered, files that are named looked up. */
async function readDynamicFile(name: string, document: Document | undefined, io: Io): Promise<ReadSource> {
  const isRead = ['yaml', 'toml'].includes(formatOf(name) ?? '') && name !== '<stdin>';
  const path = resolve(io.cwd, name);
  const { configuration, problems, warnings } = isRead ? await loadFiles({ filename: path }, io.env) : loadDynamic(document!);
  const rename = (error: ConfigError): ConfigError =>
    error.place.source === path ? new ConfigError(error.code, error.message, { ...error.place, source: name }) : error;
  const places = placesOf(configuration, (written): Place => ({ source: name, line: document?.lineOf(spelled(document.tree, written)) }));
  return {
    dynamic: [{ provider: 'file', configuration, places }],
    problems: problems.map((error) => ({ provider: 'file', error: rename(error) })),
    warnings: warnings.map(rename),
  };
}

/** The path in the letters that the document has. */
function spelled(tree: unknown, path: readonly string[]): string[] {
  let value = tree;
  return path.map((name) => {
    const key = isTree(value) ? (keyOf(value, name) ?? name) : name;
    value = isTree(value) ? value[key] : undefined;
    return key;
  });
}

function readPairs(name: string, pairs: readonly Pair[], lineOf: (key: string) => number | undefined, { root }: ReadOptions): ReadSource {
  const { configuration, places, problems, warnings } = decodeLocated(root, pairs, name, lineOf);
  return {
    dynamic: [{ provider: 'redis', configuration, places }],
    problems: problems.map((error) => ({ provider: 'redis', error })),
    warnings,
  };
}

function fromCompose({ parts, warnings }: ReadCompose): ReadSource {
  return {
    dynamic: parts.map(({ provider, configuration, places }) => ({ provider, configuration, places })),
    problems: parts.flatMap(({ provider, problems }) => problems.map((error) => ({ provider, error }))),
    warnings,
  };
}
