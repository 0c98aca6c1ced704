import type { DynamicConfiguration } from '../config/dynamic.ts';

interface Server {
  readonly url?: string;
  readonly address?: string;
  readonly fenced?: boolean;
}
type Services = Readonly<Record<string, { readonly loadBalancer?: { readonly servers?: readonly Server[] } }>>;

/** Addresses of servers that take new requests, by service (`http.shop`). */
type Usable = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Tells of each configuration of a provider whether it may wait: not, when it takes a server out that the one before used, or
 * gives a service that was left without any server one again.
 */
export function createUrgency(): (configuration: DynamicConfiguration) => boolean {
  let before: Usable = new Map();
  return (configuration) => {
    const now = usableServers(configuration);
    const urgent = [...before].some(([service, addresses]) => changesFor(addresses, now.get(service)));
    before = now;
    return urgent;
  };
}

const NONE: ReadonlySet<string> = new Set();

function changesFor(before: ReadonlySet<string>, now: ReadonlySet<string> = NONE): boolean {
  if (before.size === 0) return now.size > 0;
  for (const address of before) if (!now.has(address)) return true;
  return false;
}

function usableServers(configuration: DynamicConfiguration): Usable {
  const usable = new Map<string, Set<string>>();
  for (const protocol of ['http', 'tcp', 'udp'] as const) {
    for (const [name, service] of Object.entries((configuration[protocol]?.services ?? {}) as Services)) {
      if (service.loadBalancer === undefined) continue;
      const taken = (service.loadBalancer.servers ?? []).filter(({ fenced }) => !fenced);
      usable.set(`${protocol}.${name}`, new Set(taken.map(({ url, address }) => url ?? address ?? '')));
    }
  }
  return usable;
}
