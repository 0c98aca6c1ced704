import { isIP } from 'node:net';
import { ConfigError } from '../base/errors.ts';
import type { ContainerNetwork, DiscoveredContainer, ExposedPort } from './docker-container.ts';

/** What the address of a container depends on beside itself. */
export interface Surroundings {
  /** By id or name. */
  readonly find: (container: string) => DiscoveredContainer | undefined;
  /** Where a container in the network of its host is reached. */
  readonly hostAddress: string;
  /** The network that the labels of a container choose; empty for none. Throws ConfigError for labels that cannot be read. */
  readonly networkOf: (container: DiscoveredContainer) => string;
  readonly useBindPortIP: boolean;
}

export interface ServerAddress {
  /** `host:port`, an IPv6 host in brackets. */
  readonly address: string;
  /** What the operator may want to know about the choice. */
  readonly warning?: ConfigError;
}

/**
 * Where the server of a container listens. `port` is what its label says, or empty: then the lowest exposed port counts, whatever
 * its protocol. Throws ConfigError when there is no address or no port.
 */
export function findServerAddress(
  container: DiscoveredContainer,
  port: string,
  protocol: 'tcp' | 'udp',
  surroundings: Surroundings,
): ServerAddress {
  const inside = port === '' ? String(container.ports[0]?.port ?? '') : port;
  const bound = surroundings.useBindPortIP ? findBinding(container.ports, inside, protocol) : undefined;
  if (bound !== undefined) return { address: joinHostPort(bound.address, bound.port) };
  const { address, warning } = findAddress(container, surroundings.networkOf(container), surroundings, 0);
  if (address === '') {
    throw new ConfigError('config.missing', `${container.name} has no address; connect it to a network that the agent reaches too`);
  }
  if (inside === '') {
    throw new ConfigError(
      'config.missing',
      `${container.name} exposes no port; write the label traefik.http.services.<name>.loadbalancer.server.port (or tcp, udp)`,
    );
  }
  return { address: joinHostPort(address, inside), warning };
}

/** A binding to all addresses names none, so the address inside is used. */
function findBinding(ports: readonly ExposedPort[], port: string, protocol: string): { address: string; port: string } | undefined {
  const exposed = ports.filter((candidate) => String(candidate.port) === port);
  const binding = (exposed.find((candidate) => candidate.protocol === protocol) ?? exposed[0])?.bindings[0];
  if (binding === undefined || isIP(binding.address) === 0 || /^[0:.]+$/.test(binding.address)) return undefined;
  return binding;
}

interface Found {
  readonly address: string;
  readonly warning?: ConfigError;
}

/** Networks may be lent from container to container, but in a circle only by mistake. */
const MAX_LENDERS = 8;

function findAddress(container: DiscoveredContainer, wanted: string, surroundings: Surroundings, depth: number): Found {
  const chosen = wanted === '' ? undefined : container.networks.get(wanted);
  if (chosen !== undefined) return { address: chosen.address };
  if (container.networkMode === 'host') return { address: surroundings.hostAddress };
  const lender = /^container:(.*)$/.exec(container.networkMode)?.[1];
  if (lender !== undefined) return addressOfLender(container, lender, wanted, surroundings, depth);
  const [name, network] = firstNetwork(container, wanted);
  if (network === undefined) return { address: '' };
  if (wanted === '') return { address: network.address };
  const known = [...container.networks.keys()].join(', ');
  const warning = new ConfigError(
    'config.reference',
    `${container.name} is not in the network '${wanted}' but in ${known}; its address in '${name}' is used. Write the full name of the network`,
  );
  return { address: network.address, warning };
}

function addressOfLender(container: DiscoveredContainer, lender: string, wanted: string, surroundings: Surroundings, depth: number): Found {
  const other = surroundings.find(lender);
  if (other === undefined || depth >= MAX_LENDERS) {
    throw new ConfigError('config.reference', `${container.name} uses the network of the container '${lender}', which is not there`);
  }
  return findAddress(other, surroundings.networkOf(other) || wanted, surroundings, depth + 1);
}

/**
 * Where Traefik leaves it to chance: the network that compose has put its project's name before, then the one that the container was
 * started in, then by name; the ingress network and those without address last.
 */
function firstNetwork(container: DiscoveredContainer, wanted: string): [string, ContainerNetwork | undefined] {
  const composed = `${container.labels['com.docker.compose.project'] ?? ''}_${wanted}`;
  const rank = ([name, network]: [string, ContainerNetwork]): number =>
    (network.address === '' ? 8 : 0) + (network.ingress ? 4 : 0) + (name === composed ? 0 : name === container.networkMode ? 1 : 2);
  const [first] = [...container.networks].sort((a, b) => rank(a) - rank(b) || (a[0] < b[0] ? -1 : 1));
  return first ?? ['', undefined];
}

const joinHostPort = (host: string, port: string): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
