import { resolveConflicts } from './compile-conflicts.ts';
import { type Emitted, emit } from './compile-emit.ts';
import { createResolver } from './compile-names.ts';
import type { PublicationObjects } from './publication.ts';
import { closeOver, routersByParent } from './references.ts';
import type { ProxyConfiguration, Site, SiteLink, Snapshot } from './snapshot.ts';

export interface CompileInput {
  readonly publisher: string;
  /** Absent when no agent stands behind the publication. */
  readonly link?: SiteLink;
  readonly shards: readonly PublicationObjects[];
  /** Hub sequence of the last change of a router. */
  readonly changedAt: (router: string) => number;
}

export interface Compiled {
  readonly snapshot: Omit<Snapshot, 'revision'>;
  readonly conflicts: readonly Conflict[];
  readonly problems: readonly CompileProblem[];
}

/** Routers of several publishers that take the same requests with the same priority. */
export interface Conflict {
  readonly entryPoint: string;
  readonly rule: string;
  readonly priority: string;
  /** In force: what changed last. */
  readonly winner: ConflictSide;
  /** Kept, and in force again when the others go. */
  readonly losers: readonly ConflictSide[];
}

export interface ConflictSide {
  /** Name in the snapshot. */
  readonly router: string;
  readonly publishers: readonly string[];
}

/** An object that is left out. */
export interface CompileProblem {
  readonly publisher: string;
  /** As `http.routers.blog@docker`. */
  readonly object: string;
  readonly message: string;
}

/**
 * One snapshot of all publications. Names resolve within their publisher first, then across; equal definitions become one,
 * unequal ones stand side by side. The same publications give the same bytes, in whatever order they come.
 */
export function compileSnapshot(inputs: readonly CompileInput[]): Compiled {
  const publications = inputs.toSorted((a, b) => (a.publisher < b.publisher ? -1 : 1));
  const resolver = createResolver(publications);
  const emitted = emit(publications, resolver);
  const { routers, conflicts } = resolveConflicts(emitted.routers);
  return {
    snapshot: { schema: 1, sites: sitesOf(publications), http: prune(emitted, routers) },
    conflicts,
    problems: [...resolver.problems(), ...emitted.problems],
  };
}

function sitesOf(publications: readonly CompileInput[]): Record<string, Site> {
  const sites: Record<string, Site> = {};
  for (const { publisher, link } of publications) if (link !== undefined) sites[publisher] = { agent: publisher, link };
  return sites;
}

/** Only what a router can reach at the edge: the chains of routers that are handed over stay at their agents. */
function prune(emitted: Emitted, routers: ProxyConfiguration['routers']): ProxyConfiguration {
  const { services, middlewares, serversTransports } = emitted;
  return closeOver({ routers, services, middlewares, serversTransports }, Object.keys(routers), routersByParent(routers));
}
