import {
  endOfLine,
  GIVE_UP,
  isPlainName,
  MAX_DEPTH,
  type Read,
  readFlow,
  readQuoted,
  skipBlanks,
  type Tree,
  trimEnd,
} from './yaml-plain-flow.ts';
import { resolvePlain } from './yaml-scalar.ts';

/**
 * A fast reader of the YAML that people and programs mostly write: block and flow collections, plain and quoted scalars of one
 * line, literal blocks, comments. Whatever else it meets (anchors, tags, tabs, scalars over several lines, anything wrong) makes
 * it give up, and the complete parser reads the text again. Measured: 10 times as fast as that.
 */
export interface PlainYaml {
  readonly tree: Tree;
  /** 1-based lines: of the names of an object in their order, of the items of a list. */
  readonly linesOf: (container: object) => readonly number[] | undefined;
}

/** Characters that begin something else than a plain scalar; `-` only does before a blank. */
const INDICATORS = new Set('?:,[]{}#&*!|>\'"%@`= ');

/** Undefined when the text needs the complete parser. */
export function parsePlainYaml(source: string): PlainYaml | undefined {
  const text = source.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  // Control characters with tabs, and line ends that only YAML 1.1 knows.
  if (/[[\p{Cc}\u2028\u2029\uFEFF]--\n]/v.test(text)) return undefined;
  try {
    return readDocument(text);
  } catch (error) {
    if (error === GIVE_UP || error instanceof RangeError) return undefined;
    throw error;
  }
}

