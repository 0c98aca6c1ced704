import { isIP } from 'node:net';
import { ConfigError } from '../base/errors.ts';
import {
  asJson,
  asList,
  asText,
  type ContainerNetwork,
  type DiscoveredContainer,
  isJson,
  type Json,
  readLabels,
  readStopSignals,
} from './docker-container.ts';
import type { ContainerSettings } from './docker-labels.ts';

/** A Swarm as its manager describes it. */
export interface SwarmState {
  readonly services: readonly SwarmService[];
  readonly tasks: readonly SwarmTask[];
  readonly networks: ReadonlyMap<string, SwarmNetwork>;
  /** Ids; undefined when the manager does not tell them. */
  readonly nodes: ReadonlySet<string> | undefined;
}

export interface SwarmService {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly global: boolean;
  /** `vip`, `dnsrr`, or empty. */
  readonly endpointMode: string;
  readonly virtualAddresses: readonly NetworkAddress[];
  readonly stopSignals: ReadonlySet<number>;
  /** Milliseconds from the signal to the kill. */
  readonly graceMs: number;
  /** A rolling update is on its way. */
  readonly updating: boolean;
}

export interface SwarmTask {
  readonly id: string;
  readonly service: string;
  readonly slot: number;
  readonly node: string;
  readonly state: string;
  readonly addresses: readonly NetworkAddress[];
  readonly draining?: boolean;
}

export interface SwarmNetwork {
  readonly name: string;
  readonly ingress: boolean;
}

interface NetworkAddress {
  readonly network: string;
  readonly address: string;
}

/** Docker's own when a service does not say (swarmkit: api/defaults). */
const DEFAULT_GRACE_MS = 10_000;

export function readService(answer: unknown): SwarmService | undefined {
  const service = asJson(answer);
  const spec = asJson(service.Spec);
  const id = asText(service.ID);
  const name = asText(spec.Name);
  if (id === '' || name === '') return undefined;
  const container = asJson(asJson(spec.TaskTemplate).ContainerSpec);
  const grace = container.StopGracePeriod;
  return {
    id,
    name,
    labels: readLabels(spec.Labels),
    global: isJson(asJson(spec.Mode).Global),
    endpointMode: asText(asJson(spec.EndpointSpec).Mode),
    virtualAddresses: asList(asJson(service.Endpoint).VirtualIPs).map((entry) => ({
      network: asText(asJson(entry).NetworkID),
      address: hostOf(asText(asJson(entry).Addr)),
    })),
    stopSignals: readStopSignals(container.StopSignal),
    graceMs: typeof grace === 'number' && grace >= 0 ? grace / 1e6 : DEFAULT_GRACE_MS,
    updating: asText(asJson(service.UpdateStatus).State) === 'updating',
  };
}

export function readTask(answer: unknown): SwarmTask | undefined {
  const task = asJson(answer);
  const id = asText(task.ID);
  const service = asText(task.ServiceID);
  if (id === '' || service === '') return undefined;
  return {
    id,
    service,
    slot: typeof task.Slot === 'number' ? task.Slot : 0,
    node: asText(task.NodeID),
    state: asText(asJson(task.Status).State),
    // Of several addresses in one network the last counts, as in Traefik.
    addresses: asList(task.NetworksAttachments).flatMap((attachment) =>
      asList(asJson(attachment).Addresses).map((address) => ({
        network: asText(asJson(asJson(asJson(attachment).Network)).ID),
        address: hostOf(asText(address)),
      })),
    ),
  };
}

export const readSwarmNetworks = (answer: unknown): Map<string, SwarmNetwork> =>
  new Map(
    asList(answer).map((entry) => {
      const network: Json = asJson(entry);
      return [asText(network.Id), { name: asText(network.Name), ingress: network.Ingress === true }];
    }),
  );

/** The address of `10.0.1.5/24`; empty for what is none. */
function hostOf(prefix: string): string {
  const host = prefix.split('/')[0]!;
  return isIP(host) === 0 ? '' : host;
}

/**
 * The running tasks as containers, or, where the labels choose so, the virtual address of their service. Tasks that hang on no
 * network of the Swarm cannot be reached and are passed over.
 */
export function discoverTasks(
  { services, tasks, networks, nodes }: SwarmState,
  settingsOf: (labels: DiscoveredContainer['labels']) => ContainerSettings,
): { containers: DiscoveredContainer[]; problems: ConfigError[] } {
  const containers: DiscoveredContainer[] = [];
  const problems: ConfigError[] = [];
  const byService = Map.groupBy(tasks, (task) => task.service);
  for (const service of services) {
    try {
      if (settingsOf(service.labels).lbSwarm && service.endpointMode !== 'dnsrr') {
        const reached =
          service.endpointMode === 'vip' ? networksOf(service.virtualAddresses, networks) : new Map<string, ContainerNetwork>();
        if (reached.size > 0) containers.push(containerOf(service, service.id, service.name, reached));
        else
          problems.push(
            new ConfigError('config.missing', 'The service has no virtual address in a network of the Swarm', { source: service.name }),
          );
        continue;
      }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // Told where the configuration is built; a service without tasks would hide it.
      problems.push(new ConfigError(error.code, error.message, { ...error.place, source: service.name }));
      continue;
    }
    for (const task of byService.get(service.id) ?? []) {
      if (task.state !== 'running') continue;
      if (nodes !== undefined && task.node !== '' && !nodes.has(task.node)) {
        problems.push(
          new ConfigError('config.reference', `The task ${task.id} runs on a node that is not there`, { source: service.name }),
        );
        continue;
      }
      const reached = networksOf(task.addresses, networks);
      if (reached.size === 0) continue;
      const name = `${service.name}.${service.global ? task.id : task.slot}`;
      const container = containerOf(service, task.id, name, reached);
      containers.push(task.draining ? { ...container, draining: true } : container);
    }
  }
  return { containers, problems };
}

function networksOf(addresses: readonly NetworkAddress[], known: SwarmState['networks']): Map<string, ContainerNetwork> {
  const result = new Map<string, ContainerNetwork>();
  for (const { network, address } of addresses) {
    const found = known.get(network);
    if (found !== undefined && address !== '') result.set(found.name, { address, ingress: found.ingress });
  }
  return result;
}

const containerOf = (
  service: SwarmService,
  id: string,
  name: string,
  networks: ReadonlyMap<string, ContainerNetwork>,
): DiscoveredContainer => ({
  id,
  name,
  serviceName: service.name,
  status: '',
  health: '',
  labels: service.labels,
  networkMode: '',
  ports: [],
  networks,
  stopSignals: service.stopSignals,
});
