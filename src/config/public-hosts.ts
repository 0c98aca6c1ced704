import { httpConstraints } from './rule/constraint.ts';
import { ruleSyntax } from './rule/rule.ts';
import type { ProxyRouter } from './snapshot.ts';

type Ruled = Pick<ProxyRouter, 'rule' | 'ruleSyntax'>;

/** The hosts (`hostKey`) of which a request must have one for the router's rule to match; undefined when it may match others. */
export function hostsOf({ rule = '', ruleSyntax: syntax }: Ruled): readonly string[] | undefined {
  const constraints = constraintsOf(rule, syntax);
  if (constraints === undefined || constraints.some(({ hostKind }) => hostKind !== 'exact')) return undefined;
  const hosts = constraints.map(({ host }) => host);
  return hosts.length === 1 ? hosts : [...new Set(hosts)];
}

/** The same for people: `*.example.com`, and `*` where a rule names no host. */
export function hostPatternsOf({ rule = '', ruleSyntax: syntax }: Ruled): string[] {
  const patterns = (constraintsOf(rule, syntax) ?? []).map(({ hostKind, host }) =>
    hostKind === 'exact' ? host : hostKind === 'wildcard' ? `*${host}` : '*',
  );
  return patterns.length === 0 ? ['*'] : [...new Set(patterns)];
}

function constraintsOf(rule: string, syntax: string | undefined) {
  try {
    return httpConstraints(rule, ruleSyntax(syntax));
  } catch {
    // A rule that cannot be read is refused where configurations are merged and compiled; here it may be anybody's.
    return undefined;
  }
}
