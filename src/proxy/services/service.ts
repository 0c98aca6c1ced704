import { ConfigError } from '../../base/errors.ts';
import type { Handler } from '../../base/message.ts';
import type { ServersTransport } from '../../config/dynamic.ts';
import type { ProxyService } from '../../config/snapshot.ts';
import type { Platform } from '../platform.ts';
import { createFailover } from './failover.ts';
import { createLoadBalancer } from './load-balancer.ts';
import { createMirroring } from './mirroring.ts';
import { createWeighted } from './weighted.ts';

/** A service that was built: what stands behind it and whether any server of it could take a request now. */
export interface Service {
  readonly handle: Handler;
  readonly available: () => boolean;
  /** Servers that could take a request now; what has no servers of its own counts as one. */
  readonly healthy: () => number;
}

/** What a kind of service may have from outside. */
export interface ServiceContext {
  readonly platform: Platform;
  readonly transportName: string;
  readonly transport: ServersTransport;
  /** A child by its name as written. Throws ConfigError. */
  readonly service: (name: string) => Service;
}

/** Exactly one kind is set. Throws ConfigError. */
export function createService(name: string, config: ProxyService, context: ServiceContext): Service {
  const { platform } = context;
  if (config.sites !== undefined && platform.relay !== undefined) {
    const sites = Object.entries(config.sites.sites).map(([site, there]) => ({ site, name: there.name, weight: there.weight }));
    return { ...platform.relay({ kind: 'service', sites, stickyCookie: config.sites.stickyCookie }), healthy: () => sites.length };
  }
  if (config.loadBalancer !== undefined) return createLoadBalancer(name, config.loadBalancer, context);
  if (config.weighted !== undefined) return createWeighted(name, config.weighted, 'wrr', context);
  if (config.highestRandomWeight !== undefined) return createWeighted(name, config.highestRandomWeight, 'hrw', context);
  if (config.mirroring !== undefined) return createMirroring(name, config.mirroring, context);
  if (config.failover !== undefined) return createFailover(name, config.failover, context);
  throw new ConfigError(
    'config.missing',
    'The service has no kind; write loadBalancer, weighted, mirroring, failover or highestRandomWeight',
    { object: name },
  );
}
