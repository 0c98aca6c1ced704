import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { migrateDocument } from '../config/migrate/document.ts';
import { migrateEntry } from '../config/migrate/flat.ts';
import type { Tree } from '../config/static/tree.ts';
import { formatOfText } from '../kv-sync/sources/detect.ts';
import { readArguments, UsageError } from './arguments.ts';
import type { Command, Io } from './io.ts';
import { unifiedDiff } from './migrate/diff.ts';
import { migrateToml } from './migrate/toml.ts';
import { applyToTree } from './migrate/tree.ts';
import { type MigratedText, migrateYaml } from './migrate/yaml.ts';

export const usage = `Usage: edgeway migrate [--output FILE|FOLDER|-] FILE… | -

Brings configuration of Traefik 2 to version 3: rules to the syntax v3, renamed and removed options of static and dynamic files (YAML,
TOML, JSON), labels and flags in compose files, keys of a store, objects of Kubernetes. It prints the changes as a unified diff, which
'patch -p0' takes; what a person must decide is said on standard error.

  --output PATH   writes the new text instead: to a file, to a folder under the same names, or to standard output (-)

Exit codes: 0 done, 1 a file cannot be read or something is left to be done by hand, 2 wrong usage.
`;

export const run: Command = async (args, io) => {
  try {
    const { options, words } = readArguments(args, { output: 'value', help: 'switch' }, { o: 'output', h: 'help' });
    if (options.help !== undefined) {
      io.stdout.write(usage);
      return 0;
    }
    if (words.length === 0) throw new UsageError('names no file');
    const output = options.output?.at(-1);
    if (output !== undefined && output !== '-' && words.length > 1 && !(await isFolder(resolve(io.cwd, output))))
      await mkdir(resolve(io.cwd, output), { recursive: true });
    let status = 0;
    for (const name of words) status = Math.max(status, await migrateFile(name, output, io));
    return status;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`edgeway migrate: ${error.message}\n\n${usage}`);
    return 2;
  }
};

const isFolder = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isDirectory() === true;

async function migrateFile(name: string, output: string | undefined, io: Io): Promise<number> {
  const label = name === '-' ? '<stdin>' : name;
  let before: string;
  let migrated: MigratedText;
  try {
    before = name === '-' ? await readAll(io.stdin) : await readFile(resolve(io.cwd, name), 'utf8');
    migrated = migrateText(label, before);
  } catch (error) {
    io.stderr.write(`edgeway migrate: ${label}: ${(error as Error).message}\n`);
    return 1;
  }
  for (const { object, message, byHand } of migrated.notes)
    io.stderr.write(`${label}: ${object} ${byHand ? 'needs your eye: ' : ''}${message}\n`);
  if (output === undefined) io.stdout.write(unifiedDiff(before, migrated.text, label, label));
  else if (output === '-') io.stdout.write(migrated.text);
  else {
    const path = resolve(io.cwd, output);
    await writeFile((await isFolder(path)) ? join(path, basename(label)) : path, migrated.text);
  }
  return migrated.notes.some(({ byHand }) => byHand) ? 1 : 0;
}

/** The text in version 3. Throws an Error where it cannot be read. */
export function migrateText(name: string, text: string): MigratedText {
  switch (formatOfText(name, text)) {
    case 'yaml':
      return migrateYaml(text);
    case 'toml':
      return migrateToml(text);
    case 'json':
      return migrateJson(text);
    case 'pairs':
      return migratePairs(text);
  }
}

function migrateJson(text: string): MigratedText {
  const tree = JSON.parse(text) as Tree;
  const { edits, notes } = migrateDocument(tree);
  if (edits.length === 0) return { text, notes };
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  return { text: `${JSON.stringify(edits.reduce<Tree>(applyToTree, tree), undefined, indent)}${text.endsWith('\n') ? '\n' : ''}`, notes };
}

function migratePairs(text: string): MigratedText {
  const notes: MigratedText['notes'][number][] = [];
  const lines = text.split('\n').flatMap((line) => {
    const form = /^(\s*)([^\s=,#]+)(\s*[=,\t ]\s?)(.*)$/.exec(line);
    if (form === null) return [line];
    const { name, value, note } = migrateEntry(form[2]!, form[4]!, '/');
    if (note !== undefined) notes.push(note);
    return name === undefined ? [] : [`${form[1]}${name}${form[3]}${value}`];
  });
  return { text: lines.join('\n'), notes };
}

async function readAll(stream: Io['stdin']): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
