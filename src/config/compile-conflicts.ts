import type { Conflict, ConflictSide } from './compile.ts';
import type { EmittedRouter } from './compile-emit.ts';
import type { ProxyRouter } from './snapshot.ts';

export interface Decided {
  readonly routers: Record<string, ProxyRouter>;
  readonly conflicts: Conflict[];
}

/**
 * Routers of different publishers with the same rule, priority and entry point: the one that changed last stays. Within one
 * publisher they may stand side by side, as in Traefik; provider and name decide there.
 */
export function resolveConflicts(emitted: readonly EmittedRouter[]): Decided {
  const routers: Record<string, ProxyRouter> = {};
  const conflicts: Conflict[] = [];
  groupBy(emitted, ({ config }) => config.rule ?? '').forEach((sameRule, rule) => {
    if (!Array.isArray(sameRule)) {
      routers[sameRule.name] = sameRule.config;
      return;
    }
    for (const group of groupBy(sameRule, ({ config }) => requestsOf(rule, config)).values()) {
      for (const { name, config } of Array.isArray(group) ? decide(group, conflicts) : [group]) routers[name] = config;
    }
  });
  const hasChildren = emitted.some(({ config }) => config.parentRefs !== undefined);
  return { routers: hasChildren ? withoutOrphans(routers) : routers, conflicts };
}

/** Equal for routers that take the same requests with the same priority. */
const requestsOf = (rule: string, { entryPoints, parentRefs, ruleSyntax, priority }: ProxyRouter): string =>
  JSON.stringify([entryPoints, parentRefs, rule, ruleSyntax, String(priority)]);

/** Lists only where several have the key: hardly any rule is written twice. */
function groupBy<T extends object>(items: readonly T[], keyOf: (item: T) => string): Map<string, T | T[]> {
  const groups = new Map<string, T | T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const before = groups.get(key);
    if (Array.isArray(before)) before.push(item);
    else groups.set(key, before === undefined ? item : [before, item]);
  }
  return groups;
}

/** Those that stay. */
function decide(group: readonly EmittedRouter[], conflicts: Conflict[]): EmittedRouter[] {
  const [winner, ...others] = group.toSorted((a, b) => b.changedAt - a.changedAt || (a.name < b.name ? -1 : 1));
  const losers = others.filter(({ publishers }) => !publishers.some((publisher) => winner!.publishers.includes(publisher)));
  if (losers.length > 0) conflicts.push(describeConflict(winner!, losers));
  return group.filter((router) => !losers.includes(router));
}

const side = ({ name, publishers }: EmittedRouter): ConflictSide => ({ router: name, publishers });

const describeConflict = (winner: EmittedRouter, losers: readonly EmittedRouter[]): Conflict => ({
  entryPoint: winner.config.entryPoints[0] ?? '',
  rule: winner.config.rule ?? '',
  priority: String(winner.config.priority),
  winner: side(winner),
  losers: losers.map(side),
});

/** A child goes with its last parent. */
function withoutOrphans(routers: Record<string, ProxyRouter>): Record<string, ProxyRouter> {
  const isOrphan = ({ parentRefs = [] }: ProxyRouter): boolean =>
    parentRefs.length > 0 && !parentRefs.some((parent) => Object.hasOwn(routers, parent));
  const names = Object.keys(routers);
  const kept = names.filter((name) => !isOrphan(routers[name]!));
  return kept.length === names.length ? routers : withoutOrphans(Object.fromEntries(kept.map((name) => [name, routers[name]!])));
}