function readDocument(text: string): PlainYaml {
  const lines = new WeakMap<object, number[]>();
  /** Where the current line's content stands, its indentation (-1 behind the end), its number, that of the next line to read. */
  let position = 0;
  let indent = 0;
  let line = 0;
  let nextLine = 0;

  /** Goes to the next line with content. */
  function advance(from: number): void {
    let start = from;
    while (start < text.length) {
      const at = skipBlanks(text, start);
      const char = text[at];
      nextLine++;
      if (char !== undefined && char !== '\n' && char !== '#') {
        position = at;
        indent = at - start;
        line = nextLine;
        if (indent > 0 || !(text.startsWith('...', at) || text.startsWith('---', at))) return;
        if (!isBlank(at + 3)) throw GIVE_UP;
        break;
      }
      start = endOfLine(text, at) + 1;
    }
    position = text.length;
    indent = -1;
  }

  /** Behind a value nothing but blanks and a comment may follow, and the next line is not deeper. */
  function finish(from: number, column: number): void {
    const at = skipBlanks(text, from);
    const end = endOfLine(text, at);
    if (at < end && text[at] !== '#') throw GIVE_UP;
    advance(end + 1);
    if (indent > column) throw GIVE_UP;
  }

  const isItem = (at: number): boolean => text[at] === '-' && (at + 1 >= text.length || text[at + 1] === ' ' || text[at + 1] === '\n');
  const startsPlain = (at: number): boolean => !INDICATORS.has(text[at]!) && text[at] !== '\n' && !isItem(at);

  /** A name and its colon; undefined when the line has none. */
  function readName(at: number): Read<string> | undefined {
    if (text[at] === '"' || text[at] === "'") {
      const { value, end } = readQuoted(text, at);
      const colon = skipBlanks(text, end);
      return text[colon] === ':' && isBlank(colon + 1) ? { value, end: colon + 1 } : undefined;
    }
    if (!startsPlain(at)) return undefined;
    for (let end = at; end < text.length && text[end] !== '\n'; end++) {
      if (text[end] === '#') return undefined;
      if (text[end] === ':' && isBlank(end + 1)) return { value: trimEnd(text.slice(at, end)), end: end + 1 };
    }
    return undefined;
  }

  const isBlank = (at: number): boolean => at >= text.length || text[at] === ' ' || text[at] === '\n';

  function readBlock(depth: number): unknown {
    if (depth > MAX_DEPTH) throw GIVE_UP;
    return isItem(position) ? readItems(indent, depth) : readEntries(indent, depth);
  }

  /** The entries of an object whose names stand at `column`; the reader stands at the first. */
  function readEntries(column: number, depth: number): Tree {
    const tree: Tree = {};
    const own: number[] = [];
    lines.set(tree, own);
    do {
      const name = readName(position);
      if (name === undefined || name.value.includes(':') || !isPlainName(name.value) || Object.hasOwn(tree, name.value)) throw GIVE_UP;
      own.push(line);
      tree[name.value] = readValue(name.end, column, depth, true);
    } while (indent === column);
    if (indent > column) throw GIVE_UP;
    return tree;
  }

  function readItems(column: number, depth: number): unknown[] {
    const list: unknown[] = [];
    const own: number[] = [];
    lines.set(list, own);
    while (indent === column && isItem(position)) {
      own.push(line);
      const at = skipBlanks(text, position + 1);
      if (isItem(at)) throw GIVE_UP;
      if (readName(at) === undefined) {
        list.push(readValue(position + 1, column, depth, false));
        continue;
      }
      // `- name: value`: an object whose column is that of its first name.
      indent += at - position;
      position = at;
      if (depth >= MAX_DEPTH) throw GIVE_UP;
      list.push(readEntries(indent, depth + 1));
    }
    if (indent > column) throw GIVE_UP;
    return list;
  }

  /** What stands behind a colon or dash, and moves to the next line with content. `column` is that of the name or dash. */
  function readValue(from: number, column: number, depth: number, named: boolean): unknown {
    const at = skipBlanks(text, from);
    const char = text[at];
    if (char === undefined || char === '\n' || (char === '#' && at > from)) {
      advance(endOfLine(text, at) + 1);
      return indent > column || (named && indent === column && isItem(position)) ? readBlock(depth + 1) : null;
    }
    if (char === '|') return readLiteral(at, column);
    if (char === '[' || char === '{') {
      const flow = readFlow(text, at, line, depth + 1, lines);
      nextLine += flow.line - line;
      finish(flow.end, column);
      return flow.value;
    }
    if (char === '"' || char === "'") {
      const { value, end } = readQuoted(text, at);
      finish(end, column);
      return value;
    }
    return readPlain(at, column);
  }

  function readPlain(at: number, column: number): unknown {
    if (!startsPlain(at)) throw GIVE_UP;
    const end = endOfLine(text, at);
    const whole = text.slice(at, end);
    const comment = whole.indexOf(' #');
    const value = trimEnd(comment === -1 ? whole : whole.slice(0, comment));
    if (value.includes(': ') || value.endsWith(':')) throw GIVE_UP;
    finish(end, column);
    return resolvePlain(value);
  }

  /** `|`, `|-` with lines of any indentation beyond the first's. */
  function readLiteral(at: number, column: number): string {
    const strips = text[at + 1] === '-';
    const head = skipBlanks(text, at + (strips ? 2 : 1));
    if (text[head] !== '\n') throw GIVE_UP;
    const rows: string[] = [];
    let start = head + 1;
    let width = -1;
    let lastEnd = start;
    for (; start < text.length; nextLine++) {
      const end = endOfLine(text, start);
      const content = skipBlanks(text, start);
      // Lines of blanks only: their meaning depends on how many they are.
      if (content === end && end > start && (width === -1 || end - start > width)) throw GIVE_UP;
      if (content < end) {
        if (width === -1) width = content - start;
        if (content - start < width) break;
        lastEnd = end;
      }
      rows.push(content === end ? '' : text.slice(start + width, end));
      start = end + 1;
    }
    if (width <= Math.max(column, 0)) throw GIVE_UP;
    while (rows.at(-1) === '') rows.pop();
    advance(start);
    if (indent > column) throw GIVE_UP;
    return rows.join('\n') + (strips || lastEnd === text.length ? '' : '\n');
  }

  const marker = /^---(?: *\n|$)/.exec(text);
  if (marker !== null) nextLine = 1;
  advance(marker === null ? 0 : marker[0].length);
  if (indent !== 0 || isItem(position)) throw GIVE_UP;
  const tree = readEntries(0, 0);
  return { tree, linesOf: (container) => lines.get(container) };
}
