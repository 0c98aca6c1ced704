import { providerOf, qualify } from '../../config/names.ts';
import type { StreamConfiguration } from '../streams.ts';
import { createTurns } from '../tcp/turns.ts';

export interface UdpTarget {
  readonly host: string;
  readonly port: number;
}

/** The server for a new session of an entry point; undefined when no router is there, or its service has no server. */
export function createUdpRouting({ routers, services }: StreamConfiguration['udp']): (entryPoint: string) => UdpTarget | undefined {
  const serviceOf = new Map<string, string>();
  // One router an entry point is usable; by name, so that it does not depend on chance.
  for (const name of Object.keys(routers).sort()) {
    const { entryPoints = [], service = '' } = routers[name]!;
    for (const entryPoint of entryPoints) if (!serviceOf.has(entryPoint)) serviceOf.set(entryPoint, service);
  }
  const turns = new Map<string, () => UdpTarget | undefined>();

  function create(name: string): () => UdpTarget | undefined {
    const { loadBalancer, weighted } = services[name] ?? {};
    if (loadBalancer !== undefined) {
      const targets = (loadBalancer.servers ?? []).filter(({ fenced }) => !fenced).flatMap(({ address }) => targetOf(address) ?? []);
      return createTurns(targets.map((item) => ({ item, weight: 1 })));
    }
    const next = createTurns(
      (weighted?.services ?? []).map(({ name: item = '', weight = 1 }) => ({ item: qualify(item, providerOf(name)), weight })),
    );
    return () => {
      const child = next();
      return child === undefined ? undefined : choose(child);
    };
  }

  function choose(name: string): UdpTarget | undefined {
    let next = turns.get(name);
    if (next === undefined) turns.set(name, (next = create(name)));
    return next();
  }

  return (entryPoint) => {
    const service = serviceOf.get(entryPoint);
    return service === undefined ? undefined : choose(service);
  };
}

function targetOf(address = ''): UdpTarget | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(address);
  return match === null ? undefined : { host: (match[1] ?? match[2]) || 'localhost', port: Number(match[3]) };
}
