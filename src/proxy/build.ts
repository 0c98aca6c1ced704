import { errorText } from '../base/body.ts';
import type { Cells } from '../base/cells.ts';
import { defaultsOf } from '../base/decode.ts';
import { ConfigError } from '../base/errors.ts';
import type { Handler } from '../base/message.ts';
import { serversTransport } from '../config/dynamic.ts';
import { providerOf, qualify } from '../config/names.ts';
import type { ProxyConfiguration, ProxyService } from '../config/snapshot.ts';
import { HTTP_MIDDLEWARES } from '../middlewares/index.ts';
import type { Middleware, MiddlewareContext, MiddlewareDefinition } from '../middlewares/middleware.ts';
import type { LayeredMap } from './layered-map.ts';
import type { Platform } from './platform.ts';
import { createService, type Service, type ServiceContext } from './services/service.ts';

/** The configuration in force. */
export type Objects = { readonly [K in keyof ProxyConfiguration]: LayeredMap<string, ProxyConfiguration[K][string]> };

/**
 * Builds handlers out of configuration at first use and keeps them until something they were built from changes. Middleware
 * state lives in cells, so a rebuilt handler goes on counting where the old one stopped.
 */
export interface Builder {
  /** The router's whole chain: middlewares, then its children or its service. Throws ConfigError. */
  router(name: string): Handler;
  service(name: string): Service;
  /** Forgets all that was built from the changed objects (`routers/blog@docker`, `services/…`). */
  forget(changed: ReadonlySet<string>): void;
}

interface Built {
  readonly service: Service;
  readonly from: ReadonlySet<string>;
}

