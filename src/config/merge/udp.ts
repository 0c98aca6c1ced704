import type { Infer } from '../../base/schema.ts';
import type { udpRouter } from '../dynamic.ts';
import type { RuntimeConfiguration } from '../runtime.ts';
import type { EntryPoints } from './entry-points.ts';
import { finishRouters, finishSlots, judgeAll } from './objects.ts';
import { prepareUdpRouter } from './prepare.ts';
import { createRegistry } from './registry.ts';
import type { Rejected, Says } from './rejected.ts';
import { createEntry, type RouterEntry, reset } from './routers.ts';
import { serviceGraph, serviceRegistry } from './services.ts';
import { addCritical, addUser, createFinisher } from './verdict.ts';

type Udp = RuntimeConfiguration['udp'];
type UdpRouter = Infer<typeof udpRouter>;

const BROKEN: UdpRouter = Object.freeze({ entryPoints: [], service: '' });

export function createUdpMerger(entryPoints: EntryPoints) {
  const routers = createRegistry('udp', 'routers', ({ key, written, owner }): readonly RouterEntry<UdpRouter>[] =>
    written === undefined ? [] : [createEntry(prepareUdpRouter(written as UdpRouter, owner, entryPoints), owner, key)],
  );
  const services = serviceRegistry('udp');
  const finishers = {
    routers: createFinisher<Udp['routers'][string]['config']>(),
    services: createFinisher<Udp['services'][string]['config']>(),
  };

  return (says: Says, rejected: ReadonlyMap<string, Rejected>): Udp => {
    for (const registry of [routers, services]) registry.update(says, rejected);
    const entries = [...routers.slots.values()].flatMap((slot) => slot.facts.map((entry) => reset(entry, slot.stale)));
    for (const slot of services.slots.values()) if (slot.facts.warnings.length > 0) slot.warnings = [...slot.stale, ...slot.facts.warnings];
    const graph = serviceGraph(services.slots, {});
    judgeAll(services.slots, graph);
    for (const entry of entries) {
      const { service = '' } = entry.config;
      if (service === '') continue;
      for (const error of graph.errorsOfUse(service)) addCritical(entry, error);
      const slot = services.slots.get(service);
      if (slot !== undefined) addUser(slot, entry.key);
    }
    return {
      routers: finishRouters(entries, routers.slots, BROKEN, finishers.routers()),
      services: finishSlots(services.slots, finishers.services()),
    };
  };
}
