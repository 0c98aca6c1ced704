import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { StreamConfiguration } from '../streams.ts';
import { createTurns } from './turns.ts';

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

export interface TcpServices {
  /** Takes the next turn; undefined when there is no server. */
  choose(service: string): TcpTarget | undefined;
}

export function createTcpServices({ services, serversTransports }: Tcp): TcpServices {
  const turns = new Map<string, () => TcpTarget | undefined>();

  function create(name: string): () => TcpTarget | undefined {
    const { loadBalancer, weighted } = services[name] ?? {};
    if (loadBalancer !== undefined) {
      const targets = (loadBalancer.servers ?? [])
        .filter(({ fenced }) => !fenced)
        .flatMap((server) => targetOf(loadBalancer, server) ?? []);
      return createTurns(targets.map((item) => ({ item, weight: 1 })));
    }
    const next = createTurns((weighted?.services ?? []).map(({ name: item = '', weight = 1 }) => ({ item, weight })));
    return () => {
      const child = next();
      return child === undefined ? undefined : choose(child);
    };
  }

  function choose(name: string): TcpTarget | undefined {
    let next = turns.get(name);
    if (next === undefined) turns.set(name, (next = create(name)));
    return next();
  }

  type LoadBalancer = NonNullable<Tcp['services'][string]['loadBalancer']>;

  function targetOf(balancer: LoadBalancer, server: NonNullable<LoadBalancer['servers']>[number]): TcpTarget | undefined {
    const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(server.address ?? '');
    if (match === null) return undefined;
    const host = match[1] ?? match[2] ?? '';
    const named = balancer.serversTransport ? serversTransports[balancer.serversTransport] : undefined;
    const transport = named ?? serversTransports['default@internal'] ?? {};
    // A transport that is named replaces what the service says.
    const header = named === undefined ? (balancer.proxyProtocol ?? transport.proxyProtocol) : named.proxyProtocol;
    return {
      host: host === '' ? 'localhost' : host,
      port: Number(match[3]),
      tls: server.tls ? tlsOptions(transport.tls ?? {}, host) : undefined,
      proxyProtocol: header === undefined ? 0 : (header.version ?? 2),
      dialTimeoutMs: transport.dialTimeout ?? 30_000,
      keepAliveMs: transport.dialKeepAlive ?? 15_000,
      terminationDelayMs: named === undefined ? (balancer.terminationDelay ?? 0) : (named.terminationDelay ?? 100),
    };
  }

  return { choose };
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
