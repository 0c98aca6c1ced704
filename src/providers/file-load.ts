import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { formatOf, parseDocument } from '../config/document.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';
import { type Loaded, loadDynamic } from '../config/load.ts';
import { compileTemplate } from '../config/template.ts';
import { inlineFiles } from './inline-files.ts';
import { keepRefused } from './keep-refused.ts';

/** One of the two; the directory wins. */
export interface FileSource {
  readonly filename?: string;
  readonly directory?: string;
}

export interface LoadedFiles extends Omit<Loaded, 'refused'> {
  /** Everything that was read or looked for: a change of it may change the configuration. */
  readonly paths: readonly string[];
  /** Those of them whose every entry counts. */
  readonly folders: ReadonlySet<string>;
  /** Files without any text. */
  readonly empty: number;
}

/** By file: what it said when it was last read without fault. */
export type FileMemory = Map<string, DynamicConfiguration>;

/**
 * Reads the files of a source as Traefik's file provider does. With a memory, what a faulty file or object was before stays in
 * force. Nothing is thrown: every fault is a problem with its place.
 */
export async function loadFiles(
  source: FileSource,
  environment: Readonly<Record<string, string | undefined>>,
  memory: FileMemory = new Map(),
): Promise<LoadedFiles> {
  const problems: ConfigError[] = [];
  const warnings: ConfigError[] = [];
  const folders = new Set<string>();
  const paths = new Set<string>();
  const parts: NamedConfiguration[] = [];
  let empty = 0;
  for (const { path, name } of await listFiles(source, problems, folders)) {
    const loaded = await loadFile(path, environment, memory);
    problems.push(...loaded.problems);
    warnings.push(...loaded.warnings);
    for (const read of [path, ...loaded.paths]) paths.add(read);
    parts.push({ name, configuration: loaded.configuration });
    if (loaded.empty) empty++;
  }
  return { configuration: mergeFiles(parts, warnings), problems, warnings, paths: [...folders, ...paths], folders, empty };
}

interface FoundFile {
  readonly path: string;
  /** Relative to the directory, as Traefik's log names it. */
  readonly name: string;
}

async function listFiles({ filename, directory }: FileSource, problems: ConfigError[], folders: Set<string>): Promise<FoundFile[]> {
  if (directory !== undefined && directory !== '') return listDirectory(directory, '', problems, folders);
  if (filename === undefined || filename === '') {
    problems.push(new ConfigError('config.missing', 'The file provider has no source; write filename or directory'));
    return [];
  }
  if (isSupported(filename)) return [{ path: filename, name: filename }];
  problems.push(
    new ConfigError('config.bad-value', 'The file has no extension that is read here; name it .yml, .yaml or .toml', { source: filename }),
  );
  return [];
}

/** JSON is read in .yml files only: a folder may hold JSON of other programs, as Traefik sees it. */
const isSupported = (name: string): boolean => ['yaml', 'toml'].includes(formatOf(name) ?? '');

async function listDirectory(directory: string, prefix: string, problems: ConfigError[], folders: Set<string>): Promise<FoundFile[]> {
  folders.add(directory);
  let entries: { name: string; isDirectory(): boolean }[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    problems.push(new ConfigError('config.io', `The directory cannot be read: ${(error as Error).message}`, { source: directory }));
    return [];
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: FoundFile[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    const name = join(prefix, entry.name);
    // `..2024_08_01`: the generations behind a Kubernetes ConfigMap, whose current one is linked beside.
    if (entry.isDirectory()) found.push(...(entry.name.startsWith('..') ? [] : await listDirectory(path, name, problems, folders)));
    else if (isSupported(entry.name)) found.push({ path, name });
  }
  return found;
}

interface LoadedFile extends Omit<Loaded, 'refused'> {
  readonly paths: readonly string[];
  readonly empty: boolean;
}

async function loadFile(path: string, environment: Readonly<Record<string, string | undefined>>, memory: FileMemory): Promise<LoadedFile> {
  const before = memory.get(path);
  try {
    const text = await readConfigurationFile(path);
    const loaded = readText(text, path, environment);
    const inlined = await inlineFiles(loaded.configuration, path);
    const configuration = keepRefused(inlined.configuration, loaded.refused, before);
    memory.set(path, configuration);
    const problems = [...loaded.problems, ...inlined.problems];
    return { configuration, problems, warnings: [...loaded.warnings, ...inlined.warnings], paths: inlined.paths, empty: text === '' };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { configuration: before ?? {}, problems: [error], warnings: [], paths: [], empty: false };
  }
}

async function readConfigurationFile(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is no file');
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError('config.io', `The file cannot be read: ${(error as Error).message}`, { source: path });
  }
}

/** Only a text with actions is a template; the rest is taken as it is. */
export function readText(text: string, path: string, environment: Readonly<Record<string, string | undefined>>): Loaded {
  const rendered = text.includes('{{') ? compileTemplate(text, path)(false, environment) : text;
  return loadDynamic(parseDocument(rendered, formatOf(path)!, path));
}

type Objects = Record<string, Record<string, Record<string, unknown> | undefined> | undefined>;

interface NamedConfiguration {
  readonly name: string;
  readonly configuration: DynamicConfiguration;
}

/** Of two objects with one name the first counts, and of two equal certificates. */
function mergeFiles(parts: readonly NamedConfiguration[], warnings: ConfigError[]): DynamicConfiguration {
  const merged: Objects = {};
  for (const { name: source, configuration } of parts) {
    for (const [section, kinds] of Object.entries(configuration as Objects)) {
      merged[section] ??= {};
      for (const [kind, objects] of Object.entries(kinds ?? {})) {
        const skipped = Array.isArray(objects)
          ? mergeCertificates(merged[section], objects)
          : mergeObjects((merged[section][kind] ??= {}), objects ?? {});
        for (const object of skipped)
          warnings.push(
            new ConfigError('config.conflict', 'is defined by an earlier file; this one is passed over', {
              source,
              object: `${section}.${kind}${object}`,
            }),
          );
      }
    }
  }
  return merged as DynamicConfiguration;
}

function mergeObjects(target: Record<string, unknown>, objects: Record<string, unknown>): string[] {
  const skipped: string[] = [];
  for (const [name, object] of Object.entries(objects)) {
    if (Object.hasOwn(target, name)) skipped.push(`.${name}`);
    else Object.defineProperty(target, name, { value: object, enumerable: true, configurable: true, writable: true });
  }
  return skipped;
}

interface Pem {
  readonly certFile?: string;
  readonly keyFile?: string;
}

function mergeCertificates(tls: Record<string, unknown>, certificates: readonly Pem[]): string[] {
  const target = ((tls.certificates as Pem[] | undefined) ?? []).slice();
  const known = new Set(target.map(pemText));
  const skipped: string[] = [];
  certificates.forEach((certificate, index) => {
    const text = pemText(certificate);
    if (known.has(text)) skipped.push(`[${index}]`);
    else target.push(certificate);
    known.add(text);
  });
  tls.certificates = target;
  return skipped;
}

const pemText = ({ certFile, keyFile }: Pem): string => `${certFile ?? ''}\0${keyFile ?? ''}`;
