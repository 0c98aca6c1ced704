import { ConfigError } from '../../base/errors.ts';
import type { Handler } from '../../base/message.ts';
import type { ServersTransport } from '../../config/dynamic.ts';
import type { ProxyService } from '../../config/snapshot.ts';
import type { Platform } from '../platform.ts';
import { createLoadBalancer } from './load-balancer.ts';

/** What a kind of service may have from outside. */
export interface ServiceContext {
  readonly platform: Platform;
  readonly transportName: string;
  readonly transport: ServersTransport;
  /** The handler of a child by its name as written. Throws ConfigError. */
  readonly service: (name: string) => Handler;
}

/** The handler of a service: exactly one kind is set. Throws ConfigError. */
export function createService(name: string, config: ProxyService, context: ServiceContext): Handler {
  const { platform } = context;
  if (config.sites !== undefined && platform.relay !== undefined) {
    const sites = Object.entries(config.sites.sites).map(([site, there]) => ({ site, name: there.name, weight: there.weight }));
    return platform.relay({ kind: 'service', sites, stickyCookie: config.sites.stickyCookie });
  }
  if (config.loadBalancer !== undefined) return createLoadBalancer(config.loadBalancer, { ...context, name });
  throw new ConfigError(
    'config.missing',
    'The service has no kind; write loadBalancer, weighted, mirroring, failover or highestRandomWeight',
    { object: name },
  );
}
