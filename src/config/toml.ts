import { parse, TomlError } from 'smol-toml';
import { ConfigError } from '../base/errors.ts';
import type { Document } from './document.ts';

/** Deeper inline tables and arrays are refused. */
const MAX_DEPTH = 100;

/** Throws ConfigError with the line. */
export function parseToml(text: string, source: string): Document {
  let tree: Record<string, unknown>;
  try {
    tree = parse(text.replace(/^\uFEFF/, ''), { integersAsBigInt: 'asNeeded', maxDepth: MAX_DEPTH });
  } catch (error) {
    if (error instanceof TomlError) {
      const reason = error.message.replace(/^Invalid TOML document: /, '').split('\n', 1)[0];
      throw new ConfigError('config.syntax', `The file is not valid TOML: ${reason}`, { source, line: error.line });
    }
    if (error instanceof RangeError) throw new ConfigError('config.limit', 'The file is nested too deeply', { source });
    throw error;
  }
  let lines: Map<string, number> | undefined;
  return {
    tree,
    source,
    lineOf(path) {
      lines ??= findLines(text);
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(keyOf(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return undefined;
    },
  };
}

const keyOf = (path: readonly (string | number)[]): string => path.join('\0');

/** Lines of tables and keys; what stands inside of inline tables and arrays has the line of its key. The text is known to be valid. */
function findLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const arrays = new Map<string, number>();
  let table: (string | number)[] = [];
  let skipping: string | undefined;
  text.split(/\r?\n/).forEach((line, index) => {
    if (skipping !== undefined) {
      if (line.includes(skipping)) skipping = undefined;
      return;
    }
    const header = /^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$/.exec(line);
    const key = /^\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+|\s*\.\s*)+?)\s*=/.exec(line);
    if (key !== null) note(lines, [...table, ...splitKey(key[1]!)], index + 1);
    else if (header !== null) {
      table = within(arrays, splitKey(header[2]!), header[1] === '[[');
      note(lines, table, index + 1);
    }
    for (const quote of ['"""', "'''"]) if (line.split(quote).length % 2 === 0) skipping = quote;
  });
  return lines;
}

function note(lines: Map<string, number>, path: (string | number)[], line: number): void {
  for (let length = 1; length <= path.length; length++) {
    const key = keyOf(path.slice(0, length));
    if (!lines.has(key)) lines.set(key, line);
  }
}

const splitKey = (key: string): string[] =>
  [...key.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+)/g)].map((match) => match[1] ?? match[2] ?? match[3]!);

/** The path of a table header, with the index of the last element where a part of it is an array of tables. */
function within(arrays: Map<string, number>, keys: string[], opens: boolean): (string | number)[] {
  const path: (string | number)[] = [];
  keys.forEach((key, index) => {
    path.push(key);
    const name = keyOf(path);
    if (opens && index === keys.length - 1) arrays.set(name, (arrays.get(name) ?? -1) + 1);
    if (arrays.has(name)) path.push(arrays.get(name)!);
  });
  return path;
}
