import { fromByte } from '../../base/byte-string.ts';
import { ConfigError } from '../../base/errors.ts';

/**
 * Words of a rule. Rules are Go expressions, so Go's lexer decides: comments are allowed, and a newline after a name, a text or
 * `)` ends the rule (Go puts a semicolon there).
 */
export type TokenKind = 'name' | 'text' | '(' | ')' | ',' | '&&' | '||' | '!' | '...' | 'newline' | 'end' | 'other';

/** Longer rules are refused. Traefik has no limit; this one is far beyond what people write. */
export const MAX_RULE_LENGTH = 256 * 1024;

/** The current token, and where the lexer stands. */
export interface Lexer {
  readonly rule: string;
  kind: TokenKind;
  /** Where the token begins and ends in the rule. */
  start: number;
  end: number;
  /** Of a name: its letters. Of a text: what the quotes hold, bytes that are not UTF-8 marked as in `byte-string.ts`. Else empty. */
  value: string;
  /** The token can end an expression, so a newline after it does. */
  mayEnd: boolean;
}

/** Stands before the first token. Throws ConfigError. */
export function createLexer(rule: string): Lexer {
  if (rule.length > MAX_RULE_LENGTH) {
    throw new ConfigError('config.limit', `The rule has ${rule.length} characters; at most ${MAX_RULE_LENGTH} are allowed`);
  }
  const byteOrderMark = rule.charCodeAt(0) === 0xfeff ? 1 : 0;
  const lexer: Lexer = { rule, kind: 'newline', start: 0, end: byteOrderMark, value: '', mayEnd: false };
  const illegal = Math.max(rule.indexOf('\0'), rule.indexOf('\ufeff', byteOrderMark));
  if (illegal !== -1) throw fail(lexer, 'NUL and byte order marks may not stand in a rule', illegal);
  return lexer;
}

/** The error with the place of the current token, or of `at`. */
export const fail = (lexer: Lexer, message: string, at = lexer.start): ConfigError =>
  new ConfigError('config.rule', `${placeOf(lexer.rule, at)}: ${message}`);

/** Goes on to the next token and gives its kind. Throws ConfigError on a text or comment without end. */
export function advance(lexer: Lexer): TokenKind {
  const { rule } = lexer;
  const ended = skipBlanks(lexer);
  const at = (lexer.start = lexer.end);
  if (ended) return take(lexer, 'newline', 0, false);
  if (at >= rule.length) return take(lexer, 'end', 0, false);
  const code = rule.charCodeAt(at);
  switch (code) {
    case BACK_TICK:
      return rawText(lexer);
    case QUOTE:
      return quotedText(lexer);
    case OPEN:
      return take(lexer, '(', 1, false);
    case COMMA:
      return take(lexer, ',', 1, false);
    case CLOSE:
      return take(lexer, ')', 1, true);
    case BANG:
      return rule.charCodeAt(at + 1) === EQUALS ? take(lexer, 'other', 2, false) : take(lexer, '!', 1, false);
    case AMPERSAND:
    case BAR:
      if (rule.charCodeAt(at + 1) !== code) return take(lexer, 'other', 1, false);
      return take(lexer, code === BAR ? '||' : '&&', 2, false);
    default:
      return word(lexer);
  }
}

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const BLANK = 32;
const BANG = 33;
const QUOTE = 34;
const AMPERSAND = 38;
const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const SLASH = 47;
const EQUALS = 61;
const BACK_TICK = 96;
const BAR = 124;

function take(lexer: Lexer, kind: TokenKind, length: number, mayEnd: boolean): TokenKind {
  lexer.kind = kind;
  lexer.end = lexer.start + length;
  lexer.value = '';
  lexer.mayEnd = mayEnd;
  return kind;
}

/** Moves `end` over blanks and comments; says whether a newline ended the expression on the way. */
function skipBlanks(lexer: Lexer): boolean {
  const { rule } = lexer;
  for (;;) {
    const code = rule.charCodeAt(lexer.end);
    if (code === NEWLINE && lexer.mayEnd) return true;
    if (code === BLANK || code === TAB || code === NEWLINE || code === RETURN) lexer.end++;
    else if (code !== SLASH) return false;
    else {
      const comment = skipComment(lexer);
      if (comment === 'none') return false;
      if (comment === 'lines' && lexer.mayEnd) return true;
    }
  }
}

