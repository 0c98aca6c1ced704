import { isAscii, utf8Length } from '../../base/byte-string.ts';
import { ConfigError } from '../../base/errors.ts';
import { HTTP_MATCHERS, type HttpTest } from './http-matchers.ts';
import { HTTP_MATCHERS_V2 } from './http-matchers-v2.ts';
import { placeOf, printable } from './lexer.ts';
import type { MatcherDefinition } from './matcher.ts';
import { type MatcherNames, matchesOf, parseRule, type RuleMatch, type RuleTree, spellings } from './parser.ts';
import type { RoutingView } from './routing-view.ts';
import { TCP_MATCHERS, TCP_MATCHERS_V2, type TcpTest, type TcpView } from './tcp-matchers.ts';

export type RuleSyntax = 'v2' | 'v3';

/** Whatever is not exactly `v2` is v3, as in Traefik. */
export const ruleSyntax = (name: string | undefined): RuleSyntax => (name === 'v2' ? 'v2' : 'v3');

export interface CompiledRule<View> {
  readonly tree: RuleTree;
  readonly test: (view: View) => boolean;
  /** The conditions that failed, as they stand in the rule: the first of an `&&`, all of an `||`; empty when the rule matches. */
  readonly failures: (view: View) => string[];
}

export interface CompiledHttpRule extends CompiledRule<RoutingView> {
  /** Values of `Host` in small letters, negated ones too. */
  readonly domains: readonly string[];
}

export interface CompiledTcpRule extends CompiledRule<TcpView> {
  /** Values of `HostSNI` in small letters, negated ones too. */
  readonly domains: readonly string[];
  /** The rule is `HostSNI(`*`)` alone (negated or not, as in Traefik). */
  readonly catchAll: boolean;
}

interface Language<Test> {
  readonly definitions: Readonly<Record<string, MatcherDefinition<Test>>>;
  readonly names: MatcherNames;
  readonly advice: (name: string) => string | undefined;
}

const language = <Test>(definitions: Language<Test>['definitions'], advice: Record<string, string>): Language<Test> => {
  const known = spellings(Object.keys(advice));
  return { definitions, names: spellings(Object.keys(definitions)), advice: (name) => advice[known.get(name) ?? ''] };
};

const TCP_ADVICE = {
  HostSNI: 'HostSNI is for TCP routers; write Host',
  HostSNIRegexp: 'HostSNIRegexp is for TCP routers; write HostRegexp',
  ALPN: 'ALPN is for TCP routers',
};
const HTTP_ADVICE = Object.fromEntries(
  Object.keys({ ...HTTP_MATCHERS, ...HTTP_MATCHERS_V2 })
    .filter((name) => name !== 'ClientIP')
    .map((name) => [name, name.startsWith('Host') ? `${name} is for HTTP routers; write HostSNI` : `${name} is for HTTP routers`]),
);

const HTTP: Record<RuleSyntax, Language<HttpTest>> = {
  v3: language(HTTP_MATCHERS, {
    ...TCP_ADVICE,
    Headers: 'in v3 it is Header(`name`, `value`)',
    HeadersRegexp: 'in v3 it is HeaderRegexp(`name`, `expression`)',
    HostHeader: 'in v3 it is Host',
  }),
  v2: language(HTTP_MATCHERS_V2, {
    ...TCP_ADVICE,
    Header: 'in v2 it is Headers(`name`, `value`)',
    HeaderRegexp: 'in v2 it is HeadersRegexp(`name`, `expression`)',
    PathRegexp: 'in v2 write Path(`/{name:expression}`), or use v3',
    QueryRegexp: 'in v2 write Query(`key={name:expression}`), or use v3',
  }),
};
const TCP: Record<RuleSyntax, Language<TcpTest>> = { v3: language(TCP_MATCHERS, HTTP_ADVICE), v2: language(TCP_MATCHERS_V2, HTTP_ADVICE) };

/** Parses only: a rule with a bad expression or a wrong number of arguments passes. Throws ConfigError. */
export const parseHttpRule = (rule: string, syntax: RuleSyntax): RuleTree => parse(rule, HTTP[syntax]);
export const parseTcpRule = (rule: string, syntax: RuleSyntax): RuleTree => parse(rule, TCP[syntax]);

const parse = <Test>(rule: string, { names, advice }: Language<Test>): RuleTree => parseRule(rule, names, advice);

/** Throws ConfigError `config.rule` (or `config.limit`) with place and remedy. */
export function compileHttpRule(rule: string, syntax: RuleSyntax = 'v3'): CompiledHttpRule {
  const tree = parseHttpRule(rule, syntax);
  const { test, failures } = compile(rule, tree, HTTP[syntax].definitions);
  return {
    tree,
    test,
    failures,
    get domains() {
      return valuesOf(tree, 'Host');
    },
  };
}

/** Throws ConfigError `config.rule` (or `config.limit`) with place and remedy. */
export function compileTcpRule(rule: string, syntax: RuleSyntax = 'v3'): CompiledTcpRule {
  const tree = parseTcpRule(rule, syntax);
  const { test, failures } = compile(rule, tree, TCP[syntax].definitions);
  return {
    tree,
    test,
    failures,
    catchAll: isCatchAll(tree),
    get domains() {
      return valuesOf(tree, 'HostSNI');
    },
  };
}

const HTTP_NAMES = spellings(Object.keys({ ...HTTP_MATCHERS, ...HTTP_MATCHERS_V2 }));
const TCP_NAMES = spellings(Object.keys(TCP_MATCHERS));

