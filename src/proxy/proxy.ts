import { describe } from '../base/errors.ts';
import type { Handler, ProxyRequest, ProxyResponse } from '../base/message.ts';
import { providerOf, providerRank } from '../config/names.ts';
import type { ProxyConfiguration } from '../config/snapshot.ts';
import { createRoutingView } from '../config/rule/routing-view.ts';
import { createBuilder } from './build.ts';
import { type EntryPointOptions, prepareRequest } from './entry-point.ts';
import { errorResponse, notFound } from './error-response.ts';
import type { Platform } from './platform.ts';
import { createRouteTable, type RouteTable } from './route-table.ts';

export interface ProxyOptions {
  readonly platform: Platform;
  readonly entryPoints: Readonly<Record<string, EntryPointOptions>>;
  /** First wins where priorities are equal; Traefik's default order without. */
  readonly precedence?: readonly string[];
}

/** Objects by name that are new or different; null for those that are gone. */
export type ProxyChanges = { readonly [K in keyof ProxyConfiguration]?: Readonly<Record<string, ProxyConfiguration[K][string] | null>> };

export interface HttpProxy {
  /** From here on new requests see the changes, all at once; those under way finish with what they began. */
  update(changes: ProxyChanges): void;
  /** The whole path of a request of an entry point. Never rejects. */
  handle(request: ProxyRequest): Promise<ProxyResponse>;
  /** A router's chain, for a request that was matched elsewhere (relay). Undefined when it does not exist. */
  router(name: string): Handler | undefined;
  /** A service alone, likewise. */
  service(name: string): Handler | undefined;
  readonly configuration: ProxyConfiguration;
}

const EMPTY: ProxyConfiguration = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };

/**
 * The path of a request: entry point → match → chain → service → server → response. Each step is one line of `handle`; what
 * a step does stands in the file of its name.
 */
export function createProxy({ platform, entryPoints, precedence }: ProxyOptions): HttpProxy {
  const { log } = platform;
  let configuration = EMPTY;
  /** Root routers by entry point and TLS; children by parent. */
  let tables = new Map<string, RouteTable>();
  const builder = createBuilder(EMPTY, platform, childrenOf);

  async function handle(request: ProxyRequest): Promise<ProxyResponse> {
    try {
      const refusal = prepareRequest(request, entryPoints[request.entryPoint]!);
      if (refusal !== undefined) return refusal;
      const name = match(tableKey(request.entryPoint, request.tls !== undefined), request);
      if (name === undefined) return notFound();
      request.facts.routerName = name;
      return await builder.router(name)(request);
    } catch (error) {
      return errorResponse(error, log.with({ routerName: request.facts.routerName, entryPointName: request.entryPoint }));
    }
  }

  function match(key: string, request: ProxyRequest): string | undefined {
    return tables.get(key)?.match(createRoutingView(request))?.name;
  }

  function childrenOf(parent: string): Handler | undefined {
    const key = childKey(parent);
    if (!tables.has(key)) return undefined;
    return async (request) => {
      const name = match(key, request);
      if (name === undefined) return notFound();
      request.facts.routerName = name;
      return builder.router(name)(request);
    };
  }

  function update(changes: ProxyChanges): void {
    const changed = new Set<string>();
    const next = {
      routers: apply('routers', changes.routers),
      services: apply('services', changes.services),
      middlewares: apply('middlewares', changes.middlewares),
      serversTransports: apply('serversTransports', changes.serversTransports),
    } as ProxyConfiguration;
    if (changes.routers !== undefined) tables = createTables(next, tables, changes.routers);
    builder.forget(next, changed);
    configuration = next;

    function apply(kind: keyof ProxyConfiguration, objects: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
      if (objects === undefined) return configuration[kind];
      const all: Record<string, unknown> = { ...configuration[kind] };
      for (const [name, object] of Object.entries(objects)) {
        changed.add(`${kind}/${name}`);
        if (object === null) delete all[name];
        else all[name] = object;
      }
      return all;
    }
  }

  function createTables(next: ProxyConfiguration, before: Map<string, RouteTable>, routers: Readonly<Record<string, unknown>>): Map<string, RouteTable> {
    const touched = new Set<string>();
    for (const name of Object.keys(routers)) for (const source of [configuration, next]) for (const key of keysOf(source, name)) touched.add(key);
    const after = new Map(before);
    const members = new Map<string, string[]>();
    for (const name of Object.keys(next.routers)) {
      for (const key of keysOf(next, name)) if (touched.has(key)) members.get(key)?.push(name) ?? members.set(key, [name]);
    }
    for (const key of touched) {
      const names = members.get(key);
      if (names === undefined) after.delete(key);
      else after.set(key, createRouteTable(names.map((name) => entryOf(next, name))));
    }
    return after;
  }

  const entryOf = (source: ProxyConfiguration, name: string) => {
    const { rule = '', ruleSyntax, priority } = source.routers[name]!;
    return { name, rule, ruleSyntax: ruleSyntax ?? ('v3' as const), priority, providerRank: providerRank(providerOf(name), precedence) };
  };

  /** A router that cannot be built is a mistake that merge should have found; its requests are answered as without it. */
  const tryBuild = (make: () => Handler): Handler | undefined => {
    try {
      return make();
    } catch (error) {
      log.error('Cannot build', { error: describe(error) });
      return undefined;
    }
  };

  return {
    update,
    handle,
    router: (name) => (Object.hasOwn(configuration.routers, name) ? tryBuild(() => builder.router(name)) : undefined),
    service: (name) => (Object.hasOwn(configuration.services, name) ? tryBuild(() => builder.service(name)) : undefined),
    get configuration() {
      return configuration;
    },
  };
}

const tableKey = (entryPoint: string, tls: boolean): string => `${tls ? 'tls' : 'plain'} ${entryPoint}`;
const childKey = (parent: string): string => `child ${parent}`;

function keysOf(configuration: ProxyConfiguration, name: string): string[] {
  const router = configuration.routers[name];
  if (router === undefined) return [];
  if (router.parentRefs !== undefined && router.parentRefs.length > 0) return router.parentRefs.map(childKey);
  return router.entryPoints.map((entryPoint) => tableKey(entryPoint, router.tls !== undefined));
}
