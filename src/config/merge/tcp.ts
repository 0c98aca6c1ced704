import { tcpMiddleware } from '../dynamic.ts';
import type { RuntimeConfiguration, RuntimeTcpRouter } from '../runtime.ts';
import type { EntryPoints } from './entry-points.ts';
import { middlewareRegistry, tcpMiddlewareGraph } from './middlewares.ts';
import { finishRouters, finishSlots, judgeAll, judgeTransports, judgeUse, transportRegistry } from './objects.ts';
import { prepareTcpRouter } from './prepare.ts';
import { createRegistry } from './registry.ts';
import type { Rejected, Says } from './rejected.ts';
import { createEntry, type RouterEntry, reset } from './routers.ts';
import { serviceGraph, serviceRegistry } from './services.ts';
import type { MergedTls } from './tls.ts';
import { createFinisher } from './verdict.ts';

type Tcp = RuntimeConfiguration['tcp'];

const BROKEN: RuntimeTcpRouter = Object.freeze({ entryPoints: [], middlewares: [], service: '', priority: 0 });

export function createTcpMerger(entryPoints: EntryPoints) {
  const routers = createRegistry('tcp', 'routers', ({ key, written, owner }): readonly RouterEntry<RuntimeTcpRouter>[] =>
    written === undefined ? [] : [createEntry(prepareTcpRouter(written as never, owner, entryPoints), owner, key)],
  );
  const services = serviceRegistry('tcp');
  const middlewares = middlewareRegistry('tcp');
  const transports = transportRegistry('tcp');
  const finishers = {
    routers: createFinisher<Tcp['routers'][string]['config']>(),
    services: createFinisher<Tcp['services'][string]['config']>(),
    middlewares: createFinisher<Tcp['middlewares'][string]['config']>(),
    serversTransports: createFinisher<Tcp['serversTransports'][string]['config']>(),
  };

  return (says: Says, rejected: ReadonlyMap<string, Rejected>, tls: MergedTls): Tcp => {
    for (const registry of [routers, services, middlewares, transports]) registry.update(says, rejected);
    const entries = [...routers.slots.values()].flatMap((slot) => slot.facts.map((entry) => reset(entry, slot.stale)));
    for (const slot of services.slots.values()) if (slot.facts.warnings.length > 0) slot.warnings = [...slot.stale, ...slot.facts.warnings];
    const middlewareGraph = tcpMiddlewareGraph(middlewares.slots, Object.keys(tcpMiddleware.fields ?? {}));
    const graph = serviceGraph(services.slots, { transports: transports.slots });
    judgeTransports(transports.slots);
    judgeAll(middlewares.slots, middlewareGraph);
    judgeAll(services.slots, graph);
    const used = { services: services.slots, serviceGraph: graph, middlewares: middlewares.slots, middlewareGraph, tls };
    for (const entry of entries) judgeUse(entry, used);

    return {
      routers: finishRouters(entries, routers.slots, BROKEN, finishers.routers()),
      services: finishSlots(services.slots, finishers.services()),
      middlewares: finishSlots(middlewares.slots, finishers.middlewares()),
      serversTransports: finishSlots(transports.slots, finishers.serversTransports()),
    };
  };
}