/** Domains that certificates are asked for: every value of `Host`, in small letters, whatever the syntax. Throws ConfigError. */
export const ruleDomains = (rule: string): string[] => valuesOf(parseRule(rule, HTTP_NAMES), 'Host');
/** The same of a TCP rule: every value of `HostSNI`. Throws ConfigError. */
export const tcpRuleDomains = (rule: string): string[] => valuesOf(parseRule(rule, TCP_NAMES), 'HostSNI');

/** The priority of a router that sets none (or 0): the length of its rule in bytes of UTF-8. */
export const rulePriority = (rule: string): number => utf8Length(rule);

const CATCH_ALL_NAMES = spellings(['HostSNI']);

/** As `rulePriority`, but −1 for `HostSNI(`*`)` alone, in any spelling, with parentheses or negated. */
export function tcpRulePriority(rule: string): number {
  if (!rule.includes('*')) return utf8Length(rule);
  try {
    return isCatchAll(parseRule(rule, CATCH_ALL_NAMES)) ? -1 : utf8Length(rule);
  } catch {
    return utf8Length(rule);
  }
}

const isCatchAll = (tree: RuleTree): boolean =>
  tree.kind === 'match' && tree.matcher === 'HostSNI' && tree.values.length === 1 && tree.values[0] === '*';

/** Higher ones are kept for routers of our own (Traefik: MaxInt64 − 1000). */
export const MAX_PRIORITY = 2n ** 63n - 1n - 1000n;

/** Says what is wrong with a configured priority. */
export function checkPriority(priority: number | bigint, provider: string): string | undefined {
  if (priority <= MAX_PRIORITY || provider === 'internal') return undefined;
  return `The priority ${priority} is higher than ${MAX_PRIORITY}, the highest that may be configured`;
}

function valuesOf(tree: RuleTree, matcher: string): string[] {
  const values: string[] = [];
  for (const match of matchesOf(tree)) if (match.matcher === matcher) for (const value of match.values) values.push(lower(value));
  return values;
}

/** Letter by letter as Go does it, without the rules for whole words that JavaScript has. */
const lower = (text: string): string =>
  isAscii(text) ? text.toLowerCase() : text.toWellFormed().replace(/./gsu, (letter) => letter.toLowerCase());

type Test<View> = (view: View) => boolean;
type Definitions<View> = Readonly<Record<string, MatcherDefinition<Test<View>>>>;

const compile = <View>(rule: string, tree: RuleTree, definitions: Definitions<View>): CompiledRule<View> => ({
  tree,
  test: compileTree(rule, tree, definitions),
  failures: (view) => failuresOf(rule, tree, definitions, view),
});

function compileTree<View>(rule: string, tree: RuleTree, definitions: Definitions<View>): Test<View> {
  if (tree.kind === 'match') {
    const test = compileMatch(rule, tree, definitions[tree.matcher]!);
    return tree.negated ? (view) => !test(view) : test;
  }
  const tests: Test<View>[] = [];
  for (const child of tree.children) tests.push(compileTree(rule, child, definitions));
  return tree.kind === 'and' ? allOf(tests) : anyOf(tests);
}

function allOf<View>(tests: readonly Test<View>[]): Test<View> {
  if (tests.length === 2) {
    const first = tests[0]!;
    const second = tests[1]!;
    return (view) => first(view) && second(view);
  }
  return (view) => {
    for (const test of tests) if (!test(view)) return false;
    return true;
  };
}

function anyOf<View>(tests: readonly Test<View>[]): Test<View> {
  if (tests.length === 2) {
    const first = tests[0]!;
    const second = tests[1]!;
    return (view) => first(view) || second(view);
  }
  return (view) => {
    for (const test of tests) if (test(view)) return true;
    return false;
  };
}

function compileMatch<View>(rule: string, match: RuleMatch, definition: MatcherDefinition<Test<View>>): Test<View> {
  const { matcher, values } = match;
  const problem = checkValues(match, definition.arity);
  if (problem !== undefined) throw ruleError(rule, match, problem);
  try {
    return definition.build(values);
  } catch (error) {
    throw ruleError(rule, match, `${matcher}: ${(error as Error).message}`, error);
  }
}

function checkValues({ matcher, values }: RuleMatch, arity: readonly number[] | undefined): string | undefined {
  if (values.length === 0) return `${matcher} needs an argument`;
  if (values.includes('')) return `${matcher} has an empty argument; write a value${matcher === 'Query' ? ', or leave it out' : ''}`;
  if (arity === undefined || arity.includes(values.length)) return undefined;
  const wanted = `${matcher} takes ${arity.join(' or ')} argument${arity.at(-1) === 1 ? '' : 's'}, not ${values.length}`;
  if (arity[0] !== 1 || arity.length > 1) return wanted;
  return `${wanted}; write ${values
    .slice(0, 3)
    .map((value) => `${matcher}(\`${printable(value)}\`)`)
    .join(' || ')}${values.length > 3 ? ' || …' : ''}`;
}

const ruleError = (rule: string, match: RuleMatch, message: string, cause?: unknown): ConfigError =>
  new ConfigError('config.rule', `${placeOf(rule, match.start)}: ${message}`, {}, { cause });

/** Compiles what it asks, as only `explain` asks it. */
function failuresOf<View>(rule: string, tree: RuleTree, definitions: Definitions<View>, view: View): string[] {
  const matches = (part: RuleTree): boolean => compileTree(rule, part, definitions)(view);
  if (matches(tree)) return [];
  if (tree.kind === 'match') return [`${tree.negated ? '!' : ''}${rule.slice(tree.start, tree.end)}`];
  if (tree.kind === 'or') return tree.children.flatMap((child) => failuresOf(rule, child, definitions, view));
  return failuresOf(rule, tree.children.find((child) => !matches(child))!, definitions, view);
}
