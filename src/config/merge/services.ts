import { providerOf, qualify } from '../names.ts';
import { createGraph, type Graph } from './graph.ts';
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

export interface ServiceSources {
  readonly find: (name: string) => object | undefined;
  /** Errors of an object that its provider refused. */
  readonly rejected: (name: string) => readonly string[] | undefined;
  readonly hasTransport: (name: string) => boolean;
  readonly warn: (name: string, message: string) => void;
}

const HTTP_KINDS = ['loadBalancer', 'weighted', 'highestRandomWeight', 'mirroring', 'failover'] as const;
const TCP_KINDS = ['loadBalancer', 'weighted'] as const;

const kindProblem = (kinds: readonly string[], all: readonly string[]): string | undefined => {
  if (kinds.length === 1) return undefined;
  if (kinds.length === 0) return `The service has no kind; write one of ${all.join(', ')}`;
  return `The service has several kinds (${kinds.join(', ')}); write a service for each`;
};

const missingTransport = (name: string): string => `There is no serversTransport '${name}'`;

export function httpServices(sources: ServiceSources, middlewares: Graph): Graph {
  const find = sources.find as (name: string) => HttpServiceShape | undefined;
  return createGraph({
    noun: 'service',
    missing: (name) => (providerOf(name) === 'internal' ? notEnabled(name) : `There is no service '${name}'`),
    judge(name, use) {
      const service = find(name);
      const rejected = sources.rejected(name);
      if (rejected !== undefined || service === undefined) return rejected;
      if (providerOf(name) === 'internal') return [];
      const kinds = HTTP_KINDS.filter((kind) => service[kind] !== undefined);
      const problem = kindProblem(kinds, HTTP_KINDS);
      if (problem !== undefined) return [problem];
      const full = (child: string): string => qualify(child, providerOf(name));
      const errors = kinds[0] === 'loadBalancer' ? judgeServers(name, service.loadBalancer!, sources) : [];
      for (const child of childrenOf(service)) errors.push(...use(full(child)));
      errors.push(...judgeHealth(service, (child) => find(full(child))));
      for (const middleware of service.middlewares ?? []) errors.push(...middlewares.errorsOfUse(full(middleware)));
      return errors;
    },
  });
}

function judgeServers(
  name: string,
  { servers = [], serversTransport = '', healthCheck }: NonNullable<HttpServiceShape['loadBalancer']>,
  sources: ServiceSources,
): string[] {
  const errors: string[] = [];
  for (const { url = '' } of servers) {
    const problem = serverUrlProblem(url);
    if (problem?.critical !== undefined) errors.push(problem.critical);
    if (problem?.warning !== undefined) sources.warn(name, problem.warning);
  }
  // A service without servers never asks for its transport.
  const asks = servers.length > 0 || healthCheck !== undefined;
  const transport = qualify(serversTransport, providerOf(name));
  if (asks && serversTransport !== '' && !sources.hasTransport(transport)) errors.push(missingTransport(transport));
  return errors;
}

const isService = ({ status, grpcStatus }: Child): boolean => status === undefined && grpcStatus === undefined;

function childrenOf({ weighted, highestRandomWeight, mirroring, failover }: HttpServiceShape): string[] {
  const named = (children: readonly Child[] = []): string[] => children.filter(isService).map(({ name = '' }) => name);
  if (weighted !== undefined) return named(weighted.services);
  if (highestRandomWeight !== undefined) return named(highestRandomWeight.services);
  if (mirroring !== undefined) return [mirroring.service ?? '', ...named(mirroring.mirrors)];
  if (failover !== undefined) return [failover.service ?? '', failover.fallback ?? ''];
  return [];
}

const saysHealth = (service: HttpServiceShape | undefined): boolean =>
  service !== undefined && HTTP_KINDS.some((kind) => (service[kind] as { healthCheck?: unknown } | undefined)?.healthCheck !== undefined);

/** A service that hears of its children's health needs children that say it. */
function judgeHealth(service: HttpServiceShape, find: (child: string) => HttpServiceShape | undefined): string[] {
  const { failover } = service;
  const mute = (child: string): boolean => find(child) !== undefined && !saysHealth(find(child));
  const want = (child: string): string => `The service '${child}' has no healthCheck, which the service above it needs`;
  if (failover !== undefined) {
    const errors: string[] = [];
    const { service: first = '', fallback = '', healthCheck, errors: statuses } = failover;
    if ((statuses?.status ?? []).length === 0 && mute(first)) errors.push(`${want(first)}; or write failover.errors.status`);
    if (healthCheck !== undefined && mute(fallback)) errors.push(want(fallback));
    return errors;
  }
  const group = service.weighted ?? service.highestRandomWeight;
  if (group?.healthCheck === undefined) return [];
  return childrenOf(service).filter(mute).map(want);
}

const SWITCHES: Record<string, string> = {
  api: 'api: {}',
  dashboard: 'api: { dashboard: true }',
  ping: 'ping: {}',
  prometheus: 'metrics: { prometheus: {} }',
  rest: 'providers: { rest: {} }',
  'acme-http': 'a certificate resolver with httpChallenge',
};

function notEnabled(name: string): string {
  const base = name.slice(0, -'@internal'.length);
  const remedy = SWITCHES[base];
  if (remedy === undefined) return `There is no internal service '${base}'; there are ${['noop', ...Object.keys(SWITCHES)].join(', ')}`;
  return `The internal service '${base}' is not switched on; write ${remedy} into the static configuration`;
}

export function tcpServices(sources: ServiceSources): Graph {
  const find = sources.find as (name: string) => TcpServiceShape | undefined;
  return createGraph({
    noun: 'service',
    missing: (name) => `There is no service '${name}'`,
    judge(name, use) {
      const service = find(name);
      const rejected = sources.rejected(name);
      if (rejected !== undefined || service === undefined) return rejected;
      const problem = kindProblem(
        TCP_KINDS.filter((kind) => service[kind] !== undefined),
        TCP_KINDS,
      );
      if (problem !== undefined) return [problem];
      const full = (child: string): string => qualify(child, providerOf(name));
      const errors: string[] = [];
      const { servers = [], serversTransport = '' } = service.loadBalancer ?? {};
      for (const { address = '' } of servers)
        if (!/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(address))
          sources.warn(name, `The address '${address}' of a server is no host:port; the server is left out`);
      if (servers.length > 0 && serversTransport !== '' && !sources.hasTransport(full(serversTransport)))
        errors.push(missingTransport(full(serversTransport)));
      const children = (service.weighted?.services ?? []).map(({ name: child = '' }) => child);
      for (const child of children) errors.push(...use(full(child)));
      if (service.weighted?.healthCheck !== undefined)
        for (const child of children)
          if (find(full(child))?.loadBalancer !== undefined && find(full(child))?.loadBalancer?.healthCheck === undefined)
            errors.push(`The service '${child}' has no healthCheck, which the service above it needs`);
      return errors;
    },
  });
}
