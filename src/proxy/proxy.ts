import { describe } from '../base/errors.ts';
import type { Handler, ProxyRequest, ProxyResponse, TlsFacts } from '../base/message.ts';
import { providerOf, providerRank } from '../config/names.ts';
import { createRoutingView, type RoutingView } from '../config/rule/routing-view.ts';
import type { ProxyConfiguration, ProxyRouter } from '../config/snapshot.ts';
import { createEncodedCharacterTest } from '../middlewares/http/encoded-characters.ts';
import { createBuilder, type Objects } from './build.ts';
import { createRequestPreparation, type EntryPointOptions } from './entry-point.ts';
import { emptyResponse, errorResponse, misdirected, notFound } from './error-response.ts';
import { changeLayeredMap, createLayeredMap, type LayeredMap } from './layered-map.ts';
import { type ObservabilityOptions, observe, observeRouter } from './observation.ts';
import type { Platform } from './platform.ts';
import { createRouteTable, type RouteEntry, type RouteTable } from './route-table.ts';

export interface ProxyOptions {
  readonly platform: Platform;
  readonly entryPoints: Readonly<Record<string, EntryPointOptions>>;
  /** What X-Forwarded-Server says. */
  readonly hostname: string;
  /** First wins where priorities are equal; Traefik's default order without. */
  readonly precedence?: readonly string[] | undefined;
  /** Requests are observed for access log and metrics; by entry point what holds where no router says otherwise. */
  readonly observed?: Readonly<Record<string, ObservabilityOptions | undefined>> | undefined;
}

/** Objects by name that are new or different; null for those that are gone. */
export type ProxyChanges = { readonly [K in keyof ProxyConfiguration]?: Readonly<Record<string, ProxyConfiguration[K][string] | null>> };

export interface HttpProxy {
  /** From here on new requests see the changes, all at once; those under way finish with what they began. */
  update(changes: ProxyChanges): void;
  /** The whole path of a request of an entry point. Never rejects. */
  handle(request: ProxyRequest): Promise<ProxyResponse>;
  /** A router's chain, for a request that was matched elsewhere (relay). Undefined when it does not exist or cannot be built. */
  router(name: string): Handler | undefined;
  /** A service alone, likewise. */
  service(name: string): Handler | undefined;
  /** Begins to observe a request that was matched elsewhere; `router` names who took it. */
  observe(request: ProxyRequest, router: string | undefined): void;
  /** Servers that could take a request of this service, or of the service that this router leads to; undefined when there is none of the name. */
  healthy(kind: 'service' | 'router', name: string): number | undefined;
}

/** Root routers by entry point and TLS, children by parent: one table each. */
type Tables = ReadonlyMap<string, RouteTable<RouteEntry, RoutingView>>;

/**
 * The path of a request: entry point → match → chain → service → server → response. Each step is one line of `handle`; what
 * a step does stands in the file of its name.
 */
