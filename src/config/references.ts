import { HTTP_MIDDLEWARES } from '../middlewares/index.ts';
import type { MiddlewareDefinition } from '../middlewares/middleware.ts';
import { providerOf, qualify } from './names.ts';
import type { ProxyConfiguration, ProxyService } from './snapshot.ts';

const NONE: readonly string[] = [];

/** The kinds of services that lead to other services. */
interface CompositeService {
  readonly weighted?: { readonly services?: readonly { readonly name?: string }[] };
  readonly highestRandomWeight?: { readonly services?: readonly { readonly name?: string }[] };
  readonly mirroring?: { readonly service?: string; readonly mirrors?: readonly { readonly name?: string }[] };
  readonly failover?: { readonly service?: string; readonly fallback?: string };
}

/** Names of a service's children as written. */
export function childServices(service: ProxyService): string[] {
  const { weighted, highestRandomWeight, mirroring, failover } = service as CompositeService;
  const names = [
    ...(weighted?.services ?? []).map(({ name }) => name),
    ...(highestRandomWeight?.services ?? []).map(({ name }) => name),
    mirroring?.service,
    ...(mirroring?.mirrors ?? []).map(({ name }) => name),
    failover?.service,
    failover?.fallback,
  ];
  return names.filter((name) => name !== undefined && name !== '') as string[];
}

/** All that the given routers need: themselves, their children, and every object that their chains can reach at the edge. */
export function closeOver(configuration: ProxyConfiguration, roots: Iterable<string>, childrenOf: ChildrenOf): ProxyConfiguration {
  const routers = new Set<string>();
  const services = new Set<string>();
  const middlewares = new Set<string>();
  const serversTransports = new Set<string>();

  const addRouter = (name: string): void => {
    const router = configuration.routers[name];
    if (router === undefined || routers.has(name)) return;
    routers.add(name);
    for (const child of childrenOf.get(name) ?? NONE) addRouter(child);
    // The chain of a router that is handed over stands at the agent.
    if (router.handOver !== undefined) return;
    addService(router.service);
    for (const middleware of router.middlewares) addMiddleware(middleware);
  };
  const addService = (name: string): void => {
    const service = configuration.services[name];
    if (service === undefined || services.has(name)) return;
    services.add(name);
    // The agents' own business: it leads nowhere.
    if (service.sites !== undefined) return;
    const provider = providerOf(name);
    for (const child of childServices(service)) addService(qualify(child, provider));
    for (const middleware of service.middlewares ?? []) addMiddleware(qualify(middleware, provider));
    const transport = service.loadBalancer?.serversTransport;
    const transportName = transport === undefined ? 'default@internal' : qualify(transport, provider);
    if (service.loadBalancer !== undefined && configuration.serversTransports[transportName] !== undefined)
      serversTransports.add(transportName);
  };
  const addMiddleware = (name: string): void => {
    const config = configuration.middlewares[name];
    if (config === undefined || middlewares.has(name)) return;
    middlewares.add(name);
    const provider = providerOf(name);
    for (const [kind, options] of Object.entries(config)) {
      const definition = (HTTP_MIDDLEWARES as Record<string, MiddlewareDefinition>)[kind];
      for (const child of definition?.expand?.(options as never) ?? []) addMiddleware(qualify(child, provider));
      const { service } = options as { service?: unknown };
      if (kind === 'errors' && typeof service === 'string' && service !== '') addService(qualify(service, provider));
    }
  };

  for (const name of roots) addRouter(name);
  return {
    routers: pick(configuration.routers, routers),
    services: pick(configuration.services, services),
    middlewares: pick(configuration.middlewares, middlewares),
    serversTransports: pick(configuration.serversTransports, serversTransports),
  };
}

/** Routers by the parent that they name in `parentRefs`. */
export type ChildrenOf = ReadonlyMap<string, readonly string[]>;

export function routersByParent(routers: ProxyConfiguration['routers']): ChildrenOf {
  const children = new Map<string, string[]>();
  for (const name of Object.keys(routers)) {
    for (const parent of routers[name]!.parentRefs ?? NONE) {
      const list = children.get(parent);
      if (list === undefined) children.set(parent, [name]);
      else list.push(name);
    }
  }
  return children;
}

function pick<T>(all: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> {
  const picked: Record<string, T> = {};
  for (const name of [...names].sort()) picked[name] = all[name]!;
  return picked;
}
