import type { Schema } from '../../base/schema.ts';
import { violations } from '../../base/violations.ts';
import { httpService, tcpService } from '../dynamic.ts';
import { type Named, reference } from './names.ts';
import { serverUrlProblem } from './server-url.ts';

interface Child {
  readonly name?: string;
  readonly status?: number;
  readonly grpcStatus?: unknown;
}

/** The kinds of HTTP services, as far as references go. */
interface HttpServiceShape {
  readonly loadBalancer?: {
    readonly servers?: readonly { readonly url?: string }[];
    readonly serversTransport?: string;
    readonly healthCheck?: unknown;
  };
  readonly weighted?: { readonly services?: readonly Child[]; readonly healthCheck?: unknown };
  readonly highestRandomWeight?: { readonly services?: readonly Child[]; readonly healthCheck?: unknown };
  readonly mirroring?: { readonly service?: string; readonly mirrors?: readonly Child[]; readonly healthCheck?: unknown };
  readonly failover?: {
    readonly service?: string;
    readonly fallback?: string;
    readonly healthCheck?: unknown;
    readonly errors?: { readonly status?: readonly string[] };
  };
  readonly middlewares?: readonly string[];
}

interface TcpServiceShape {
  readonly loadBalancer?: {
    readonly servers?: readonly { readonly address?: string }[];
    readonly serversTransport?: string;
    readonly healthCheck?: unknown;
  };
  readonly weighted?: { readonly services?: readonly Child[]; readonly healthCheck?: unknown };
}

/** All that can be said of a service without looking at other objects. Names are qualified. */
export interface ServiceFacts {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly children: readonly string[];
  readonly middlewares: readonly string[];
  readonly transport: string | undefined;
  /** Tells those above it how well it is. */
  readonly saysHealth: boolean;
  /** Children that must tell how well they are, with what to write otherwise. */
  readonly asksHealth: readonly { readonly child: string; readonly remedy: string }[];
  /** Refers to nothing: its own errors are all there is. */
  readonly isLeaf: boolean;
}

const HTTP_KINDS = ['loadBalancer', 'weighted', 'highestRandomWeight', 'mirroring', 'failover'] as const;
const TCP_KINDS = ['loadBalancer', 'weighted'] as const;

export function readHttpService(written: object, owner: Named): ServiceFacts {
  if (owner.provider === 'internal') return facts({});
  const service = written as HttpServiceShape;
  const kinds = HTTP_KINDS.filter((kind) => service[kind] !== undefined);
  const problem = kindProblem(kinds, HTTP_KINDS);
  if (problem !== undefined) return facts({ errors: [problem] });
  const full = (name: string): string => reference(name, owner);
  const { loadBalancer } = service;
  const addresses = judgeAddresses(loadBalancer?.servers ?? []);
  return facts({
    ...addresses,
    errors: [...addresses.errors, ...sentences(httpService, written)],
    children: childrenOf(service).map(full),
    middlewares: (service.middlewares ?? []).map(full),
    transport: transportOf(loadBalancer, full),
    saysHealth: (service[kinds[0]!] as { healthCheck?: unknown }).healthCheck !== undefined,
    asksHealth: asksHealth(service).map(({ child, remedy }) => ({ child: full(child), remedy })),
  });
}

export function readTcpService(written: object, owner: Named): ServiceFacts {
  const service = written as TcpServiceShape;
  const problem = kindProblem(
    TCP_KINDS.filter((kind) => service[kind] !== undefined),
    TCP_KINDS,
  );
  if (problem !== undefined) return facts({ errors: [problem] });
  const full = (name: string): string => reference(name, owner);
  const children = (service.weighted?.services ?? []).map(({ name = '' }) => name);
  const bad = (service.loadBalancer?.servers ?? []).filter(({ address = '' }) => !/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(address));
  return facts({
    errors: sentences(tcpService, written),
    warnings: bad.map(({ address }) => `The address '${address}' of a server is no host:port; the server is left out`),
    children: children.map(full),
    transport: transportOf(service.loadBalancer, full),
    saysHealth: service.loadBalancer?.healthCheck !== undefined || service.weighted?.healthCheck !== undefined,
    asksHealth: service.weighted?.healthCheck === undefined ? [] : children.map((child) => ({ child: full(child), remedy: '' })),
  });
}

/** Values that were taken, but that nothing can be made of. */
const sentences = (schema: Schema, written: object): string[] =>
  violations(schema, written).map(({ path, message }) => `${path.join('.')}: ${message}`);

const EMPTY: readonly never[] = Object.freeze([]);

function facts(known: Partial<ServiceFacts>): ServiceFacts {
  const { children = EMPTY, middlewares = EMPTY, transport } = known;
  return {
    errors: EMPTY,
    warnings: EMPTY,
    saysHealth: false,
    asksHealth: EMPTY,
    ...known,
    children,
    middlewares,
    transport,
    isLeaf: children.length === 0 && middlewares.length === 0 && transport === undefined,
  };
}

function kindProblem(kinds: readonly string[], all: readonly string[]): string | undefined {
  if (kinds.length === 1) return undefined;
  if (kinds.length === 0) return `The service has no kind; write one of ${all.join(', ')}`;
  return `The service has several kinds (${kinds.join(', ')}); write a service for each`;
}

function judgeAddresses(servers: readonly { readonly url?: string }[]): { errors: readonly string[]; warnings: readonly string[] } {
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const { url = '' } of servers) {
    const problem = serverUrlProblem(url);
    if (problem?.critical !== undefined) errors.push(problem.critical);
    if (problem?.warning !== undefined) warnings.push(problem.warning);
  }
  return { errors: errors.length === 0 ? EMPTY : errors, warnings: warnings.length === 0 ? EMPTY : warnings };
}

/** A service without servers never asks for its transport. */
function transportOf(
  loadBalancer: HttpServiceShape['loadBalancer'] | TcpServiceShape['loadBalancer'],
  full: (name: string) => string,
): string | undefined {
  const { servers = [], serversTransport = '', healthCheck } = loadBalancer ?? {};
  return serversTransport !== '' && (servers.length > 0 || healthCheck !== undefined) ? full(serversTransport) : undefined;
}

const named = (children: readonly Child[] = []): string[] =>
  children.filter(({ status, grpcStatus }) => status === undefined && grpcStatus === undefined).map(({ name = '' }) => name);

function childrenOf({ weighted, highestRandomWeight, mirroring, failover }: HttpServiceShape): string[] {
  if (weighted !== undefined) return named(weighted.services);
  if (highestRandomWeight !== undefined) return named(highestRandomWeight.services);
  if (mirroring !== undefined) return [mirroring.service ?? '', ...named(mirroring.mirrors)];
  if (failover !== undefined) return [failover.service ?? '', failover.fallback ?? ''];
  return [];
}

function asksHealth({ failover, weighted, highestRandomWeight }: HttpServiceShape): { child: string; remedy: string }[] {
  if (failover !== undefined) {
    const byStatus = (failover.errors?.status ?? []).length > 0;
    return [
      ...(byStatus ? [] : [{ child: failover.service ?? '', remedy: ', or write failover.errors.status' }]),
      ...(failover.healthCheck === undefined ? [] : [{ child: failover.fallback ?? '', remedy: '' }]),
    ];
  }
  const group = weighted ?? highestRandomWeight;
  return group?.healthCheck === undefined ? [] : named(group.services).map((child) => ({ child, remedy: '' }));
}
