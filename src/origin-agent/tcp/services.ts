import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { Cells } from '../../base/cells.ts';
import { providerOf, qualify } from '../../config/names.ts';
import { type CandidateState, candidateState } from '../../proxy/services/candidate-state.ts';
import { createStreamServices, readAddress } from '../stream-services.ts';
import type { StreamConfiguration } from '../streams.ts';

type Tcp = StreamConfiguration['tcp'];

/** A server that has been chosen, and how it is reached. */
export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain. */
  readonly tls: ConnectionOptions | undefined;
  /** 0: no header. */
  readonly proxyProtocol: number;
  /** 0 waits without end. */
  readonly dialTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly terminationDelayMs: number;
}

type LoadBalancer = NonNullable<Tcp['services'][string]['loadBalancer']>;
type Server = NonNullable<LoadBalancer['servers']>[number];

export interface TcpServices {
  /** Takes the next turn; undefined when there is no server. */
  choose(service: string): TcpTarget | undefined;
}

/** `cells` hold what health checks say, and whose turn it is. */
export function createTcpServices({ services, serversTransports }: Tcp, cells: Cells): TcpServices {
  const read = (loadBalancer: LoadBalancer, server: Server, name: string) => {
    const item = tcpTarget(loadBalancer, server, providerOf(name), serversTransports);
    const state = loadBalancer.healthCheck && tcpServerState(cells, name, server.address);
    return item && { item, isDown: state?.isDown };
  };
  return { choose: createStreamServices(services, read, { protocol: 'tcp', cells }) };
}

/** What is known of a server of a TCP service. */
export const tcpServerState = (cells: Cells, service: string, address = ''): CandidateState =>
  candidateState(cells, `tcp ${service}`, address);

/** How a server is reached; undefined where its address is none. */
export function tcpTarget(
  balancer: LoadBalancer,
  server: Server,
  provider: string,
  serversTransports: Tcp['serversTransports'],
): TcpTarget | undefined {
  const at = readAddress(server.address);
  if (at === undefined) return undefined;
  const named = balancer.serversTransport ? serversTransports[qualify(balancer.serversTransport, provider)] : undefined;
  const transport = named ?? serversTransports['default@internal'] ?? {};
  // A transport that is named replaces what the service says.
  const header = named === undefined ? (balancer.proxyProtocol ?? transport.proxyProtocol) : named.proxyProtocol;
  return {
    ...at,
    tls: server.tls ? tlsOptions(transport.tls ?? {}, at.host) : undefined,
    proxyProtocol: header === undefined ? 0 : (header.version ?? 2),
    dialTimeoutMs: transport.dialTimeout ?? 30_000,
    keepAliveMs: transport.dialKeepAlive ?? 15_000,
    terminationDelayMs: named === undefined ? (balancer.terminationDelay ?? 0) : (named.terminationDelay ?? 100),
  };
}

type TransportTls = NonNullable<Tcp['serversTransports'][string]['tls']>;

function tlsOptions(
  { serverName, insecureSkipVerify, rootCAs = [], certificates = [], peerCertURI }: TransportTls,
  host: string,
): ConnectionOptions {
  const name = serverName || host;
  return {
    servername: /^[0-9.]+$|:/.test(name) ? '' : name,
    rejectUnauthorized: !insecureSkipVerify,
    checkServerIdentity: (_host, certificate) => {
      const error = checkServerIdentity(name, certificate);
      if (error !== undefined || !peerCertURI) return error;
      const names = (certificate.subjectaltname ?? '').split(', ');
      return names.includes(`URI:${peerCertURI}`) ? undefined : new Error(`The certificate names no URI '${peerCertURI}'`);
    },
    ...(rootCAs.length > 0 && { ca: [...rootCAs] }),
    ...(certificates.length > 0 && {
      cert: certificates.map(({ certFile }) => certFile ?? ''),
      key: certificates.map(({ keyFile }) => keyFile ?? ''),
    }),
  };
}
