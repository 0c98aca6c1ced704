import { resolvePlain } from './yaml-scalar.ts';

export type Tree = Record<string, unknown>;

/** Thrown by the plain reader where the complete parser must read. */
export const GIVE_UP = Symbol('give up');
export const MAX_DEPTH = 100;

/** An unquoted value in a flow collection: `:` and `#` only where they touch what follows. */
const FLOW_PLAIN = /(?:[^\s\-?:,[\]{}#&*!|>'"%@`=]|-[^\s,[\]{}])[^,[\]{}\n:#]*(?:[:#](?=[^\s,[\]{}])[^,[\]{}\n:#]*)*/y;
const SINGLE_QUOTED = /'((?:[^'\n]|'')*)'/y;
const DOUBLE_QUOTED = /"((?:[^"\\\n]|\\["\\ntr])*)"/y;
const ESCAPES: Record<string, string> = { '"': '"', '\\': '\\', n: '\n', t: '\t', r: '\r' };

export interface Read<T> {
  readonly value: T;
  /** Where the text goes on. */
  readonly end: number;
}

/** A quoted text of one line, with the common escapes. */
export function readQuoted(text: string, at: number): Read<string> {
  const single = text[at] === "'";
  const pattern = single ? SINGLE_QUOTED : DOUBLE_QUOTED;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) throw GIVE_UP;
  const end = pattern.lastIndex;
  const raw = match[1]!;
  if (single) return { value: raw.replaceAll("''", "'"), end };
  return { value: raw.includes('\\') ? raw.replace(/\\(.)/g, (_, char: string) => ESCAPES[char]!) : raw, end };
}

/** Objects reorder names that are numbers, and `<<` merges. */
export const isPlainName = (name: string): boolean => name !== '__proto__' && name !== '<<' && !/^\d+$/.test(name);

export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return text.slice(0, end);
}

export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 32) at++;
  return at;
}

export function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

/** Reads a `[…]` or `{…}` that begins in a line; `lines` gets the lines of names and items. The result tells in which line it ends. */
export function readFlow(
  text: string,
  from: number,
  firstLine: number,
  depth: number,
  lines: WeakMap<object, number[]>,
): Read<unknown> & { line: number } {
  let line = firstLine;

  /** Blanks, line ends and comments; go-yaml does not look at the indentation here. */
  function skip(start: number): number {
    let at = start;
    while (true) {
      at = skipBlanks(text, at);
      if (text[at] === '#') at = endOfLine(text, at);
      if (text[at] !== '\n') return at;
      at++;
      line++;
      if (text.startsWith('---', at) || text.startsWith('...', at)) throw GIVE_UP;
    }
  }

  function readNode(at: number, level: number): Read<unknown> {
    if (level > MAX_DEPTH) throw GIVE_UP;
    const char = text[at];
    if (char === '[') return readList(at, level);
    if (char === '{') return readObject(at, level);
    if (char === '"' || char === "'") return readQuoted(text, at);
    const { value, end } = readWord(at);
    return { value: resolvePlain(value), end };
  }

  function readWord(at: number): Read<string> {
    FLOW_PLAIN.lastIndex = at;
    const match = FLOW_PLAIN.exec(text);
    if (match === null || match[0].includes(' #')) throw GIVE_UP;
    return { value: trimEnd(match[0]), end: FLOW_PLAIN.lastIndex };
  }

  /** Behind an item: the next one, or the end. */
  function nextItem(at: number, close: string): number {
    const behind = skip(at);
    if (text[behind] === ',') return skip(behind + 1);
    if (text[behind] !== close) throw GIVE_UP;
    return behind;
  }

  function readList(open: number, level: number): Read<unknown[]> {
    const list: unknown[] = [];
    const own: number[] = [];
    lines.set(list, own);
    let at = skip(open + 1);
    while (text[at] !== ']') {
      own.push(line);
      const { value, end } = readNode(at, level + 1);
      list.push(value);
      at = nextItem(end, ']');
    }
    return { value: list, end: at + 1 };
  }

  function readObject(open: number, level: number): Read<Tree> {
    const tree: Tree = {};
    const own: number[] = [];
    lines.set(tree, own);
    let at = skip(open + 1);
    while (text[at] !== '}') {
      const name = readName(at);
      if (!isPlainName(name.value) || Object.hasOwn(tree, name.value)) throw GIVE_UP;
      own.push(line);
      const { value, end } = readNode(skip(name.end), level + 1);
      tree[name.value] = value;
      at = nextItem(end, '}');
    }
    return { value: tree, end: at + 1 };
  }

  /** A name with its colon, which may touch the value only behind quotes, as in JSON. */
  function readName(at: number): Read<string> {
    const quoted = text[at] === '"' || text[at] === "'";
    const { value, end } = quoted ? readQuoted(text, at) : readWord(at);
    const colon = quoted ? skipBlanks(text, end) : end;
    if (text[colon] !== ':' || !(quoted || text[colon + 1] === ' ' || text[colon + 1] === '\n')) throw GIVE_UP;
    return { value, end: colon + 1 };
  }

  return { ...readNode(from, depth), line };
}
