import { nearest } from '../../base/errors.ts';
import { advance, createLexer, fail, type Lexer, printable, type TokenKind, tokenText } from './lexer.ts';

/** One call, as `Host(`a`)` or `!Host(`a`)`. */
export interface RuleMatch {
  readonly kind: 'match';
  /** The name as documented, however it was spelled. */
  readonly matcher: string;
  /** Bytes that are not UTF-8 are marked as in `byte-string.ts`. */
  readonly values: readonly string[];
  readonly negated: boolean;
  /** Where the call stands in the rule, without its negation. */
  readonly start: number;
  readonly end: number;
}

/** A rule with its negations pushed to the calls (De Morgan), in the order in which it was written. */
export type RuleTree = RuleMatch | { readonly kind: 'and' | 'or'; readonly children: readonly RuleTree[] };

/** Parentheses deeper than this are refused, so that no rule exhausts the stack. */
export const MAX_NESTING = 500;

/** Spelling of a matcher → its documented name. */
export type MatcherNames = ReadonlyMap<string, string>;

/** Each name as documented, in small letters, in capitals, and with the first letter alone a capital; no other mix is understood. */
export function spellings(names: Iterable<string>): MatcherNames {
  const all = new Map<string, string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    for (const spelling of [name, lower, name.toUpperCase(), lower[0]!.toUpperCase() + lower.slice(1)]) all.set(spelling, name);
  }
  return all;
}

/**
 * Reads a rule. Throws ConfigError `config.rule` with the place and what was expected there.
 * `advice` tells what to write instead of an unknown name.
 */
export function parseRule(rule: string, names: MatcherNames, advice?: (name: string) => string | undefined): RuleTree {
  const parser: Parser = { lexer: createLexer(rule), names, advice, depth: 0 };
  const { lexer } = parser;
  advance(lexer);
  if (is(lexer, 'end')) throw fail(lexer, 'the rule is empty; write a matcher, as PathPrefix(`/`)');
  const tree = parseOr(parser, false);
  if (is(lexer, 'newline')) advance(lexer);
  if (is(lexer, 'end')) return tree;
  const broken = (is(lexer, '&&') || is(lexer, '||')) && /\n\s*$/.test(rule.slice(0, lexer.start));
  throw broken
    ? fail(lexer, `a newline before ${lexer.kind} ends the rule; write ${lexer.kind} at the end of the line above`)
    : unexpected(lexer, '&&, || or the end of the rule');
}

/** A function, so that the compiler does not take the kind for constant while `advance` changes it. */
const is = (lexer: Lexer, kind: TokenKind): boolean => lexer.kind === kind;

interface Parser {
  readonly lexer: Lexer;
  readonly names: MatcherNames;
  readonly advice: ((name: string) => string | undefined) | undefined;
  depth: number;
}

const parseOr = (parser: Parser, negated: boolean): RuleTree => parseChain(parser, negated, '||', parseAnd);
const parseAnd = (parser: Parser, negated: boolean): RuleTree => parseChain(parser, negated, '&&', parseUnary);

type Parse = (parser: Parser, negated: boolean) => RuleTree;

function parseChain(parser: Parser, negated: boolean, operator: '&&' | '||', parseOperand: Parse): RuleTree {
  const first = parseOperand(parser, negated);
  if (!is(parser.lexer, operator)) return first;
  const children = [first];
  while (is(parser.lexer, operator)) {
    advance(parser.lexer);
    children.push(parseOperand(parser, negated));
  }
  return { kind: (operator === '||') === negated ? 'and' : 'or', children };
}

function parseUnary(parser: Parser, outerNegated: boolean): RuleTree {
  const { lexer } = parser;
  let negated = outerNegated;
  for (; is(lexer, '!'); advance(lexer)) negated = !negated;
  if (is(lexer, 'name')) return parseCall(parser, negated);
  if (!is(lexer, '(')) throw unexpected(lexer, 'a matcher, ! or (');
  if (++parser.depth > MAX_NESTING) throw fail(lexer, `more than ${MAX_NESTING} parentheses within each other`);
  advance(lexer);
  const tree = parseOr(parser, negated);
  if (!is(lexer, ')')) throw unexpected(lexer, '&&, || or )');
  advance(lexer);
  parser.depth--;
  return tree;
}

function parseCall(parser: Parser, negated: boolean): RuleTree {
  const { lexer } = parser;
  const { start } = lexer;
  const matcher = parser.names.get(lexer.value);
  if (matcher === undefined) throw fail(lexer, unknownMatcher(parser, lexer.value));
  advance(lexer);
  if (!is(lexer, '(')) throw unexpected(lexer, `( after ${matcher}`);
  const values: string[] = [];
  advance(lexer);
  while (!is(lexer, ')')) {
    if (!is(lexer, 'text')) throw unexpected(lexer, `a text in back-ticks or double quotes${values.length > 0 ? ', or )' : ''}`);
    values.push(lexer.value);
    if (parseSeparator(lexer)) break;
  }
  const { end } = lexer;
  advance(lexer);
  return { kind: 'match', matcher, values, negated, start, end };
}

/** True when `)` follows at once. Go also allows `...` after the last argument, which changes nothing. */
function parseSeparator(lexer: Lexer): boolean {
  advance(lexer);
  const spread = is(lexer, '...');
  if (spread) advance(lexer);
  if (is(lexer, ')')) return true;
  if (!is(lexer, ',')) throw unexpected(lexer, ', or )');
  advance(lexer);
  if (spread && !is(lexer, ')')) throw unexpected(lexer, ')');
  return false;
}

function unknownMatcher({ names, advice }: Parser, written: string): string {
  const name = printable(written);
  const documented = new Set(names.values());
  const lower = name.toLowerCase();
  for (const known of documented) if (known.toLowerCase() === lower) return `no matcher is spelled '${name}'; write ${known}`;
  const hint = advice?.(name);
  if (hint !== undefined) return `unknown matcher '${name}'; ${hint}`;
  if (['true', 'false', 'and', 'or', 'not'].includes(lower)) return `'${name}' is no matcher; operators are &&, || and !`;
  const similar = nearest(name, documented);
  return `unknown matcher '${name}'; ${similar === undefined ? `known are ${[...documented].join(', ')}` : `did you mean ${similar}?`}`;
}

function unexpected(lexer: Lexer, expected: string): Error {
  const text = tokenText(lexer);
  const hint = HINTS.find(([pattern]) => pattern.test(text))?.[1];
  const found = lexer.kind === 'end' ? 'the end of the rule' : lexer.kind === 'newline' ? 'a newline' : `'${printable(text)}'`;
  return fail(lexer, `expected ${expected}, found ${found}${hint === undefined ? '' : `; ${hint}`}`);
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^['‘’“”´]$/, 'texts stand in back-ticks or double quotes'],
  [/^&$|^and$/i, 'write &&'],
  [/^\|$|^or$/i, 'write ||'],
  [/^not$/i, 'write !'],
  [/^;$/, 'leave it out'],
  [/^#$/, 'comments are written // or /* */'],
];

/** The calls from left to right. */
export function* matchesOf(tree: RuleTree): Generator<RuleMatch> {
  if (tree.kind === 'match') yield tree;
  else for (const child of tree.children) yield* matchesOf(child);
}