function skipComment(lexer: Lexer): 'none' | 'line' | 'lines' {
  const { rule, end: start } = lexer;
  if (rule[start + 1] === '/') {
    // The newline itself is left, as it may end the expression.
    const newline = rule.indexOf('\n', start);
    lexer.end = newline === -1 ? rule.length : newline;
    return 'line';
  }
  if (rule[start + 1] !== '*') return 'none';
  const close = rule.indexOf('*/', start + 2);
  if (close === -1) throw fail(lexer, 'the comment has no end; write */', start);
  lexer.end = close + 2;
  return rule.slice(start, close).includes('\n') ? 'lines' : 'line';
}

function rawText(lexer: Lexer): TokenKind {
  const close = lexer.rule.indexOf('`', lexer.start + 1);
  if (close === -1) throw fail(lexer, 'the text has no end; write a back-tick');
  take(lexer, 'text', close + 1 - lexer.start, true);
  // Go drops carriage returns.
  const text = lexer.rule.slice(lexer.start + 1, close);
  lexer.value = text.includes('\r') ? text.replaceAll('\r', '') : text;
  return 'text';
}

function quotedText(lexer: Lexer): TokenKind {
  const { rule, start } = lexer;
  let value = '';
  let from = start + 1;
  for (let i = from; i < rule.length && rule[i] !== '\n'; i++) {
    if (rule[i] === '"') {
      take(lexer, 'text', i + 1 - start, true);
      lexer.value = value + rule.slice(from, i);
      return 'text';
    }
    if (rule[i] !== '\\') continue;
    const escaped = readEscape(lexer, i);
    value += rule.slice(from, i) + escaped.value;
    i += escaped.length - 1;
    from = i + 1;
  }
  throw fail(lexer, 'the text has no end on its line; write a double quote');
}

const SIMPLE_ESCAPES = new Map(Object.entries({ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '"': '"' }));
const ESCAPE = /^\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3})/;

function readEscape(lexer: Lexer, at: number): { value: string; length: number } {
  const letter = lexer.rule[at + 1] ?? '';
  const simple = SIMPLE_ESCAPES.get(letter);
  if (simple !== undefined) return { value: simple, length: 2 };
  const numeric = ESCAPE.exec(lexer.rule.slice(at, at + 10))?.[0];
  const value = numeric === undefined ? undefined : escapedCharacter(numeric);
  if (value !== undefined) return { value, length: numeric!.length };
  throw fail(lexer, `\\${letter} is no escape between double quotes; write the text in back-ticks`, at);
}

function escapedCharacter(text: string): string | undefined {
  const kind = text[1]!;
  if (kind === 'x') return fromByte(Number.parseInt(text.slice(2), 16));
  if (kind !== 'u' && kind !== 'U') {
    const byte = Number.parseInt(text.slice(1), 8);
    return byte > 0xff ? undefined : fromByte(byte);
  }
  const point = Number.parseInt(text.slice(2), 16);
  return point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? undefined : String.fromCodePoint(point);
}

const NAME = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const OTHER = /\.\.\.|[\d.][\w.]*|./suy;

function word(lexer: Lexer): TokenKind {
  const { rule, start } = lexer;
  let end = start;
  while (isAsciiLetter(rule.charCodeAt(end))) end++;
  if (end === start || rule.charCodeAt(end) !== OPEN) {
    NAME.lastIndex = start;
    end = start + (NAME.exec(rule)?.[0].length ?? 0);
  }
  if (end > start) {
    take(lexer, 'name', end - start, true);
    lexer.value = rule.slice(start, end);
    return 'name';
  }
  OTHER.lastIndex = start;
  const other = OTHER.exec(rule)![0];
  return take(lexer, other === '...' ? '...' : 'other', other.length, false);
}

const isAsciiLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);

/** The token as it stands in the rule. */
export const tokenText = ({ rule, start, end }: Lexer): string => rule.slice(start, end);

/** Characters of the rule shown on either side of a mistake. */
const EXCERPT = 30;

/** `Rule "…", column 12`; with several lines `line 2, column 3`. Columns count characters from 1. */
export function placeOf(rule: string, at: number): string {
  const lineStart = rule.lastIndexOf('\n', at - 1) + 1;
  const line = rule.slice(0, lineStart).split('\n').length;
  const from = Math.max(0, at - EXCERPT);
  const to = Math.min(rule.length, at + EXCERPT);
  const excerpt = `${from > 0 ? '…' : ''}${rule.slice(from, to)}${to < rule.length ? '…' : ''}`;
  return `Rule "${printable(excerpt)}", ${line > 1 ? `line ${line}, ` : ''}column ${at - lineStart + 1}`;
}

/** For messages: on one line, not too long, and nothing that a terminal would obey. */
export function printable(text: string): string {
  const short = text.length > 2 * EXCERPT + 2 ? `${text.slice(0, 2 * EXCERPT)}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return short.replace(/[\0-\x1f\x7f-\x9f]+/g, ' ');
}
