import type { MiddlewarePlatform } from '../../middlewares/middleware.ts';
import type { HttpRouter } from '../dynamic.ts';
import type { RuntimeConfiguration, RuntimeHttpRouter } from '../runtime.ts';
import type { EntryPoints } from './entry-points.ts';
import { httpMiddlewareGraph, middlewareRegistry } from './middlewares.ts';
import { finishRouters, finishSlots, judgeAll, judgeTransports, judgeUse, transportRegistry } from './objects.ts';
import { prepareHttpRouter } from './prepare.ts';
import { createRegistry } from './registry.ts';
import type { Rejected, Says } from './rejected.ts';
import { judgeParents, linkRouters } from './router-tree.ts';
import { createEntry, type RouterEntry, reset, splitTlsConflicts } from './routers.ts';
import { serviceGraph, serviceRegistry } from './services.ts';
import type { MergedTls } from './tls.ts';
import { createFinisher } from './verdict.ts';

type Http = RuntimeConfiguration['http'];

const BROKEN: RuntimeHttpRouter = Object.freeze({ entryPoints: [], middlewares: [], service: '', priority: 0 });

export function createHttpMerger(entryPoints: EntryPoints, platform: MiddlewarePlatform | undefined) {
  const routers = createRegistry('http', 'routers', ({ key, written, owner }): readonly RouterEntry<RuntimeHttpRouter>[] =>
    written === undefined ? [] : prepareHttpRouter(written as HttpRouter, owner, entryPoints).map((part) => createEntry(part, owner, key)),
  );
  const services = serviceRegistry('http');
  const middlewares = middlewareRegistry('http');
  const transports = transportRegistry('http');
  const finishers = {
    routers: createFinisher<Http['routers'][string]['config']>(),
    services: createFinisher<Http['services'][string]['config']>(),
    middlewares: createFinisher<Http['middlewares'][string]['config']>(),
    serversTransports: createFinisher<Http['serversTransports'][string]['config']>(),
  };

  return (says: Says, rejected: ReadonlyMap<string, Rejected>, tls: MergedTls): Http => {
    for (const registry of [routers, services, middlewares, transports]) registry.update(says, rejected);
    const aliases = { splits: new Map<string, readonly string[]>(), conflicts: new Map<string, readonly string[]>() };
    const whole: RouterEntry<RuntimeHttpRouter>[] = [];
    for (const slot of routers.slots.values()) {
      for (const entry of slot.facts) whole.push(reset(entry, slot.stale));
      if (slot.facts.length > 1)
        aliases.splits.set(
          slot.key,
          slot.facts.map(({ key }) => key),
        );
    }
    const entries = splitTlsConflicts(whole, aliases.conflicts);
    linkRouters(entries, [aliases.splits, aliases.conflicts]);

    for (const slot of services.slots.values()) if (slot.facts.warnings.length > 0) slot.warnings = [...slot.stale, ...slot.facts.warnings];
    const middlewareGraph = httpMiddlewareGraph(middlewares.slots, { hasService: (name) => services.slots.has(name), platform });
    const graph = serviceGraph(services.slots, { middlewares: middlewareGraph, transports: transports.slots });
    judgeTransports(transports.slots);
    judgeAll(middlewares.slots, middlewareGraph);
    judgeAll(services.slots, graph);
    const used = { services: services.slots, serviceGraph: graph, middlewares: middlewares.slots, middlewareGraph, tls };
    for (const entry of entries) judgeUse(entry, used);
    judgeParents(entries);

    return {
      routers: finishRouters(entries, routers.slots, BROKEN, finishers.routers()),
      services: finishSlots(services.slots, finishers.services()),
      middlewares: finishSlots(middlewares.slots, finishers.middlewares()),
      serversTransports: finishSlots(transports.slots, finishers.serversTransports()),
    };
  };
}
