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
  const groups = new Map<string, EmittedRouter[]>();
  for (const router of emitted) {
    const { entryPoints, rule, ruleSyntax, priority, parentRefs } = router.config;
    const key = JSON.stringify([entryPoints, parentRefs, rule, ruleSyntax, String(priority)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [router]);
    else group.push(router);
  }
  const routers: Record<string, ProxyRouter> = {};
  const conflicts: Conflict[] = [];
  for (const group of groups.values()) {
    if (group.length === 1) {
      routers[group[0]!.name] = group[0]!.config;
      continue;
    }
    const [winner, ...others] = group.toSorted((a, b) => b.changedAt - a.changedAt || (a.name < b.name ? -1 : 1));
    const losers = others.filter(({ publishers }) => !publishers.some((publisher) => winner!.publishers.includes(publisher)));
    for (const router of group) if (!losers.includes(router)) routers[router.name] = router.config;
    if (losers.length > 0) conflicts.push(describeConflict(winner!, losers));
  }
  return { routers: withoutOrphans(routers), conflicts };
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
