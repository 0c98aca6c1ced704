import { hasStrayBytes, isAscii, toByteString } from '../../base/byte-string.ts';
import type { RuleMatch, RuleTree } from './parser.ts';
import { compileHttpRule, parseHttpRule, parseTcpRule, type RuleSyntax } from './rule.ts';
import { TCP_HOST, TCP_HOST_V2 } from './tcp-matchers.ts';

/**
 * One way in which a request can match a rule, as far as an index can know it: each request that matches the rule fits at least
 * one constraint of the rule. `complete`: whatever fits matches, unless a host of the request ends with a dot.
 */
export interface Constraint {
  readonly hostKind: 'any' | 'exact' | 'wildcard';
  /** `hostKey` of the host, or of what follows the `*`. */
  readonly host: string;
  readonly pathKind: 'any' | 'exact' | 'prefix';
  /** As byte string. */
  readonly path: string;
  readonly complete: boolean;
}

/** Rules do not tell `a.test` and `a.test.` apart, so the index leaves final dots out. */
export function hostKey(host: string): string {
  let end = host.length;
  while (host.charCodeAt(end - 1) === 46) end--;
  return end === host.length ? host : host.slice(0, end);
}

const ALWAYS: Constraint = { hostKind: 'any', host: '', pathKind: 'any', path: '', complete: true };
const UNKNOWN: Constraint = { ...ALWAYS, complete: false };

/** The commonest rules, sound in v2 and v3: no need to parse them. The host is the first group. */
export const COMMON_RULE = /^Host\(`([a-z0-9-]+(?:\.[a-z0-9-]+)*)`\)(?: ?&& ?(Path|PathPrefix)\(`(\/[ -_a-z|~]*)`\))?$/;

/** Throws ConfigError as `compileHttpRule` does, without making more than is needed to know. */
export function checkHttpRule(rule: string, syntax: RuleSyntax): void {
  if (!COMMON_RULE.test(rule)) compileHttpRule(rule, syntax);
}

/** Throws ConfigError when the rule cannot be parsed. */
export function httpConstraints(rule: string, syntax: RuleSyntax): readonly Constraint[] {
  const common = COMMON_RULE.exec(rule);
  if (common !== null) return [commonConstraint(common[1]!, common[2], common[3])];
  return constraintsOf(parseHttpRule(rule, syntax), syntax === 'v2' ? httpV2Match : httpMatch);
}

/** Throws ConfigError when the rule cannot be parsed. */
export const tcpConstraints = (rule: string, syntax: RuleSyntax): readonly Constraint[] =>
  constraintsOf(parseTcpRule(rule, syntax), syntax === 'v2' ? tcpV2Match : tcpMatch);

const commonConstraint = (host: string, matcher: string | undefined, path: string | undefined): Constraint => ({
  hostKind: 'exact',
  host,
  pathKind: matcher === undefined ? 'any' : matcher === 'Path' ? 'exact' : 'prefix',
  path: path ?? '',
  complete: true,
});

type MatchConstraints = (match: RuleMatch) => readonly Constraint[];

/** Constraints are complete only when every part of the rule is: a mistake in another part must take the whole rule out. */
function constraintsOf(tree: RuleTree, ofMatch: MatchConstraints): readonly Constraint[] {
  let complete = true;
  const constraints = alternatives(tree, (match) => {
    const known = match.negated ? [UNKNOWN] : ofMatch(match);
    complete &&= known.every((constraint) => constraint.complete);
    return known;
  });
  return complete ? constraints : constraints.map((constraint) => ({ ...constraint, complete: false }));
}

/** An `&&` of alternatives is multiplied out up to this number; beyond, one side is left to the rule itself. */
const MAX_PRODUCT = 64;

function alternatives(tree: RuleTree, ofMatch: MatchConstraints): readonly Constraint[] {
  if (tree.kind === 'match') return ofMatch(tree);
  const parts = tree.children.map((child) => alternatives(child, ofMatch));
  return tree.kind === 'or' ? simplify(parts.flat()) : parts.reduce(intersect);
}