export function createBuilder(objects: () => Objects, platform: Platform, children: (router: string) => Handler | undefined): Builder {
  const built = new Map<string, Built>();
  /** Of routers, by name: every request asks for one. */
  const handlers = new Map<string, Handler>();

  /** Remembers what `make` builds under `key`, with all objects it touched. `outer` touches them too. */
  function once(key: string, outer: Set<string> | undefined, make: (touched: Set<string>) => Service): Service {
    let entry = built.get(key);
    if (entry === undefined) {
      const touched = new Set([key]);
      entry = { service: make(touched), from: touched };
      built.set(key, entry);
    }
    if (outer !== undefined) for (const name of entry.from) outer.add(name);
    return entry.service;
  }

  function router(name: string): Handler {
    let handler = handlers.get(name);
    if (handler === undefined) handlers.set(name, (handler = buildRouter(name)));
    return handler;
  }

  function buildRouter(name: string): Handler {
    return once(`routers/${name}`, undefined, (touched) => {
      const config = objects().routers.get(name);
      if (config === undefined) throw new ConfigError('config.reference', `There is no router '${name}'`, { object: name });
      if (config.handOver !== undefined && platform.relay !== undefined) {
        const { weights = {}, stickyCookie } = config.handOverChoice ?? {};
        const sites = Object.entries(config.handOver).map(([site, there]) => ({ site, name: there, weight: weights[site] ?? 1 }));
        const { handle } = platform.relay({ kind: 'router', sites, stickyCookie });
        return always(config.clientCertificate ? demandCertificate(handle) : handle);
      }
      const end = children(name) ?? service(config.service, touched).handle;
      const chain = link(config.middlewares, end, name, touched);
      return always(config.clientCertificate && platform.place === 'edge' ? demandCertificate(chain) : chain);
    }).handle;
  }

  function service(name: string, outer?: Set<string>): Service {
    return once(`services/${name}`, outer, (touched) => {
      if (name.endsWith('@internal')) {
        const handler = platform.internal?.(name.slice(0, -'@internal'.length));
        if (handler !== undefined) return always(handler);
      }
      const config = objects().services.get(name);
      if (config === undefined) throw new ConfigError('config.reference', `There is no service '${name}'`, { object: name });
      const inner = createService(name, config, serviceContext(name, config, touched));
      const names = (config.middlewares ?? []).map((middleware) => qualify(middleware, providerOf(name)));
      return { handle: link(names, inner.handle, name, touched), available: inner.available, healthy: inner.healthy };
    });
  }

  function serviceContext(name: string, config: ProxyService, touched: Set<string>): ServiceContext {
    const provider = providerOf(name);
    const transportName =
      config.loadBalancer?.serversTransport === undefined ? 'default@internal' : qualify(config.loadBalancer.serversTransport, provider);
    touched.add(`serversTransports/${transportName}`);
    return {
      platform,
      transportName,
      transport: objects().serversTransports.get(transportName) ?? defaultsOf(serversTransport),
      service: (child) => service(qualify(child, provider), touched),
    };
  }

  /** The chain of middlewares before `end`, the first one outermost. */
  function link(names: readonly string[], end: Handler, owner: string, touched: Set<string>): Handler {
    let next = end;
    for (const name of expand(names, touched, []).toReversed()) {
      const step = createMiddleware(name, owner, touched);
      const after = next;
      next = (request) => step(request, after);
    }
    return next;
  }

  /** Chains spliced into what they stand for. */
  function expand(names: readonly string[], touched: Set<string>, path: readonly string[]): string[] {
    return names.flatMap((name) => {
      if (path.includes(name))
        throw new ConfigError('config.cycle', `The middleware '${name}' contains itself: ${[...path, name].join(' → ')}`, { object: name });
      const { definition, options } = find(name, touched);
      if (definition.expand === undefined) return [name];
      const inner = definition.expand(options as never).map((child) => qualify(child, providerOf(name)));
      return expand(inner, touched, [...path, name]);
    });
  }

  function find(name: string, touched: Set<string>): { definition: MiddlewareDefinition; options: unknown } {
    touched.add(`middlewares/${name}`);
    const config = objects().middlewares.get(name);
    const kind = config === undefined ? undefined : Object.keys(config)[0];
    if (kind === undefined) throw new ConfigError('config.reference', `There is no middleware '${name}'`, { object: name });
    const definition = (HTTP_MIDDLEWARES as Record<string, MiddlewareDefinition>)[kind];
    if (definition === undefined)
      throw new ConfigError('config.unsupported', `Nobody implements the middleware '${kind}'`, { object: name });
    return { definition, options: config![kind] };
  }

  function createMiddleware(name: string, owner: string, touched: Set<string>): Middleware {
    const { definition, options } = find(name, touched);
    if (definition.create === undefined)
      throw new ConfigError('config.unsupported', `Nobody implements the middleware '${definition.kind}' yet`, { object: name });
    const context: MiddlewareContext = {
      name,
      router: owner,
      place: platform.place,
      clock: platform.clock,
      random: platform.random,
      cells: within(platform.cells, `${owner} ${name} `),
      sharedCells: within(platform.cells, 'middlewares '),
      log: platform.log.with({ middlewareName: name, routerName: owner }),
      service: (child) => service(qualify(child, providerOf(name)), touched).handle,
      fetch: platform.fetch,
      platform: platform.middleware,
    };
    return definition.create(options as never, context);
  }

  return {
    router,
    service: (name) => service(name),
    forget(changed) {
      handlers.clear();
      for (const [key, entry] of built) if (meets(entry.from, changed)) built.delete(key);
    },
  };
}

const always = (handle: Handler): Service => ({ handle, available: () => true, healthy: () => 1 });

/** The agent's TLS refuses the handshake; at the edge that is Cloudflare's, which only says whether it verified a certificate. */
const demandCertificate =
  (next: Handler): Handler =>
  async (request) =>
    request.tls !== undefined && request.tls.clientCertificates.length > 0 ? next(request) : errorText(403, 'client certificate required');

function meets(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  for (const name of small) if (large.has(name)) return true;
  return false;
}

/** The same cells under names of one's own. */
function within(cells: Cells, prefix: string): Cells {
  return {
    counter: (name) => cells.counter(prefix + name),
    table: (name, shape) => cells.table(prefix + name, shape),
    histogram: (name, bounds) => cells.histogram(prefix + name, bounds),
  };
}
