import type { Cells } from '../../base/cells.ts';
import { createStreamServices, readAddress } from '../stream-services.ts';
import type { StreamConfiguration } from '../streams.ts';

export interface UdpTarget {
  readonly host: string;
  readonly port: number;
}

/** The server for a new session of an entry point; undefined when no router is there, or its service has no server. */
export function createUdpRouting(
  { routers, services }: StreamConfiguration['udp'],
  cells: Cells,
): (entryPoint: string) => UdpTarget | undefined {
  const serviceOf = new Map<string, string>();
  // One router an entry point is usable; by name, so that it does not depend on chance.
  for (const name of Object.keys(routers).sort()) {
    const { entryPoints = [], service = '' } = routers[name]!;
    for (const entryPoint of entryPoints) if (!serviceOf.has(entryPoint)) serviceOf.set(entryPoint, service);
  }
  const read = (_: unknown, { address }: { readonly address?: string }) => {
    const item = readAddress(address);
    return item && { item };
  };
  const choose = createStreamServices(services, read, { protocol: 'udp', cells });
  return (entryPoint) => {
    const service = serviceOf.get(entryPoint);
    return service === undefined ? undefined : choose(service);
  };
}
