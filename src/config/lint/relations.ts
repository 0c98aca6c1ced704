import { compileRegexp, type Regexp } from '../../base/regexp.ts';
import { isHostExpression } from '../rule/host-expression.ts';
import type { RuleMatch, RuleTree } from '../rule/parser.ts';

/** More comparisons than this are not tried; the answer is then the harmless one. */
const MAX_COMPARISONS = 20_000;

interface Effort {
  left: number;
}

/** Whether every request that `narrow` takes is one that `wide` takes too. Rules of syntax v3. False when that cannot be seen. */
export const covers = (wide: RuleTree, narrow: RuleTree): boolean => implies(narrow, wide, { left: MAX_COMPARISONS });

/** Whether no request can fit both. False when that cannot be seen. */
export const areDisjoint = (a: RuleTree, b: RuleTree): boolean => excludes(a, b, { left: MAX_COMPARISONS });

function implies(b: RuleTree, a: RuleTree, effort: Effort): boolean {
  if (--effort.left < 0) return false;
  if (a.kind === 'match' && takesAll(a)) return true;
  if (b.kind === 'or') return b.children.every((child) => implies(child, a, effort));
  if (a.kind === 'and') return a.children.every((child) => implies(b, child, effort));
  if (a.kind === 'or' && a.children.some((child) => implies(b, child, effort))) return true;
  if (b.kind === 'and') return b.children.some((child) => implies(child, a, effort));
  return a.kind === 'match' && b.kind === 'match' && matchImplies(b, a);
}

function excludes(a: RuleTree, b: RuleTree, effort: Effort): boolean {
  if (--effort.left < 0) return false;
  if (a.kind === 'or') return a.children.every((child) => excludes(child, b, effort));
  if (b.kind === 'or') return b.children.every((child) => excludes(a, child, effort));
  if (a.kind === 'and') return a.children.some((child) => excludes(child, b, effort));
  if (b.kind === 'and') return b.children.some((child) => excludes(a, child, effort));
  if (a.kind !== 'match' || b.kind !== 'match') return false;
  if (a.negated !== b.negated) return a.negated ? matchImplies(b, positive(a)) : matchImplies(a, positive(b));
  return !a.negated && matchExcludes(a, b);
}

const positive = (match: RuleMatch): RuleMatch => ({ ...match, negated: false });

const ALL = new Set(['.*', '^.*$', '^.*', '.+', '^.+$', '^.+', '^/', '^/.*$', '^/.*', '']);

function takesAll({ matcher, values, negated }: RuleMatch): boolean {
  if (negated) return false;
  const [value = ''] = values;
  if (matcher === 'PathPrefix') return value === '/';
  if (matcher === 'Host' || matcher === 'HostSNI') return value === '*';
  if (matcher === 'PathRegexp') return ALL.has(value);
  return (matcher === 'HostRegexp' || matcher === 'HostSNIRegexp') && ALL.has(value) && !value.includes('/');
}

function matchImplies(b: RuleMatch, a: RuleMatch): boolean {
  if (a.negated && b.negated) return matchImplies(positive(a), positive(b));
  if (a.negated) return matchExcludes(b, positive(a));
  if (b.negated) return false;
  const [x, y] = [normal(b), normal(a)];
  if (x.matcher === y.matcher && x.values.length === y.values.length && x.values.every((value, i) => value === y.values[i])) return true;
  const [value = '', second = ''] = x.values;
  const [other = '', otherSecond = ''] = y.values;
  switch (`${x.matcher} ${y.matcher}`) {
    case 'Host Host':
    case 'HostSNI HostSNI':
      return !value.startsWith('*') && isHostExpression(other, value);
    case 'Host HostRegexp':
    case 'HostSNI HostSNIRegexp':
      return !value.startsWith('*') && fits(other, value);
    case 'Path PathPrefix':
    case 'PathPrefix PathPrefix':
      return value.startsWith(other);
    case 'Path PathRegexp':
      return fits(other, value);
    case 'Header HeaderRegexp':
    case 'Query QueryRegexp':
      return value === other && fits(otherSecond, second);
    default:
      return false;
  }
}

function matchExcludes(a: RuleMatch, b: RuleMatch): boolean {
  const [x, y] = [normal(a), normal(b)].sort((one, other) => (one.matcher < other.matcher ? -1 : 1)) as [Normal, Normal];
  const [value = ''] = x.values;
  const [other = ''] = y.values;
  switch (`${x.matcher} ${y.matcher}`) {
    case 'Host Host':
    case 'HostSNI HostSNI':
      if (value === '*' || other === '*') return false;
      if (value.startsWith('*') && other.startsWith('*')) return value !== other;
      return !isHostExpression(value, other) && !isHostExpression(other, value);
    case 'Host HostRegexp':
    case 'HostSNI HostSNIRegexp':
      return !value.startsWith('*') && !fits(other, value, true);
    case 'Path Path':
    case 'Method Method':
      return value !== other;
    case 'Path PathPrefix':
      return !value.startsWith(other);
    case 'PathPrefix PathPrefix':
      return !value.startsWith(other) && !other.startsWith(value);
    case 'Path PathRegexp':
      return !fits(other, value, true);
    default:
      return false;
  }
}

interface Normal {
  readonly matcher: string;
  readonly values: readonly string[];
}

/** Letter case and final dots where they do not matter. */
function normal({ matcher, values }: RuleMatch): Normal {
  if (matcher === 'Host' || matcher === 'HostSNI')
    return { matcher, values: values.map((value) => value.toLowerCase().replace(/\.$/, '')) };
  if (matcher === 'Method') return { matcher, values: values.map((value) => value.toUpperCase()) };
  if (matcher === 'Header' || matcher === 'HeaderRegexp') return { matcher, values: [(values[0] ?? '').toLowerCase(), ...values.slice(1)] };
  return { matcher, values };
}

const compiled = new Map<string, Regexp | undefined>();

function fits(source: string, text: string, otherwise = false): boolean {
  if (!compiled.has(source)) {
    if (compiled.size > 1000) compiled.clear();
    try {
      compiled.set(source, compileRegexp(source));
    } catch {
      compiled.set(source, undefined);
    }
  }
  return compiled.get(source)?.test(text) ?? otherwise;
}
