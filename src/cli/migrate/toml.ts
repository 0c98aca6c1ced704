import { parse } from 'smol-toml';
import { migrateDocument } from '../../config/migrate/document.ts';
import type { Edit } from '../../config/static/removed.ts';
import { isTree, type Tree } from '../../config/static/tree.ts';
import { applyToTree } from './tree.ts';
import type { MigratedText } from './yaml.ts';

/** A TOML text, changed line by line so that comments stay. Throws an Error where it is no TOML. */
export function migrateToml(text: string): MigratedText {
  const tree = parse(text) as Tree;
  const { edits, notes } = migrateDocument(tree);
  if (edits.length === 0) return { text, notes };
  const after = edits.reduce<Tree>(applyToTree, structuredClone(tree));
  let lines = text.split('\n');
  for (const edit of edits) lines = applyEdit(lines, edit, after);
  return { text: lines.join('\n'), notes };
}

interface Entry {
  readonly path: readonly string[];
  /** Lines from, and up to but without. */
  readonly from: number;
  readonly to: number;
  readonly isHeader: boolean;
}

/** Tables and keys with their whole paths; items of arrays of tables are left alone. */
function entriesOf(lines: readonly string[]): Entry[] {
  const entries: Entry[] = [];
  let table: readonly string[] | undefined = [];
  for (let line = 0; line < lines.length; line++) {
    const text = lines[line]!.trim();
    if (text === '' || text.startsWith('#')) continue;
    const header = /^\[([^[].*?)\]\s*(#.*)?$/.exec(text);
    if (header !== null) {
      table = keysOf(header[1]!);
      entries.push({ path: table, from: line, to: line + 1, isHeader: true });
      continue;
    }
    if (text.startsWith('[[')) {
      table = undefined;
      continue;
    }
    const equals = endOfKey(text);
    if (equals === -1) continue;
    let to = line + 1;
    while (
      to < lines.length &&
      !isWhole(
        lines
          .slice(line, to)
          .join('\n')
          .trim()
          .slice(equals + 1),
      )
    )
      to++;
    if (table !== undefined) entries.push({ path: [...table, ...keysOf(text.slice(0, equals))], from: line, to, isHeader: false });
    line = to - 1;
  }
  return entries;
}

function endOfKey(text: string): number {
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!;
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '=') return i;
  }
  return -1;
}

/** `a."b.c".d` */
function keysOf(text: string): string[] {
  const keys: string[] = [];
  for (const [, quoted, literal, bare] of text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([^.\s"']+)/g))
    keys.push(quoted ?? literal ?? bare!);
  return keys;
}

/** A value that goes over several lines is no value before its last. */
function isWhole(value: string): boolean {
  try {
    parse(`x = ${value}`);
    return true;
  } catch {
    return false;
  }
}

const startsWith = (path: readonly string[], start: readonly string[]): boolean =>
  start.length <= path.length && start.every((part, i) => part === path[i]);

function applyEdit(lines: readonly string[], edit: Edit, after: Tree): string[] {
  const path = 'set' in edit ? edit.set : edit.remove;
  const entries = entriesOf(lines);
  // Inside an inline table: the whole of it is written anew.
  const holder = entries.find((entry) => !entry.isHeader && entry.path.length < path.length && startsWith(path, entry.path));
  if (holder !== undefined) {
    const value = holder.path.reduce<unknown>((tree, name) => (isTree(tree) ? tree[name] : undefined), after);
    return value === undefined ? without(lines, [holder]) : replace(lines, holder, value);
  }
  if ('remove' in edit)
    return without(
      lines,
      entries.filter((entry) => startsWith(entry.path, path)),
      path,
      entries,
    );
  const exact = entries.find((entry) => !entry.isHeader && entry.path.length === path.length && startsWith(entry.path, path));
  if (exact !== undefined) return replace(lines, exact, edit.value);
  const parent = path.slice(0, -1);
  if (isTree(edit.value)) {
    const rows = Object.entries(edit.value).map(([key, value]) => `${key} = ${tomlValue(value)}`);
    return [...trimEnd(lines), '', `[${path.map(tomlKey).join('.')}]`, ...rows, ''];
  }
  const row = `${tomlKey(path.at(-1)!)} = ${tomlValue(edit.value)}`;
  const table = entries.findLast((entry) => entry.isHeader && entry.path.length === parent.length && startsWith(entry.path, parent));
  if (table === undefined) return [...trimEnd(lines), '', `[${parent.map(tomlKey).join('.')}]`, row, ''];
  const last =
    entries.findLast(
      (entry) =>
        !entry.isHeader &&
        entry.from > table.from &&
        startsWith(entry.path, parent) &&
        !entries.some((other) => other.isHeader && other.from > table.from && other.from < entry.from),
    ) ?? table;
  const indent =
    /^\s*/.exec(lines[last === table ? table.from : last.from]!)![0] +
    (last === table && /^\s/.test(lines[table.from + 1] ?? '') ? '  ' : '');
  return [...lines.slice(0, last.to), `${indent}${row}`, ...lines.slice(last.to)];
}

const trimEnd = (lines: readonly string[]): string[] => {
  const kept = [...lines];
  while (kept.length > 0 && kept.at(-1)!.trim() === '') kept.pop();
  return kept;
};

function replace(lines: readonly string[], { from, to }: Entry, value: unknown): string[] {
  const line = lines[from]!;
  const indent = /^\s*/.exec(line)![0].length;
  const equals = indent + endOfKey(line.trimStart());
  const comment = to === from + 1 ? (/\s+#[^"']*$/.exec(line)?.[0] ?? '') : '';
  return [...lines.slice(0, from), `${line.slice(0, equals + 1)} ${tomlValue(value)}${comment}`, ...lines.slice(to)];
}

/** Without the entries, and without the tables above them that have nothing left. */
function without(lines: readonly string[], gone: readonly Entry[], path?: readonly string[], entries: readonly Entry[] = []): string[] {
  const dropped = new Set(gone.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)));
  for (let parent = path?.slice(0, -1) ?? []; parent.length > 0; parent = parent.slice(0, -1)) {
    const rest = entries.filter((entry) => startsWith(entry.path, parent) && !dropped.has(entry.from));
    if (rest.length !== 1 || !rest[0]!.isHeader || rest[0]!.path.length !== parent.length) break;
    dropped.add(rest[0]!.from);
  }
  return lines.filter((_, index) => !dropped.has(index));
}

const tomlKey = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key));

function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  if (isTree(value))
    return `{ ${Object.entries(value)
      .map(([key, child]) => `${tomlKey(key)} = ${tomlValue(child)}`)
      .join(', ')} }`;
  if (typeof value === 'string') return value.includes('"') && !value.includes("'") ? `'${value}'` : JSON.stringify(value);
  return String(value);
}