/** A constraint that fits everything makes the others useless. */
function simplify(constraints: readonly Constraint[]): readonly Constraint[] {
  const open = constraints.find(({ hostKind, pathKind }) => hostKind === 'any' && pathKind === 'any');
  return open === undefined ? constraints : [open];
}

function intersect(left: readonly Constraint[], right: readonly Constraint[]): readonly Constraint[] {
  if (left.length * right.length <= MAX_PRODUCT || left.length === 1 || right.length === 1) {
    return left.flatMap((a) => right.map((b) => merge(a, b)));
  }
  const selective = isSelective(left) || !isSelective(right) ? left : right;
  return selective.map((constraint) => ({ ...constraint, complete: false }));
}

const isSelective = (constraints: readonly Constraint[]): boolean => constraints.every(({ hostKind }) => hostKind !== 'any');

function merge(a: Constraint, b: Constraint): Constraint {
  const host = a.hostKind === 'any' || (a.hostKind === 'wildcard' && b.hostKind === 'exact') ? b : a;
  const path = a.pathKind === 'any' || (a.pathKind === 'prefix' && b.pathKind !== 'any' && b.path.length > a.path.length) ? b : a;
  const conflict = (a.hostKind !== 'any' && b.hostKind !== 'any') || (a.pathKind !== 'any' && b.pathKind !== 'any');
  return {
    hostKind: host.hostKind,
    host: host.host,
    pathKind: path.pathKind,
    path: path.path,
    complete: a.complete && b.complete && !conflict,
  };
}

function httpMatch({ matcher, values }: RuleMatch): readonly Constraint[] {
  const value = values[0] ?? '';
  if (values.length !== 1) return [UNKNOWN];
  if (matcher === 'Host') return [value === '*' ? ALWAYS : hostConstraint(value, true)];
  if (matcher === 'Path') return [pathConstraint('exact', value)];
  return [matcher === 'PathPrefix' ? pathConstraint('prefix', value) : UNKNOWN];
}

function httpV2Match({ matcher, values }: RuleMatch): readonly Constraint[] {
  if (values.length === 0) return [UNKNOWN];
  if (matcher === 'Host' || matcher === 'HostHeader') return values.map((value) => hostConstraint(value, false));
  if (matcher === 'Path') return values.map((value) => templateConstraint('exact', value));
  return matcher === 'PathPrefix' ? values.map((value) => templateConstraint('prefix', value)) : [UNKNOWN];
}

function tcpMatch({ matcher, values }: RuleMatch): readonly Constraint[] {
  if (matcher !== 'HostSNI' || values.length !== 1) return [UNKNOWN];
  if (values[0] === '*') return [ALWAYS];
  return [TCP_HOST.test(values[0]!) ? hostConstraint(values[0]!, true) : UNKNOWN];
}

function tcpV2Match({ matcher, values }: RuleMatch): readonly Constraint[] {
  if (matcher !== 'HostSNI' || values.length === 0 || !values.every((value) => TCP_HOST_V2.test(value))) return [UNKNOWN];
  return values.map((value) => hostConstraint(value, false));
}

function hostConstraint(value: string, wildcards: boolean): Constraint {
  if (value === '' || !isAscii(value)) return UNKNOWN;
  const host = value.toLowerCase();
  const complete = !host.endsWith('.');
  if (wildcards && host.startsWith('*')) return { ...UNKNOWN, hostKind: 'wildcard', host: hostKey(host.slice(1)), complete };
  return { ...UNKNOWN, hostKind: 'exact', host: hostKey(host), complete };
}

const pathConstraint = (pathKind: 'exact' | 'prefix', value: string): Constraint =>
  value.startsWith('/') ? { ...UNKNOWN, pathKind, path: toByteString(value), complete: true } : UNKNOWN;

/** Up to its first brace a template is literal. */
function templateConstraint(kind: 'exact' | 'prefix', value: string): Constraint {
  if (hasStrayBytes(value) || value.includes('\ufffd')) return UNKNOWN;
  const brace = value.search(/[{}]/);
  if (brace === -1) return pathConstraint(kind, value);
  return { ...pathConstraint('prefix', value.slice(0, brace)), complete: false };
}
