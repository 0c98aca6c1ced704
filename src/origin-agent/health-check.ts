import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import { defaultsOf } from '../base/decode.ts';
import type { Logger } from '../base/log.ts';
import { createRequest, HeaderList, type ProxyResponse } from '../base/message.ts';
import { type LoadBalancer, serversTransport } from '../config/dynamic.ts';
import { providerOf, qualify } from '../config/names.ts';
import type { RuntimeConfiguration } from '../config/runtime.ts';
import { canonicalJson } from '../config/snapshot.ts';
import type { Platform } from '../proxy/platform.ts';
import { type CandidateState, candidateState } from '../proxy/services/candidate-state.ts';
import { parseServer } from '../proxy/services/server.ts';
import { servicesInUse } from './services-in-use.ts';

type HealthCheck = NonNullable<LoadBalancer['healthCheck']>;

export interface HealthChecksOptions {
  readonly cells: Cells;
  readonly clock: Clock;
  readonly log: Logger;
  readonly send: Platform['send'];
  /** Called when a server went up or down. */
  readonly onChange?: (service: string, server: string, up: boolean) => void;
}

/** Probes the servers of services with a health check; what it finds stands in cells and survives reloads. */
export interface HealthChecks {
  /** Takes over the services in force. Servers that stay keep state and rhythm; new ones are probed at once. */
  update(runtime: RuntimeConfiguration): void;
  /** `UP` or `DOWN` by server URL. */
  status(service: string): Readonly<Record<string, 'UP' | 'DOWN'>> | undefined;
  stop(): void;
}

interface Probe {
  readonly text: string;
  readonly service: string;
  readonly server: string;
  readonly state: CandidateState;
  readonly stop: () => void;
}

const MAX_REDIRECTS = 10;

export function createHealthChecks({ cells, clock, log, send, onChange }: HealthChecksOptions): HealthChecks {
  let probes = new Map<string, Probe>();

  /** Asks again and again until stopped. */
  function start(
    key: string,
    text: string,
    service: string,
    config: LoadBalancer,
    url: string,
    transport: Parameters<typeof parseServer>[2],
  ): Probe {
    const check = config.healthCheck!;
    const state = candidateState(cells, service, url);
    let stopped = false;
    let cancel = (): void => {};
    const round = async (): Promise<void> => {
      const failure = await probe(url, check, transport);
      if (stopped) return;
      const isDown = failure !== undefined;
      if (isDown !== state.isDown()) {
        state.setDown(isDown);
        (isDown ? log.warn : log.info)(isDown ? 'Server is down' : 'Server is up', {
          serviceName: service,
          serverUrl: url,
          error: failure,
        });
        onChange?.(service, url, !isDown);
      }
      const interval = isDown ? (check.unhealthyInterval ?? check.interval) : check.interval;
      cancel = clock.after(interval > 0 ? interval : 30_000, () => void round());
    };
    void round();
    return {
      text,
      service,
      server: url,
      state,
      stop() {
        stopped = true;
        cancel();
        probes.delete(key);
      },
    };
  }

  /** Why the server is not well; undefined when it is. */
  async function probe(url: string, check: HealthCheck, context: Parameters<typeof parseServer>[2]): Promise<string | undefined> {
    const request = createRequest({ method: check.method ?? 'GET', clientAddress: '' });
    const cancel = clock.after(check.timeout, () => request.cancellation.cancel());
    try {
      return check.mode === 'grpc' ? await probeGrpc(url, check, context, request) : await probeHttp(url, check, context, request);
    } catch (error) {
      return request.cancellation.cancelled ? `no answer within ${check.timeout} ms` : (error as Error).message;
    } finally {
      cancel();
    }
  }

  async function probeHttp(
    server: string,
    check: HealthCheck,
    context: Parameters<typeof parseServer>[2],
    base: ReturnType<typeof createRequest>,
  ): Promise<string | undefined> {
    const { target, hostHeader } = parseServer({ url: server }, 'health check', context);
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
  async function probeGrpc(
    server: string,
    check: HealthCheck,
    context: Parameters<typeof parseServer>[2],
    base: ReturnType<typeof createRequest>,
  ): Promise<string | undefined> {
    const { target, hostHeader } = parseServer({ url: server }, 'health check', context);
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

  return {
    update(runtime) {
      const next = new Map<string, Probe>();
      const used = servicesInUse(runtime, 'http');
      for (const [service, { config, status }] of Object.entries(runtime.http.services)) {
        const { loadBalancer } = config;
        if (status === 'disabled' || !used.has(service) || loadBalancer?.healthCheck === undefined) continue;
        const transportName =
          loadBalancer.serversTransport === undefined ? 'default@internal' : qualify(loadBalancer.serversTransport, providerOf(service));
        const transport = runtime.http.serversTransports[transportName]?.config ?? defaultsOf(serversTransport);
        const text = canonicalJson([loadBalancer.healthCheck, transport]);
        for (const { url = '' } of loadBalancer.servers ?? []) {
          const key = `${service} ${url}`;
          const known = probes.get(key);
          if (known?.text === text) next.set(key, known);
          else {
            known?.stop();
            next.set(key, start(key, text, service, loadBalancer, url, { transportName, transport }));
          }
        }
      }
      const gone = [...probes].filter(([key]) => !next.has(key));
      probes = next;
      for (const [, probe] of gone) {
        probe.stop();
        probe.state.setDown(false);
      }
    },
    status(service) {
      const own = [...probes.values()].filter((probe) => probe.service === service);
      return own.length === 0 ? undefined : Object.fromEntries(own.map((probe) => [probe.server, probe.state.isDown() ? 'DOWN' : 'UP']));
    },
    stop() {
      for (const probe of [...probes.values()]) probe.stop();
    },
  };
}
