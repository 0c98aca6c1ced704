import { ConfigError, UpstreamError } from '../../base/errors.ts';
import type { Handler, ProxyRequest, ProxyResponse } from '../../base/message.ts';
import type { LoadBalancer, ServersTransport } from '../../config/dynamic.ts';
import { errorResponse, noServer } from '../error-response.ts';
import { cleanResponse, prepareOutgoing } from '../outgoing.ts';
import type { Platform, ServerTarget } from '../platform.ts';
import { createWeightedRoundRobin } from './weighted-round-robin.ts';

/** A server as balancers see it. */
export interface ServerEntry {
  readonly target: ServerTarget;
  readonly weight: number;
  /** Host header that the server gets without passHostHeader. */
  readonly hostHeader: string;
}

export interface LoadBalancerContext {
  /** Qualified name of the service. */
  readonly name: string;
  readonly platform: Platform;
  readonly transportName: string;
  readonly transport: ServersTransport;
}

/** Chooses a server, sends the request, and tries the next server when one refused the connection before any byte was sent. */
export function createLoadBalancer(config: LoadBalancer, context: LoadBalancerContext): Handler {
  const { platform } = context;
  const servers = (config.servers ?? [])
    .filter((server) => (server.weight ?? 1) > 0)
    .map((server) => parseServer(server.url ?? '', server.weight ?? 1, context));
  const balancer = createWeightedRoundRobin(servers, platform.random);
  const down = servers.map((server) => platform.cells.counter(`down ${context.name} ${server.target.url}`));
  const isUp = (index: number): boolean => down[index]!.get() === 0;

  return async function balance(request): Promise<ProxyResponse> {
    request.facts.serviceName = context.name;
    let excluded: Set<number> | undefined;
    for (;;) {
      const index = balancer.next((candidate) => isUp(candidate) && !excluded?.has(candidate));
      if (index === undefined)
        return excluded === undefined
          ? noServer()
          : errorResponse(new UpstreamError('upstream.refused', 'Every server refused the connection'), platform.log);
      try {
        return await forward(servers[index]!, request);
      } catch (error) {
        if (!(error instanceof UpstreamError) || error.sent || servers.length === 1) return errorResponse(error, platform.log);
        excluded ??= new Set();
        excluded.add(index);
      }
    }
  };

  async function forward(server: ServerEntry, request: ProxyRequest): Promise<ProxyResponse> {
    const { facts } = request;
    facts.serviceUrl = server.target.url;
    const startedAt = platform.clock.now();
    const { outgoing, decode } = prepareOutgoing(request, config.passHostHeader, server.hostHeader);
    const response = cleanResponse(await platform.send(server.target, outgoing));
    facts.originDurationMs = platform.clock.now() - startedAt;
    facts.originStatus = response.status;
    facts.originContentSize = response.body?.length;
    return decode && response.headers.get('Content-Encoding') === 'gzip' ? platform.unpack(response) : response;
  }
}

const SCHEME_PORTS: Record<string, number> = { http: 80, https: 443, h2c: 80 };

/** Throws ConfigError when the URL is none of `http`, `https`, `h2c` with a host. */
export function parseServer(
  url: string,
  weight: number,
  context: Pick<LoadBalancerContext, 'name' | 'transportName' | 'transport'>,
): ServerEntry {
  const match = /^(https?|h2c):\/\/(?:\[([^\]]+)\]|([^:/?#]+))(?::(\d+))?(?:[/?#].*)?$/.exec(url);
  if (match === null)
    throw new ConfigError('config.bad-value', `The server '${url}' is no address; write http://host:port`, { object: context.name });
  const [, scheme, v6, name, port] = match;
  const host = v6 ?? name!;
  return {
    weight,
    hostHeader: `${v6 === undefined ? host : `[${host}]`}${port === undefined ? '' : `:${port}`}`,
    target: {
      url,
      scheme: scheme as ServerTarget['scheme'],
      host,
      port: port === undefined ? SCHEME_PORTS[scheme!]! : Number(port),
      transportName: context.transportName,
      transport: context.transport,
    },
  };
}
