import type { Cells } from '../../base/cells.ts';
import type { Clock } from '../../base/clock.ts';
import type { Infer } from '../../base/schema.ts';
import type { tcpService } from '../../config/dynamic/tcp.ts';
import { providerOf, qualify } from '../../config/names.ts';
import type { RuntimeConfiguration } from '../../config/runtime.ts';
import { canonicalJson } from '../../config/snapshot.ts';
import type { Plan } from '../probes.ts';
import { servicesInUse } from '../services-in-use.ts';
import type { Channel, ChannelOwner } from '../sockets/channel.ts';
import { dial } from './serve.ts';
import { type TcpTarget, tcpServerState, tcpTarget } from './services.ts';

type HealthCheck = NonNullable<NonNullable<Infer<typeof tcpService>['loadBalancer']>['healthCheck']>;

/** How the servers of TCP services with a health check are asked. */
export function tcpPlans(runtime: RuntimeConfiguration, cells: Cells, clock: Clock): Plan[] {
  const { tcp } = runtime;
  const used = servicesInUse(runtime, 'tcp');
  const transports = Object.fromEntries(Object.entries(tcp.serversTransports).map(([name, { config }]) => [name, config]));
  return Object.entries(tcp.services).flatMap(([service, { config, status }]) => {
    const { loadBalancer } = config;
    if (status === 'disabled' || !used.has(service) || loadBalancer?.healthCheck === undefined) return [];
    const check = loadBalancer.healthCheck;
    return (loadBalancer.servers ?? []).flatMap((server) => {
      const target = tcpTarget(loadBalancer, server, providerOf(service), transports);
      if (target === undefined) return [];
      const at = check.port === undefined || check.port === 0 ? target : { ...target, port: check.port };
      return {
        service,
        server: server.address ?? '',
        text: canonicalJson([check, server, transports[qualify(loadBalancer.serversTransport ?? '', providerOf(service))] ?? null]),
        intervalMs: check.interval,
        unhealthyIntervalMs: check.unhealthyInterval,
        state: tcpServerState(cells, service, server.address),
        probe: () => probeTcp(at, check, clock),
      };
    });
  });
}

/** Connects, sends, and compares what comes; why the server is not well, undefined when it is. */
export function probeTcp(target: TcpTarget, { send = '', expect = '', timeout }: HealthCheck, clock: Clock): Promise<string | undefined> {
  const wanted = Buffer.from(expect);
  return new Promise((resolve) => {
    let came = Buffer.alloc(0);
    const finish = (failure: string | undefined): void => {
      cancel();
      resolve(failure);
      channel.destroy();
    };
    const owner: ChannelOwner = {
      onBytes(buffer, length) {
        came = Buffer.concat([came, buffer.subarray(0, length)]).subarray(0, wanted.length);
        if (!wanted.subarray(0, came.length).equals(came)) finish('unexpected answer');
        else if (came.length === wanted.length) finish(undefined);
        return true;
      },
      onWritten() {},
      onEnd: () => finish('it closed before its answer was complete'),
      onClose: (error) => finish(error?.message ?? 'it closed the connection'),
    };
    const cancel = clock.after(timeout > 0 ? timeout : DEFAULT_TIMEOUT_MS, () => finish(`no answer within ${timeout} ms`));
    let channel: Channel;
    try {
      channel = dial(target, owner, () => {
        if (send !== '') channel.write(Buffer.from(send));
        if (wanted.length === 0) finish(undefined);
        else channel.resume();
      });
    } catch (error) {
      // An unusable certificate.
      cancel();
      resolve((error as Error).message);
    }
  });
}

const DEFAULT_TIMEOUT_MS = 5_000;