export function createProxy({ platform, entryPoints, hostname, precedence, observed }: ProxyOptions): HttpProxy {
  const { log } = platform;
  const prepare = new Map(Object.entries(entryPoints).map(([name, options]) => [name, createRequestPreparation(options, hostname)]));
  const encodedCharacters = new Map(
    Object.entries(entryPoints).map(([name, { encodedCharacters: allowed }]) => [name, allowed && createEncodedCharacterTest(allowed)]),
  );
  let objects: Objects = { routers: emptyMap(), services: emptyMap(), middlewares: emptyMap(), serversTransports: emptyMap() };
  let tables: Tables = new Map();
  const builder = createBuilder(() => objects, platform, childrenOf);

  async function handle(request: ProxyRequest): Promise<ProxyResponse> {
    const response = await answer(request);
    if (request.facts.observation !== undefined) request.facts.observation.responseHeaders = response.headers;
    return response;
  }

  async function answer(request: ProxyRequest): Promise<ProxyResponse> {
    try {
      const refusal = prepare.get(request.entryPoint)!(request);
      if (refusal !== undefined) return refusal;
      if (observed !== undefined) observe(request, observed[request.entryPoint]);
      const name = match(tableKey(request.entryPoint, request.tls !== undefined), request);
      if (name === undefined) return notFound();
      if (request.tls !== undefined && isMisdirected(name, request.tls)) return misdirected();
      if (encodedCharacters.get(request.entryPoint)?.(request.path)) return emptyResponse(400);
      enter(request, name);
      return await builder.router(name)(request);
    } catch (error) {
      return errorResponse(error, log.with({ routerName: request.facts.routerName, entryPointName: request.entryPoint }));
    }
  }

  /** A name in the handshake led to other TLS options than the router asks for. At the edge the handshake is Cloudflare's. */
  const isMisdirected = (name: string, { options }: TlsFacts): boolean =>
    platform.place === 'agent' && (objects.routers.get(name)?.tls?.options ?? 'default') !== options;

  const match = (key: string, request: ProxyRequest): string | undefined => tables.get(key)?.match(createRoutingView(request))?.name;

  function enter({ facts }: ProxyRequest, router: string): void {
    facts.routerName = router;
    if (facts.observation !== undefined) observeRouter(facts.observation, objects.routers.get(router)!);
  }

  /** A router that has children hands over to the one that matches; its own service is for nobody then. */
  function childrenOf(parent: string): Handler | undefined {
    const key = childKey(parent);
    if (!tables.has(key)) return undefined;
    return async (request) => {
      const name = match(key, request);
      if (name === undefined) return notFound();
      enter(request, name);
      return builder.router(name)(request);
    };
  }

  function update(changes: ProxyChanges): void {
    const changed = new Set<string>();
    const before = objects.routers;
    const change = <T>(kind: keyof Objects, map: LayeredMap<string, T>): LayeredMap<string, T> => {
      const entries = new Map<string, T | undefined>();
      for (const [name, object] of Object.entries(changes[kind] ?? {})) {
        changed.add(`${kind}/${name}`);
        entries.set(name, (object ?? undefined) as T | undefined);
      }
      return finishNow(changeLayeredMap(map, entries));
    };
    const next: Objects = {
      routers: change('routers', objects.routers),
      services: change('services', objects.services),
      middlewares: change('middlewares', objects.middlewares),
      serversTransports: change('serversTransports', objects.serversTransports),
    };
    const nextTables = changeTables(tables, Object.keys(changes.routers ?? {}), before, next.routers);
    for (const key of keysOfChangedParents(tables, nextTables)) changed.add(key);
    objects = next;
    tables = nextTables;
    builder.forget(changed);
  }

  function changeTables(current: Tables, names: readonly string[], before: Objects['routers'], after: Objects['routers']): Tables {
    const byTable = new Map<string, { removed: string[]; added: RouteEntry[] }>();
    const at = (key: string) => byTable.get(key) ?? byTable.set(key, { removed: [], added: [] }).get(key)!;
    for (const name of names) {
      const [old, router] = [before.get(name), after.get(name)];
      const keys = router === undefined ? [] : keysOf(router);
      for (const key of old === undefined ? [] : keysOf(old)) if (!keys.includes(key)) at(key).removed.push(name);
      for (const key of keys) at(key).added.push(entryOf(name, router!));
    }
    const next = new Map(current);
    for (const [key, change] of byTable) {
      const table = (next.get(key) ?? createRouteTable([])).update(change);
      if (table.size === 0) next.delete(key);
      else next.set(key, table);
    }
    return next;
  }

  const entryOf = (name: string, { rule = '', ruleSyntax, priority }: ProxyRouter): RouteEntry => ({
    name,
    rule,
    ruleSyntax,
    priority,
    providerRank: providerRank(providerOf(name), precedence),
  });

  /** What cannot be built is a mistake that merge should have found; its requests are answered as without it. */
  function tryBuild(make: () => Handler): Handler | undefined {
    try {
      return make();
    } catch (error) {
      log.error('Cannot build', { error: describe(error) });
      return undefined;
    }
  }

  return {
    update,
    handle,
    router: (name) => (objects.routers.get(name) === undefined ? undefined : tryBuild(() => builder.router(name))),
    service: (name) => (objects.services.get(name) === undefined ? undefined : tryBuild(() => builder.service(name).handle)),
    observe(request, router) {
      if (observed === undefined) return;
      const { facts } = request;
      observe(request, observed[request.entryPoint]);
      facts.routerName = router;
      const config = router === undefined ? undefined : objects.routers.get(router);
      if (config !== undefined) observeRouter(facts.observation!, config);
    },
    healthy(kind, name) {
      const service = kind === 'service' ? name : objects.routers.get(name)?.service;
      return service === undefined || objects.services.get(service) === undefined ? undefined : builder.service(service).healthy();
    },
  };
}

const emptyMap = <T>(): LayeredMap<string, T> => createLayeredMap<string, T>(new Map());

function finishNow<T>(slices: Generator<void, T>): T {
  let step = slices.next();
  while (!step.done) step = slices.next();
  return step.value;
}

const tableKey = (entryPoint: string, tls: boolean): string => `${tls ? 'tls' : 'plain'} ${entryPoint}`;
const CHILD = 'child ';
const childKey = (parent: string): string => CHILD + parent;

function keysOf({ parentRefs, entryPoints, tls }: ProxyRouter): string[] {
  if (parentRefs !== undefined && parentRefs.length > 0) return parentRefs.map(childKey);
  return entryPoints.map((entryPoint) => tableKey(entryPoint, tls !== undefined));
}

/** Parents that got their first child or lost the last: what was built of them has another end now. */
function* keysOfChangedParents(before: Tables, after: Tables): Generator<string> {
  for (const key of before.keys()) if (key.startsWith(CHILD) && !after.has(key)) yield `routers/${key.slice(CHILD.length)}`;
  for (const key of after.keys()) if (key.startsWith(CHILD) && !before.has(key)) yield `routers/${key.slice(CHILD.length)}`;
}
