import { type ChildrenOf, closeOver, routersByParent } from '../config/references.ts';
import { routersByHost } from '../config/shards.ts';
import type { ProxyConfiguration } from '../config/snapshot.ts';

/** A snapshot or shard as it was read: secrets sealed, found by host. An isolate runs only what it is asked for. */
export interface Part {
  readonly http: ProxyConfiguration;
  readonly byHost: ReadonlyMap<string, readonly string[]>;
  readonly anyHost: readonly string[];
  readonly children: ChildrenOf;
}

export const createPart = (http: ProxyConfiguration): Part => ({
  http,
  ...routersByHost(http.routers),
  children: routersByParent(http.routers),
});

/** What requests for these hosts, and for any, can reach. */
export function selectHosts({ http, byHost, anyHost, children }: Part, hosts: Iterable<string>): ProxyConfiguration {
  const roots = [...anyHost];
  for (const host of hosts) roots.push(...(byHost.get(host) ?? []));
  return closeOver(http, roots, children);
}
