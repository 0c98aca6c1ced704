import type { Cells } from '../base/cells.ts';
import { defaultsOf } from '../base/decode.ts';
import { createRequest, HeaderList, type ProxyRequest, type ProxyResponse } from '../base/message.ts';
import { type LoadBalancer, serversTransport } from '../config/dynamic.ts';
import { providerOf, qualify } from '../config/names.ts';
import type { RuntimeConfiguration } from '../config/runtime.ts';
import { canonicalJson } from '../config/snapshot.ts';
import type { Platform } from '../proxy/platform.ts';
import { candidateState } from '../proxy/services/candidate-state.ts';
import { parseServer } from '../proxy/services/server.ts';
import { createProbes, type Plan, type ProbesOptions } from './probes.ts';
import { servicesInUse } from './services-in-use.ts';
import { tcpPlans } from './tcp/health-check.ts';

type HealthCheck = NonNullable<LoadBalancer['healthCheck']>;

export interface HealthChecksOptions extends ProbesOptions {
  readonly cells: Cells;
  readonly send: Platform['send'];
}

/** Probes the servers of services with a health check. */
export interface HealthChecks {
  /** Takes over the services in force; see `Probes.update`. */
  update(runtime: RuntimeConfiguration): void;
  /** `UP` or `DOWN` by URL (TCP: address) of a server. */
  status(service: string, protocol?: 'http' | 'tcp'): Readonly<Record<string, 'UP' | 'DOWN'>> | undefined;
  stop(): void;
}

/** A server, and what it is asked. */
interface Asked extends ReturnType<typeof parseServer> {
  readonly check: HealthCheck;
  readonly base: ProxyRequest;
}

const MAX_REDIRECTS = 10;

export function createHealthChecks({ cells, send, ...options }: HealthChecksOptions): HealthChecks {
  const { clock } = options;
  const probes = { http: createProbes(options), tcp: createProbes(options) };

  /** Why the server is not well; undefined when it is. */
  async function probe(url: string, check: HealthCheck, context: Parameters<typeof parseServer>[2]): Promise<string | undefined> {
    const request = createRequest({ method: check.method ?? 'GET', clientAddress: '' });
    const cancel = clock.after(check.timeout, () => request.cancellation.cancel());
    try {
      const asked = { ...parseServer({ url }, 'health check', context), check, base: request };
      return check.mode === 'grpc' ? await probeGrpc(asked) : await probeHttp(asked);
    } catch (error) {
      return request.cancellation.cancelled ? `no answer within ${check.timeout} ms` : (error as Error).message;
    } finally {
      cancel();
    }
  }

  async function probeHttp({ target, hostHeader, check, base }: Asked): Promise<string | undefined> {
    let at = { ...target, scheme: (check.scheme ?? target.scheme) as typeof target.scheme, port: check.port ?? target.port };
    let url = new URL(check.path ?? '', `http://${hostHeader}`);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const headers = HeaderList.from(Object.entries(check.headers ?? {}).filter(([name]) => name.toLowerCase() !== 'host'));
      const host = check.hostname ?? check.headers?.Host ?? (check.port === undefined ? hostHeader : `${target.host}:${check.port}`);
      const response: ProxyResponse = await send(at, {
        ...base,
        host,
        headers,
        path: url.pathname,
        query: url.search === '' ? undefined : url.search.slice(1),
      });
      response.body?.discard();
      const location = response.headers.get('Location');
      if (check.followRedirects && location !== undefined && response.status >= 300 && response.status < 400) {
        url = new URL(location, url);
        if (url.host !== hostHeader) at = { ...at, host: url.hostname, port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) };
        continue;
      }
      const { status } = response;
      const expected = check.status !== undefined && check.status !== 0 ? status === check.status : status >= 200 && status < 400;
      return expected ? undefined : `status ${status}${check.status ? ` instead of ${check.status}` : ''}`;
    }
    return `more than ${MAX_REDIRECTS} redirections`;
  }

  /** grpc.health.v1.Health/Check of the whole server: an empty message asks, field 1 = 1 (SERVING) answers. */
  async function probeGrpc({ target, hostHeader, check, base }: Asked): Promise<string | undefined> {
    const frame = new Uint8Array(5);
    const response = await send(
      { ...target, scheme: target.scheme === 'https' ? 'https' : 'h2c', port: check.port ?? target.port },
      {
        ...base,
        method: 'POST',
        path: '/grpc.health.v1.Health/Check',
        host: check.hostname ?? hostHeader,
        headers: HeaderList.from([['Content-Type', 'application/grpc'], ['Te', 'trailers'], ...Object.entries(check.headers ?? {})]),
        body: {
          length: 5,
          async *chunks() {
            yield frame;
          },
          bytes: async () => frame,
          discard() {},
          trailers: () => undefined,
        },
      },
    );
    const answer = await response.body?.bytes(1024);
    const code = response.body?.trailers()?.get('Grpc-Status') ?? response.headers.get('Grpc-Status');
    if (code !== undefined && code !== '0') return `gRPC status ${code}`;
    return answer !== undefined && answer.length >= 7 && answer[5] === 8 && answer[6] === 1 ? undefined : 'not serving';
  }

  function httpPlans(runtime: RuntimeConfiguration): Plan[] {
    const { http } = runtime;
    const probed = Object.keys(http.services).filter((service) => http.services[service]!.config.loadBalancer?.healthCheck !== undefined);
    if (probed.length === 0) return [];
    const used = servicesInUse(runtime, 'http');
    return probed.flatMap((service) => {
      const { config, status } = http.services[service]!;
      const { loadBalancer } = config;
      if (status === 'disabled' || !used.has(service) || loadBalancer?.healthCheck === undefined) return [];
      const check = loadBalancer.healthCheck;
      const transportName =
        loadBalancer.serversTransport === undefined ? 'default@internal' : qualify(loadBalancer.serversTransport, providerOf(service));
      const transport = http.serversTransports[transportName]?.config ?? defaultsOf(serversTransport);
      return (loadBalancer.servers ?? []).map(({ url = '' }) => ({
        service,
        server: url,
        text: canonicalJson([check, transport]),
        intervalMs: check.interval,
        unhealthyIntervalMs: check.unhealthyInterval,
        state: candidateState(cells, service, url),
        probe: () => probe(url, check, { transportName, transport }),
      }));
    });
  }

  return {
    update(runtime) {
      probes.http.update(httpPlans(runtime));
      probes.tcp.update(tcpPlans(runtime, cells, clock));
    },
    status: (service, protocol = 'http') => probes[protocol].status(service),
    stop() {
      probes.http.stop();
      probes.tcp.stop();
    },
  };
}
