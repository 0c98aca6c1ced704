import { resolvePlain } from './yaml-scalar.ts';

/**
 * A fast reader of the YAML that people write for machines: block and flow collections, plain and quoted scalars of one line,
 * literal blocks, comments. Whatever else it meets (anchors, tags, tabs, scalars over several lines, anything wrong) makes it give
 * up, and the complete parser reads the text again. Measured: 12 times as fast as that.
 */
export interface PlainYaml {
  readonly tree: Record<string, unknown>;
  /** 1-based lines: of the names of an object in their order, of the items of a list. */
  readonly linesOf: (container: object) => readonly number[] | undefined;
}

type Tree = Record<string, unknown>;

/** Thrown inside of this file only. */
const GIVE_UP = Symbol('give up');
const MAX_DEPTH = 100;

/** A name and its colon at the start of a block entry; blanks inside, no indicator in front. */
const BLOCK_KEY = /(?:"((?:[^"\\\n])*)"|'([^'\n]*)'|([^\s\-?:,[\]{}#&*!|>'"%@`=][^:#\n]*?|-[^\s:#][^:#\n]*?)) *:(?= |\n|$)/y;
/** An unquoted value of a block entry up to a comment or the end of the line. */
const PLAIN_START = /[^\s\-?:,[\]{}#&*!|>'"%@`=]|-[^\s]/y;
const FLOW_PLAIN = /(?:[^\s\-?:,[\]{}#&*!|>'"%@`=]|-[^\s,[\]{}])[^,[\]{}\n:#]*(?:[:#](?=[^\s,[\]{}])[^,[\]{}\n:#]*)*/y;

/** Undefined when the text needs the complete parser. */
export function parsePlainYaml(source: string): PlainYaml | undefined {
  const text = source.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  // Control characters, tabs, and line ends that only YAML 1.1 knows.
  if (/[[\p{Cc}\u2028\u2029\uFEFF]--\n]/v.test(text)) return undefined;
  try {
    return readDocument(text);
  } catch (error) {
    if (error === GIVE_UP || error instanceof RangeError) return undefined;
    throw error;
  }
}

function readDocument(text: string): PlainYaml | undefined {
  const lines = new WeakMap<object, number[]>();
  /** Start of the current line's content, its indentation, its number. */
  let position = 0;
  let indent = 0;
  let line = 0;
  let nextLine = 0;

  /** Goes to the next line with content. False at the end of the document. */
  function advance(from: number): boolean {
    let start = from;
    while (start < text.length) {
      let at = start;
      while (text.charCodeAt(at) === 32) at++;
      nextLine++;
      const char = text[at];
      if (char !== undefined && char !== '\n' && char !== '#') {
        position = at;
        indent = at - start;
        line = nextLine;
        return !(indent === 0 && (text.startsWith('...', at) || text.startsWith('---', at)));
      }
      const end = text.indexOf('\n', at);
      start = end === -1 ? text.length : end + 1;
    }
    position = text.length;
    indent = -1;
    return false;
  }

  function endOfLine(from: number): number {
    const end = text.indexOf('\n', from);
    return end === -1 ? text.length : end;
  }

  /** Nothing but blanks and a comment may follow. Gives the start of the next line. */
  function restIsBlank(from: number): number {
    const end = endOfLine(from);
    let at = from;
    while (text.charCodeAt(at) === 32) at++;
    if (at < end && text[at] !== '#') throw GIVE_UP;
    return end + 1;
  }

  const isItem = (at: number): boolean => text[at] === '-' && (text[at + 1] === ' ' || text[at + 1] === '\n' || at + 1 >= text.length);

  function readBlock(depth: number): unknown {
    if (depth > MAX_DEPTH) throw GIVE_UP;
    return isItem(position) ? readItems(indent, depth) : readEntries(indent, depth);
  }

  /** The entries of an object whose names stand at `column`; the reader stands at the first. */
  function readEntries(column: number, depth: number): Tree {
    const tree: Tree = {};
    const own: number[] = [];
    lines.set(tree, own);
    let more = true;
    while (more) {
      BLOCK_KEY.lastIndex = position;
      const match = BLOCK_KEY.exec(text);
      if (match === null) throw GIVE_UP;
      const name = match[1] ?? match[2] ?? match[3]!;
      if (!isPlainName(name) || Object.hasOwn(tree, name)) throw GIVE_UP;
      own.push(line);
      tree[name] = readValue(BLOCK_KEY.lastIndex, column, depth, true);
      more = indent === column;
      if (indent > column) throw GIVE_UP;
      if (more && isItem(position)) throw GIVE_UP;
    }
    return tree;
  }

  function readItems(column: number, depth: number): unknown[] {
    const list: unknown[] = [];
    const own: number[] = [];
    lines.set(list, own);
    while (indent === column && isItem(position)) {
      own.push(line);
      let at = position + 1;
      while (text.charCodeAt(at) === 32) at++;
      BLOCK_KEY.lastIndex = at;
      if (isItem(at)) throw GIVE_UP;
      if (BLOCK_KEY.test(text)) {
        // `- name: value`: an object whose column is that of its first name.
        indent += at - position;
        position = at;
        list.push(readEntries(indent, depth + 1));
      } else list.push(readValue(position + 1, column, depth, false));
    }
    if (indent > column) throw GIVE_UP;
    return list;
  }

  /** What stands behind a colon or dash, and moves to the next line with content. `column` is that of the name or dash. */
  function readValue(from: number, column: number, depth: number, named: boolean): unknown {
    let at = from;
    while (text.charCodeAt(at) === 32) at++;
    const char = text[at];
    if (char === undefined || char === '\n' || (char === '#' && at > from)) {
      advance(endOfLine(at) + 1);
      if (indent > column || (named && indent === column && isItem(position))) return readBlock(depth + 1);
      return null;
    }
    if (char === '|') return readLiteral(at, column);
    if (char === '[' || char === '{') {
      const start = line;
      const flow = readFlow(at, depth + 1);
      nextLine += line - start;
      advance(restIsBlank(flow.end));
      return flow.value;
    }
    if (char === '"' || char === "'") {
      const scalar = readQuoted(at);
      advance(restIsBlank(scalar.end));
      if (indent > column) throw GIVE_UP;
      return scalar.value;
    }
    return readPlain(at, column);
  }

  function readPlain(at: number, column: number): unknown {
    PLAIN_START.lastIndex = at;
    if (!PLAIN_START.test(text)) throw GIVE_UP;
    const end = endOfLine(at);
    let value = text.slice(at, end);
    const comment = value.indexOf(' #');
    if (comment !== -1) value = value.slice(0, comment);
    value = trimEnd(value);
    if (value.includes(': ') || value.endsWith(':')) throw GIVE_UP;
    advance(end + 1);
    if (indent > column) throw GIVE_UP;
    return resolvePlain(value);
  }

  /** `|`, `|-`, `|+` with lines of any indentation beyond the first's. */
  function readLiteral(at: number, column: number): string {
    const head = /\|([-+]?) *(?:\n|$)/y;
    head.lastIndex = at;
    const match = head.exec(text);
    if (match === null) throw GIVE_UP;
    const rows: string[] = [];
    let start = at + match[0].length;
    let width = -1;
    let lastEnd = start;
    while (start < text.length) {
      const end = endOfLine(start);
      let content = start;
      while (text.charCodeAt(content) === 32) content++;
      if (content === end) {
        if (width === -1 || end - start > width) {
          if (end > start) throw GIVE_UP;
        }
        rows.push('');
      } else {
        if (width === -1) {
          width = content - start;
          if (width <= Math.max(column, 0)) throw GIVE_UP;
        }
        if (content - start < width) break;
        rows.push(text.slice(start + width, end));
        lastEnd = end;
      }
      nextLine++;
      start = end + 1;
    }
    if (width === -1) throw GIVE_UP;
    let length = rows.length;
    while (rows[length - 1] === '') length--;
    // Empty lines behind the block belong to it only with `+`.
    const body = rows.slice(0, length).join('\n');
    if (match[1] === '+') throw GIVE_UP;
    advance(start);
    if (indent > column) throw GIVE_UP;
    return match[1] === '-' || lastEnd === text.length ? body : `${body}\n`;
  }

  function readQuoted(at: number): { value: string; end: number } {
    const single = text[at] === "'";
    const pattern = single ? /'((?:[^'\n]|'')*)'/y : /"((?:[^"\\\n]|\\["\\ntr])*)"/y;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) throw GIVE_UP;
    const raw = match[1]!;
    if (single) return { value: raw.replaceAll("''", "'"), end: pattern.lastIndex };
    const value = raw.includes('\\') ? raw.replace(/\\(.)/g, (_, char: string) => ESCAPES[char]!) : raw;
    return { value, end: pattern.lastIndex };
  }

  /** Blanks, line ends and comments inside of a flow collection; go-yaml does not look at the indentation there. */
  function skipFlow(from: number): number {
    let at = from;
    while (true) {
      while (text.charCodeAt(at) === 32) at++;
      if (text[at] === '#') at = endOfLine(at);
      if (text[at] !== '\n') return at;
      at++;
      line++;
      if (text.startsWith('---', at) || text.startsWith('...', at)) throw GIVE_UP;
    }
  }

  function readFlow(from: number, depth: number): { value: unknown; end: number } {
    if (depth > MAX_DEPTH) throw GIVE_UP;
    if (text[from] === '[') return readFlowList(from, depth);
    if (text[from] === '{') return readFlowObject(from, depth);
    if (text[from] === '"' || text[from] === "'") return readQuoted(from);
    FLOW_PLAIN.lastIndex = from;
    const match = FLOW_PLAIN.exec(text);
    if (match === null) throw GIVE_UP;
    // A comment ends a value; a value does not go on in the next line.
    const raw = match[0];
    if (raw.includes(' #')) throw GIVE_UP;
    return { value: resolvePlain(trimEnd(raw)), end: FLOW_PLAIN.lastIndex };
  }

  function readFlowList(from: number, depth: number): { value: unknown[]; end: number } {
    const list: unknown[] = [];
    const own: number[] = [];
    lines.set(list, own);
    let at = skipFlow(from + 1);
    while (text[at] !== ']') {
      own.push(line);
      const item = readFlow(at, depth + 1);
      list.push(item.value);
      at = skipFlow(item.end);
      if (text[at] === ',') at = skipFlow(at + 1);
      else if (text[at] !== ']') throw GIVE_UP;
    }
    return { value: list, end: at + 1 };
  }

  function readFlowObject(from: number, depth: number): { value: Tree; end: number } {
    const tree: Tree = {};
    const own: number[] = [];
    lines.set(tree, own);
    let at = skipFlow(from + 1);
    while (text[at] !== '}') {
      const quoted = text[at] === '"' || text[at] === "'";
      const key = quoted ? readQuoted(at) : readFlowName(at);
      const name = key.value;
      if (!isPlainName(name) || Object.hasOwn(tree, name)) throw GIVE_UP;
      const colon = quoted ? skipBlanks(key.end) : key.end;
      if (text[colon] !== ':' || !(quoted || text[colon + 1] === ' ' || text[colon + 1] === '\n')) throw GIVE_UP;
      own.push(line);
      at = skipFlow(colon + 1);
      const value = readFlow(at, depth + 1);
      tree[name] = value.value;
      at = skipFlow(value.end);
      if (text[at] === ',') at = skipFlow(at + 1);
      else if (text[at] !== '}') throw GIVE_UP;
    }
    return { value: tree, end: at + 1 };
  }

  function skipBlanks(from: number): number {
    let at = from;
    while (text.charCodeAt(at) === 32) at++;
    return at;
  }

  function readFlowName(at: number): { value: string; end: number } {
    FLOW_PLAIN.lastIndex = at;
    const match = FLOW_PLAIN.exec(text);
    if (match === null || match[0].includes(' #')) throw GIVE_UP;
    return { value: trimEnd(match[0]), end: FLOW_PLAIN.lastIndex };
  }

  if (/^---(?: *\n|$)/.test(text)) {
    nextLine = 1;
    if (!advance(endOfLine(0) + 1)) return undefined;
  } else if (!advance(0)) return undefined;
  if (indent !== 0 || isItem(position)) return undefined;
  const tree = readEntries(0, 0);
  if (indent > 0) return undefined;
  return { tree, linesOf: (container) => lines.get(container) };
}

/** Objects reorder names that are numbers, and `<<` merges. */
const isPlainName = (name: string): boolean => name !== '__proto__' && name !== '<<' && !/^\d+$/.test(name);

const ESCAPES: Record<string, string> = { '"': '"', '\\': '\\', n: '\n', t: '\t', r: '\r' };

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return text.slice(0, end);
}
