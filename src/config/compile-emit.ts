import type { CompileInput, CompileProblem } from './compile.ts';
import type { Node, Resolver, Variant } from './compile-names.ts';
import { baseName, providerOf, qualify } from './names.ts';
import type { RuntimeHttpRouter } from './runtime.ts';
import type { ProxyConfiguration, ProxyRouter, ProxyService } from './snapshot.ts';

/** A router in the form of the snapshot, with what decides between it and others. */
export interface EmittedRouter {
  readonly name: string;
  readonly config: ProxyRouter;
  readonly publishers: readonly string[];
  readonly changedAt: number;
}

export interface Emitted {
  readonly routers: readonly EmittedRouter[];
  readonly services: ProxyConfiguration['services'];
  readonly middlewares: ProxyConfiguration['middlewares'];
  readonly serversTransports: ProxyConfiguration['serversTransports'];
  readonly problems: readonly CompileProblem[];
}

type Names = Resolver['nameOf'];

/** Objects of all variants with their names in the snapshot. */
export function emit(publications: readonly CompileInput[], { variants, nameOf }: Resolver): Emitted {
  const services: Record<string, ProxyService> = {};
  const middlewares: Record<string, Readonly<Record<string, unknown>>> = {};
  const serversTransports: Record<string, ProxyConfiguration['serversTransports'][string]> = {};
  for (const variant of variants('services')) services[variant.name] = emitService(variant, publications, nameOf);
  for (const variant of variants('middlewares')) middlewares[variant.name] = emitMiddleware(variant, nameOf);
  for (const variant of variants('serversTransports')) serversTransports[variant.name] = variant.nodes[0]!.object.value as never;
  return { ...emitRouters([...variants('routers')], publications, nameOf), services, middlewares, serversTransports };
}

function emitService({ nodes, name }: Variant, publications: readonly CompileInput[], nameOf: Names): ProxyService {
  const first = nodes[0]!;
  const { object, targets } = first;
  if (object.weight === undefined) return renameService(object.value as ProxyService, first, targets, name, nameOf);
  const sites: Record<string, { name: string; weight: number }> = {};
  for (const node of nodes) sites[publications[node.publisher]!.publisher] = { name: node.name, weight: node.object.weight! };
  return { sites: { sites, ...(object.stickyCookie !== undefined && { stickyCookie: object.stickyCookie }) } };
}

/** Names of children stay as they were written where they mean the same: cookies are made of them. */
function renameService(value: ProxyService, node: Node, targets: readonly Node[], name: string, nameOf: Names): ProxyService {
  const provider = providerOf(name);
  const rename = renamer(node, targets, (written) => qualify(written, provider), nameOf);
  const kinds = value as Record<string, never> & {
    weighted?: { services?: readonly { name?: string }[] };
    highestRandomWeight?: { services?: readonly { name?: string }[] };
    mirroring?: { service?: string; mirrors?: readonly { name?: string }[] };
    failover?: { service?: string; fallback?: string };
  };
  const service = (written: string | undefined) => (written === undefined || written === '' ? written : rename('services', written));
  const list = (items: readonly { name?: string }[] | undefined) => items?.map((item) => ({ ...item, name: service(item.name) }));
  const { weighted, highestRandomWeight, mirroring, failover } = kinds;
  const { loadBalancer, middlewares } = value;
  return {
    ...value,
    ...(middlewares && { middlewares: middlewares.map((written) => rename('middlewares', written)) }),
    ...(loadBalancer?.serversTransport && {
      loadBalancer: { ...loadBalancer, serversTransport: rename('serversTransports', loadBalancer.serversTransport) },
    }),
    ...(weighted && { weighted: { ...weighted, services: list(weighted.services) } }),
    ...(highestRandomWeight && { highestRandomWeight: { ...highestRandomWeight, services: list(highestRandomWeight.services) } }),
    ...(mirroring && { mirroring: { ...mirroring, service: service(mirroring.service), mirrors: list(mirroring.mirrors) } }),
    ...(failover && { failover: { ...failover, service: service(failover.service), fallback: service(failover.fallback) } }),
  } as ProxyService;
}

function emitMiddleware({ nodes, name }: Variant, nameOf: Names): Readonly<Record<string, unknown>> {
  // One publisher may have a router that runs the word at the edge while the others keep it to themselves.
  const node = nodes.find(({ object }) => Object.keys(object.value!).length > 0) ?? nodes[0]!;
  const value = node.object.value as Record<string, { middlewares?: readonly string[]; service?: string }>;
  const [kind] = Object.keys(value);
  if (kind === undefined || node.targets.length === 0) return value;
  const provider = providerOf(name);
  const rename = renamer(node, node.targets, (written) => qualify(written, provider), nameOf);
  const options = value[kind]!;
  if (kind === 'chain')
    return { chain: { ...options, middlewares: options.middlewares!.map((written) => rename('middlewares', written)) } };
  return { [kind]: { ...options, service: rename('services', options.service!) } };
}

/** The written name where it leads to the right object in the snapshot, else that object's name. */
function renamer(node: Node, targets: readonly Node[], qualified: (written: string) => string, nameOf: Names) {
  const byReference = new Map(node.object.references.map(({ kind, name }, index) => [`${kind}/${name}`, targets[index]!]));
  return (kind: Node['kind'], written: string): string => {
    const full = qualified(written);
    const target = nameOf(byReference.get(`${kind}/${full}`)!);
    return target === full ? written : target;
  };
}

