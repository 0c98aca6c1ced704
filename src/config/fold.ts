import { chainProblem } from './chain.ts';
import { collectPublic, type PublicRouter } from './fold-objects.ts';
import { hostPatternsOf } from './public-hosts.ts';
import { MAX_ROUTERS, tooManyRouters, type UnsealedObjects } from './publication.ts';
import type { RuntimeConfiguration, RuntimeHttpRouter, RuntimeObject } from './runtime.ts';

export type EdgeScheme = 'http' | 'https';

export interface FoldOptions {
  /** Which entry points are public, and by which scheme clients come to them at the edge; none is the default. */
  readonly entryPoints: Readonly<Record<string, EdgeScheme>>;
  /** Present when an agent with a relay stands behind the publication; its share of the requests beside other agents, 1 by default. */
  readonly agent?: { readonly weight?: number };
}

export interface Folded {
  readonly objects: UnsealedObjects;
  /** Hosts that are public now, sorted; `*` where a rule takes any. */
  readonly hosts: readonly string[];
  /** What of the named entry points is not published, and why. */
  readonly notes: readonly FoldNote[];
}

export interface FoldNote {
  /** As `http.routers.blog@docker`. */
  readonly object: string;
  readonly message: string;
}

type Router = RuntimeObject<RuntimeHttpRouter>;

/**
 * What of a configuration becomes public: routers of the named entry points, and what they need at the edge. Services of an agent
 * are folded, so that no address of a server leaves it. Throws ConfigError `config.limit` when there are too many routers.
 */
export function fold(runtime: RuntimeConfiguration, options: FoldOptions): Folded {
  const notes: FoldNote[] = [];
  const routers = choosePublic(runtime, options, notes);
  if (routers.size > MAX_ROUTERS) throw tooManyRouters(routers.size);
  const objects = collectPublic(runtime, routers, options, (object, message) => void notes.push({ object, message }));
  const hosts = [...routers.values()].filter(({ entryPoints }) => entryPoints.length > 0).flatMap(({ config }) => hostPatternsOf(config));
  return { objects, hosts: [...new Set(hosts)].sort(), notes };
}

function choosePublic(runtime: RuntimeConfiguration, options: FoldOptions, notes: FoldNote[]): Map<string, PublicRouter> {
  const { routers } = runtime.http;
  const chosen = new Map<string, PublicRouter>();
  const reach = createReach(runtime);
  const isRefused = (name: string, router: Router): boolean => {
    const reason = refusal(runtime, router, options);
    if (reason !== undefined && reason !== '') notes.push({ object: `http.routers.${name}`, message: reason });
    return reason !== undefined;
  };

  for (const [name, router] of Object.entries(routers)) {
    const { config, provider } = router;
    if (isChild(config) || provider === 'internal') continue;
    const named = config.entryPoints.filter((entryPoint) => Object.hasOwn(options.entryPoints, entryPoint));
    if (named.length === 0 || isRefused(name, router)) continue;
    const schemes = new Set<EdgeScheme>();
    for (const entryPoint of named) {
      const scheme = options.entryPoints[entryPoint]!;
      const reason = reach(config, entryPoint, scheme);
      if (reason === undefined) schemes.add(scheme);
      else notes.push({ object: `http.routers.${name}`, message: reason });
    }
    if (schemes.size > 0) chosen.set(name, { config, entryPoints: [...schemes].sort() });
  }
  // Children have no entry points: they are public when a parent is.
  const children = Object.entries(routers).filter(([, { config }]) => isChild(config));
  for (let before = -1; before !== chosen.size; ) {
    before = chosen.size;
    for (const [name, router] of children)
      if (!chosen.has(name) && router.config.parentRefs!.some((parent) => chosen.has(parent)) && !isRefused(name, router))
        chosen.set(name, { config: router.config, entryPoints: [] });
  }
  return chosen;
}

const isChild = ({ parentRefs }: RuntimeHttpRouter): boolean => (parentRefs ?? []).length > 0;

/** Why a router is not published; an empty text where the operator is told elsewhere. */
function refusal({ http }: RuntimeConfiguration, { status, config }: Router, options: FoldOptions): string | undefined {
  const references = [...config.middlewares, config.service].filter((name) => name !== '');
  const internal = references.find((name) => name.endsWith('@internal'));
  if (internal !== undefined) return `it uses '${internal}', and what is internal to the agent is never published`;
  if (status === 'disabled') {
    // Nothing may be wrong with it but names that another publisher may have.
    const known = references.map((name) => http.services[name] ?? http.middlewares[name]);
    if (known.every((object) => object !== undefined) || known.some((object) => object?.status === 'disabled')) return '';
  }
  if (options.agent !== undefined) return undefined;
  const problem = chainProblem(config, (name) => http.middlewares[name]?.config);
  return problem && `it needs an agent: ${problem}`;
}

/** Tells why requests of a scheme never reach a router on an entry point; undefined when they do. */
function createReach({
  http,
}: RuntimeConfiguration): (router: RuntimeHttpRouter, entryPoint: string, scheme: EdgeScheme) => string | undefined {
  const withTls = new Set<string>();
  const redirections = new Map<string, RuntimeHttpRouter>();
  for (const { provider, status, config } of Object.values(http.routers)) {
    // The catch-all that `entryPoints.<name>.http.redirections` makes.
    const redirects = provider === 'internal' && status !== 'disabled' && config.service === 'noop@internal';
    for (const entryPoint of config.entryPoints) {
      if (config.tls !== undefined) withTls.add(entryPoint);
      if (redirects) redirections.set(entryPoint, config);
    }
  }
  return ({ tls, priority }, entryPoint, scheme) => {
    if (tls !== undefined && scheme === 'http') return `it takes TLS connections only, and '${entryPoint}' is http at the edge`;
    if (tls === undefined && scheme === 'https' && withTls.has(entryPoint))
      return `it has no tls, and takes no connection of '${entryPoint}', where other routers have it; write tls: {}`;
    const redirection = redirections.get(entryPoint);
    if (redirection !== undefined && BigInt(redirection.priority) >= BigInt(priority))
      return `'${entryPoint}' redirects all requests; switch on Always Use HTTPS at the edge instead`;
    return undefined;
  };
}
