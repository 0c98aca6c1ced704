import { TemplateError } from './error.ts';

export type TokenType =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'identifier'
  | 'keyword'
  | 'field'
  | 'variable'
  | 'dot'
  | 'bool'
  | 'nil'
  | 'number'
  | 'char'
  | 'string'
  | 'raw'
  | 'declare'
  | 'assign'
  | 'pipe'
  | 'comma'
  | '('
  | ')'
  | 'end';

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  readonly offset: number;
}

const KEYWORDS = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);

/** Tokens of an action, at the place where the expression is tried; white space of any length is one. */
const ACTION_TOKEN =
  /([ \t\r\n]+)|("(?:[^"\\\n]|\\[^\n])*")|(`[^`]*`)|('(?:[^'\\\n]|\\[^\n])*')|(:=)|(=)|(\|)|(,)|(\()|(\))|([+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*|0[bB][01_]*|\.?[\d][\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?)|(\.[\p{L}\p{Nd}_]+)|(\$[\p{L}\p{Nd}_]*)|(\.)|([\p{L}\p{Nd}_]+)/uy;

const TYPES = [
  'space',
  'string',
  'raw',
  'char',
  'declare',
  'assign',
  'pipe',
  'comma',
  '(',
  ')',
  'number',
  'field',
  'variable',
  'dot',
] as const;

/** Splits a template into text and tokens of its actions. Throws TemplateError. */
export function tokenize(input: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let trimNext = false;
  while (true) {
    const open = input.indexOf('{{', position);
    let text = input.slice(position, open === -1 ? undefined : open);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    const trims = open !== -1 && /^-[ \t\r\n]/.test(input.slice(open + 2, open + 4));
    if (trims) text = trimEnd(text);
    if (text !== '') tokens.push({ type: 'text', text, offset: position });
    if (open === -1) break;
    const start = open + (trims ? 4 : 2);
    const comment = input.startsWith('/*', start);
    const end = comment ? skipComment(input, start) : readAction(input, open, start, tokens);
    position = end.position;
    trimNext = end.trims;
  }
  tokens.push({ type: 'end', text: '', offset: input.length });
  return tokens;
}

/** In linear time: an expression anchored at the end would try every blank. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\r\n'.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

interface End {
  readonly position: number;
  readonly trims: boolean;
}

function closeAt(input: string, position: number): End | undefined {
  if (input.startsWith('}}', position)) return { position: position + 2, trims: false };
  if (' \t\r\n'.includes(input[position] ?? '-') && input.startsWith('-}}', position + 1)) return { position: position + 4, trims: true };
  return undefined;
}

function skipComment(input: string, start: number): End {
  const end = input.indexOf('*/', start + 2);
  if (end === -1) throw new TemplateError('A comment has no end; write */}}', start);
  const close = closeAt(input, end + 2);
  if (close === undefined) throw new TemplateError('A comment must end its action; write */}}', end);
  return close;
}

function readAction(input: string, open: number, start: number, tokens: Token[]): End {
  tokens.push({ type: 'open', text: '{{', offset: open });
  let position = start;
  while (position < input.length) {
    const close = closeAt(input, position);
    if (close !== undefined) {
      tokens.push({ type: 'close', text: '}}', offset: position });
      return close;
    }
    const token = readToken(input, position);
    // White space may end right before ` -}}`.
    const end = position + token.text.length;
    if (token.type === 'space' && input.startsWith('-}}', end)) {
      tokens.push({ type: 'close', text: '}}', offset: end });
      return { position: end + 3, trims: true };
    }
    tokens.push(token);
    position = end;
  }
  throw new TemplateError('An action has no end; write }}', open);
}

function readToken(input: string, offset: number): Token {
  ACTION_TOKEN.lastIndex = offset;
  const match = ACTION_TOKEN.exec(input);
  if (match === null) {
    const char = String.fromCodePoint(input.codePointAt(offset)!);
    if (char === '"' || char === '`' || char === "'") throw new TemplateError(`The text that begins with ${char} has no end`, offset);
    throw new TemplateError(`'${char}' has no meaning here`, offset);
  }
  const text = match[0];
  const index = match.slice(1).findIndex((group) => group !== undefined);
  const type = TYPES[index] ?? wordType(text);
  const token = { type, text, offset };
  if (type !== 'number' && type !== 'field' && type !== 'variable' && type !== 'dot' && index < TYPES.length) return token;
  checkTerminated(input, token);
  return token;
}

function wordType(text: string): TokenType {
  if (KEYWORDS.has(text)) return 'keyword';
  if (text === 'true' || text === 'false') return 'bool';
  return text === 'nil' ? 'nil' : 'identifier';
}

/** Words must not touch what follows, apart from these; numbers may touch more. */
function checkTerminated(input: string, { type, text, offset }: Token): void {
  const position = offset + text.length;
  const next = input.codePointAt(position);
  if (next === undefined || input.startsWith('}}', position)) return;
  const char = String.fromCodePoint(next);
  const touches = type === 'number' ? /[\p{L}\p{Nd}_+-]/u.test(char) : !' \t\r\n.,|:)('.includes(char);
  if (touches) throw new TemplateError(`'${char}' must not follow '${text}' directly`, position);
}
