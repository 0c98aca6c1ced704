import { readFile, stat } from 'node:fs/promises';
import { sleep } from '../../base/clock.ts';
import { ConfigError } from '../../base/errors.ts';
import type { Document } from '../../config/document.ts';
import type { Pair } from '../../config/keys.ts';
import { loadDynamic } from '../../config/load.ts';
import { inlineFiles } from '../../providers/inline-files.ts';
import { createPathWatcher } from '../../providers/path-watcher.ts';
import { readCompose } from './compose.ts';
import { formatOfText, kindOf, parseTree } from './detect.ts';
import { createKeysReader, type KeysReader } from './keys.ts';
import { createPairsReader, type PairsReader } from './pairs-reader.ts';
import { describePart, type Part, type PartContext } from './part.ts';

/** A file is read when it has not changed for this long: who writes it in place may be in the middle of it. */
const REST_MS = 100;
/** One that never rests is read as it is. */
const RESTLESS_MS = 2_000;

/** A file whose content tells what it is: lines of keys, a compose file, JSON. What cannot be read at all is told, and stays as it was. */
export async function* readTextFile(path: string, watch: boolean, context: PartContext): AsyncGenerator<Part> {
  const watcher = watch ? createPathWatcher(context.clock, context.signal) : undefined;
  const readers = createReaders(context);
  let last: Part | undefined;
  do {
    let part: Part;
    if (last !== undefined) await rest(path, context);
    // Until nothing can have changed between the look at the file and the begin of the watch.
    do {
      const text = await readFile(path, 'utf8').catch((error: Error) => error);
      part = text instanceof Error ? unreadable(path, text, last) : await readText(path, text, context, readers);
    } while (watcher !== undefined && (await watcher.set([path], new Set())));
    last = part;
    yield part;
  } while (watcher !== undefined && (await watcher.changed()));
}

async function rest(path: string, { clock, signal }: PartContext): Promise<void> {
  const end = clock.now() + RESTLESS_MS;
  let state = await stateOf(path);
  while (clock.now() < end && (await sleep(clock, REST_MS, signal))) {
    const now = await stateOf(path);
    if (now === state) return;
    state = now;
  }
}

const stateOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
    () => '',
  );

const unreadable = (path: string, error: Error, last: Part | undefined): Part => {
  const problem = new ConfigError('config.io', `The file cannot be read: ${error.message}`, { source: path });
  return last === undefined ? describePart(path, problem) : { ...last, problems: [problem] };
};

/** Know what they read last. */
interface TextReaders {
  readonly readPairs: PairsReader;
  readonly readKeys: KeysReader;
}

const createReaders = ({ root }: PartContext): TextReaders => ({ readPairs: createPairsReader(), readKeys: createKeysReader(root) });

/** What a text says, by its name and its look. */
export async function readText(
  name: string,
  text: string,
  context: PartContext,
  { readPairs, readKeys }: TextReaders = createReaders(context),
): Promise<Part> {
  const format = formatOfText(name, text);
  if (format === 'pairs' || text.trim() === '') {
    const { pairs, lineOf, problems, warnings } = readPairs(text, name);
    return addProblems(readKeys(name, pairs, lineOf), problems, warnings);
  }
  try {
    return await readTree(name, parseTree(name, text, format), context, readKeys);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return describePart(name, error);
  }
}

async function readTree(name: string, document: Document, context: PartContext, readKeys: KeysReader): Promise<Part> {
  const kind = kindOf(document.tree);
  if (kind === 'compose') return fromCompose(name, document, context);
  if (kind === 'keys') {
    const pairs = Object.entries(document.tree).map(([key, value]): Pair => [key, String(value)]);
    return readKeys(name, pairs, (key) => document.lineOf([key]));
  }
  if (kind === 'static') throw new ConfigError('config.bad-value', `is a static configuration; name it with --static`, { source: name });
  if (kind === 'nothing' && Object.keys(document.tree).length > 0)
    throw new ConfigError('config.bad-value', `has neither routers (http, tcp, udp, tls) nor services of compose nor keys`, {
      source: name,
    });
  const { configuration, problems, warnings } = loadDynamic(document);
  const inlined = await inlineFiles(configuration, name);
  return {
    source: name,
    suffixes: ['file'],
    configuration: inlined.configuration,
    problems: [...problems, ...inlined.problems],
    warnings: [...warnings, ...inlined.warnings],
  };
}

function fromCompose(name: string, document: Document, { root, environment }: PartContext): Part {
  const { parts, warnings } = readCompose(document, root, environment);
  const [first, second] = parts;
  const problems = parts.flatMap(({ problems }) => problems);
  if (second !== undefined)
    problems.push(
      new ConfigError('config.conflict', 'has labels of services and others below deploy; name the ones or the others', { source: name }),
    );
  return { source: name, suffixes: ['docker', 'swarm'], configuration: first?.configuration ?? {}, problems, warnings };
}

const addProblems = (part: Part, problems: readonly ConfigError[], warnings: readonly ConfigError[]): Part => ({
  ...part,
  problems: [...problems, ...part.problems],
  warnings: [...warnings, ...part.warnings],
});