function emitRouters(all: readonly Variant[], publications: readonly CompileInput[], nameOf: Names) {
  const children = new Map<string, Variant[]>();
  for (const variant of all)
    for (const parent of parentsOf(variant.nodes[0]!)) children.set(nameOf(parent), [...(children.get(nameOf(parent)) ?? []), variant]);
  /** Of the router or of one below it: a parent that an agent runs brings its children along. */
  const awayOf = ({ name, nodes }: Variant): string | undefined => {
    let reason = ownAway(nodes[0]!);
    for (const child of children.get(name) ?? NO_VARIANTS) reason ??= awayOf(child);
    return reason;
  };

  const routers: EmittedRouter[] = [];
  const problems: CompileProblem[] = [];
  let taken: ReadonlySet<string> | undefined;
  const isTaken = (name: string): boolean => (taken ??= new Set(all.map(({ name }) => name))).has(name);
  for (const variant of all) {
    const node = variant.nodes[0]!;
    const parents = parentsOf(node);
    // The children of a router that is handed over are the agent's.
    if (parents.length > 0 && awayOf(variant) !== undefined) continue;
    const reason = awayOf(variant);
    const handOver = reason === undefined ? undefined : agentsWith(variant, publications);
    if (handOver !== undefined && Object.keys(handOver).length === 0) {
      for (const { publisher } of variant.nodes)
        problems.push({
          publisher: publications[publisher]!.publisher,
          object: `http.routers.${node.name}`,
          message: `It cannot run at the edge (${reason}), and no agent has all of it`,
        });
      continue;
    }
    const publishers = variant.nodes.map(({ publisher }) => publications[publisher]!.publisher);
    let changedAt = Number.NEGATIVE_INFINITY;
    for (const { publisher, name } of variant.nodes) changedAt = Math.max(changedAt, publications[publisher]!.changedAt(name));
    const away = handOver && { handOver, ...choiceOf(variant, handOver, publications) };
    const config = renameRouter(node, nameOf, away);
    if (config.entryPoints.length < 2) routers.push({ name: variant.name, config, publishers, changedAt });
    else for (const [name, part] of partsOf(variant.name, config, isTaken)) routers.push({ name, config: part, publishers, changedAt });
  }
  return { routers, problems };
}

const NONE: readonly Node[] = [];
const NO_VARIANTS: readonly Variant[] = [];

/** They stand last among the references. */
const parentsOf = ({ targets }: Node): readonly Node[] =>
  targets.at(-1)?.kind === 'routers' ? targets.filter(({ kind }) => kind === 'routers') : NONE;

const ownAway = (node: Node): string | undefined => ((node.object.value as RuntimeHttpRouter).edge?.local ? node.awayLocal : node.away);

/** Name of the router by site, where an agent can run all of it. */
function agentsWith({ nodes }: Variant, publications: readonly CompileInput[]): Record<string, string> {
  const sites: Record<string, string> = {};
  for (const { publisher, name, isOwn } of nodes) {
    const { link, publisher: site } = publications[publisher]!;
    if (link !== undefined && isOwn) sites[site] = name;
  }
  return sites;
}

/** What the services of a router say of their sites, where it is more than nothing. */
function choiceOf(
  { nodes }: Variant,
  handOver: Record<string, string>,
  publications: readonly CompileInput[],
): Pick<ProxyRouter, 'handOverChoice'> {
  const weights: Record<string, number> = {};
  let stickyCookie: string | undefined;
  for (const { publisher, targets } of nodes) {
    const site = publications[publisher]!.publisher;
    const service = targets.find(({ kind }) => kind === 'services')?.object;
    if (handOver[site] === undefined || service === undefined) continue;
    if (service.weight !== undefined && service.weight !== 1) weights[site] = service.weight;
    stickyCookie ??= service.stickyCookie;
  }
  const choice = { ...(Object.keys(weights).length > 0 && { weights }), ...(stickyCookie !== undefined && { stickyCookie }) };
  return Object.keys(choice).length > 0 ? { handOverChoice: choice } : {};
}

/** The value as it was published where all names mean the same in the snapshot, as they mostly do. */
function renameRouter(node: Node, nameOf: Names, away: Pick<ProxyRouter, 'handOver' | 'handOverChoice'> | undefined): ProxyRouter {
  const value = node.object.value as ProxyRouter;
  const { targets, object } = node;
  const isSame = targets.every((target, index) => nameOf(target) === object.references[index]!.name);
  if (isSame && away === undefined && object.clientCertificate === undefined) return value;
  const named = (kind: Node['kind']): string[] => targets.filter((target) => target.kind === kind).map(nameOf);
  return {
    ...value,
    middlewares: named('middlewares'),
    service: named('services')[0] ?? '',
    ...(value.parentRefs && { parentRefs: named('routers') }),
    ...away,
    ...(object.clientCertificate && { clientCertificate: true }),
  };
}

/** At the edge http and https are entry points with and without TLS: a router on both is two, named as Traefik names such parts. */
function partsOf(name: string, config: ProxyRouter, isTaken: (name: string) => boolean): [string, ProxyRouter][] {
  let secure = `https-${baseName(name)}`;
  while (isTaken(`${secure}@${providerOf(name)}`)) secure += '~';
  return [
    [name, { ...config, entryPoints: ['http'] }],
    [`${secure}@${providerOf(name)}`, { ...config, entryPoints: ['https'], tls: {} }],
  ];
}
