import { defaultsOf } from '../base/decode.ts';
import { ConfigError } from '../base/errors.ts';
import type { Schema } from '../base/schema.ts';
import { httpService, tcpService, udpService } from '../config/dynamic.ts';
import { findServerAddress, type Surroundings } from './docker-address.ts';
import type { DiscoveredContainer } from './docker-container.ts';

export type Protocol = 'http' | 'tcp' | 'udp';

/** What is read and written here of the services of all three protocols. */
export interface LabelService {
  readonly loadBalancer?: { readonly servers?: readonly LabelServer[] };
}
interface LabelServer {
  readonly url?: string;
  readonly address?: string;
  readonly fenced?: boolean;
  /** Only labels have these two. */
  readonly scheme?: string;
  readonly port?: string;
}

const SCHEMAS: Readonly<Record<Protocol, Schema>> = { http: httpService, tcp: tcpService, udp: udpService };

/** A service of servers, as it is when nothing is written about it. */
export const plainService = (protocol: Protocol): LabelService => ({
  loadBalancer: defaultsOf(SCHEMAS[protocol].fields!.loadBalancer!) as LabelService['loadBalancer'],
});

/**
 * The service with the container as its server. A service of another kind (weighted …) stays as it is. A container that does not
 * run gives a service without servers. Throws ConfigError when the container cannot be a server.
 */
export function withServer<S extends LabelService>(
  protocol: Protocol,
  service: S,
  container: DiscoveredContainer,
  surroundings: Surroundings,
  onWarning: (warning: ConfigError) => void,
): S {
  const complete = { ...service, ...(hasKind(service, protocol) ? {} : plainService(protocol)) };
  if (complete.loadBalancer === undefined) return complete;
  const [first = {}, ...others] = complete.loadBalancer.servers ?? [];
  const servers = isServing(container)
    ? [serverOf(protocol, first, container, surroundings, onWarning), ...others]
    : [first, ...others].filter(({ url }) => url);
  const { servers: _, ...rest } = complete.loadBalancer;
  return { ...complete, loadBalancer: servers.length === 0 ? rest : { ...rest, servers } };
}

/** `services.s.middlewares=m` alone names no kind of service; servers are meant. */
const hasKind = (service: object, protocol: Protocol): boolean =>
  Object.keys(SCHEMAS[protocol].fields!).some((field) => field !== 'middlewares' && field !== 'edge' && field in service);

const isServing = ({ status, health }: DiscoveredContainer): boolean =>
  (status === '' || status === 'running') && (health === '' || health === 'healthy');

function serverOf(
  protocol: Protocol,
  { scheme, port, ...server }: LabelServer,
  container: DiscoveredContainer,
  surroundings: Surroundings,
  onWarning: (warning: ConfigError) => void,
): LabelServer {
  if (server.url) {
    if (scheme || port)
      throw new ConfigError('config.conflict', 'A server with an url takes neither scheme nor port; write them in the url');
    return server;
  }
  const { address, warning } = findServerAddress(container, port ?? '', protocol === 'udp' ? 'udp' : 'tcp', surroundings);
  if (warning !== undefined) onWarning(warning);
  const place = protocol === 'http' ? { url: `${scheme || 'http'}://${address}` } : { address };
  return { ...server, ...place, ...(container.draining ? { fenced: true } : {}) };
}
