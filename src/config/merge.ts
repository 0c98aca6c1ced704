import { defaultsOf } from '../base/decode.ts';
import type { ConfigError } from '../base/errors.ts';
import type { MiddlewarePlatform } from '../middlewares/middleware.ts';
import { type DynamicConfiguration, tcpMiddleware, tlsOptions } from './dynamic.ts';
import { readEntryPoints } from './merge/entry-points.ts';
import type { Graph } from './merge/graph.ts';
import { internalProvider } from './merge/internal.ts';
import { httpMiddlewares, tcpMiddlewares } from './merge/middlewares.ts';
import { keyOf, type Named, reference } from './merge/names.ts';
import { judgeUdpEntryPoints, NO_SERVICE, type PreparedRouter, prepareHttpRouter, prepareTcpRouter } from './merge/prepare.ts';
import { type Rejected, readRejected } from './merge/rejected.ts';
import { judgeParents, linkRouters } from './merge/router-tree.ts';
import { createEntry, type RouterEntry, splitTlsConflicts } from './merge/routers.ts';
import { httpServices, tcpServices } from './merge/services.ts';
import { equal, shareObjects } from './merge/share.ts';
import { addOnce, createVerdict, finish, type Verdict } from './merge/verdicts.ts';
import type { RuntimeConfiguration, RuntimeHttpRouter, RuntimeObject, RuntimeTcpRouter } from './runtime.ts';
import type { StaticConfiguration } from './static.ts';

/** What a provider says, and what it had to leave out of it. */
export interface Say {
  readonly configuration: DynamicConfiguration;
  readonly problems?: readonly ConfigError[];
}

export interface Merger {
  /**
   * All providers by name (suffix) → what is in force. Objects about which nothing changed since the last call are the same
   * references as then.
   */
  merge(says: ReadonlyMap<string, Say>): RuntimeConfiguration;
}

export interface MergerOptions {
  /** Reads files that middlewares name; without it what needs a file is judged where it runs. */
  readonly platform?: MiddlewarePlatform;
}

/** The merge of one static configuration. */
export function createMerger(configuration: StaticConfiguration, { platform }: MergerOptions = {}): Merger {
  const entryPoints = readEntryPoints(configuration);
  const internal = internalProvider(configuration);
  const shared = new Map<string, DynamicConfiguration>();
  const prepared = createMemory(entryPoints);
  let before: RuntimeConfiguration | undefined;

  function merge(says: ReadonlyMap<string, Say>): RuntimeConfiguration {
    const providers = new Map<string, Say>([['internal', internal]]);
    for (const [provider, say] of [...says].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const next = shareObjects(shared.get(provider), say.configuration);
      shared.set(provider, next);
      if (provider !== 'internal') providers.set(provider, { configuration: next, problems: say.problems });
    }
    for (const provider of shared.keys()) if (!says.has(provider)) shared.delete(provider);
    const rejected = readRejectedOfAll(providers);
    const tls = mergeTls(providers, before?.tls);
    before = {
      http: mergeHttp(providers, rejected, tls),
      tcp: mergeTcp(providers, rejected, tls),
      udp: mergeUdp(providers, rejected),
      tls: tls.merged,
    };
    return before;
  }

  function mergeHttp(providers: Providers, rejected: RejectedOfAll, tls: MergedTls): RuntimeConfiguration['http'] {
    const { routers, splits } = collectHttpRouters(providers, prepared);
    const conflicts = splitTlsConflicts(routers, prepared.variants);
    linkRouters(routers, [splits, conflicts], prepared.variants);
    const services = collect(providers, rejected, 'http', 'services');
    const middlewares = collect(providers, rejected, 'http', 'middlewares');
    const transports = collect(providers, rejected, 'http', 'serversTransports');

    const middlewareGraph = httpMiddlewares({
      find: (name) => middlewares.get(name)?.config as Readonly<Record<string, unknown>> | undefined,
      rejected: (name) => middlewares.get(name)?.rejected,
      hasService: (name) => services.has(name),
      platform,
    });
    const serviceGraph = httpServices(
      {
        find: (name) => services.get(name)?.config as object | undefined,
        rejected: (name) => services.get(name)?.rejected,
        hasTransport: (name) => transports.has(name) && transports.get(name)!.rejected === undefined,
        warn: (name, message) => addOnce(services.get(name)!.verdict.warnings, message),
      },
      middlewareGraph,
    );
    judgeAll(services, serviceGraph);
    judgeAll(middlewares, middlewareGraph);
    for (const entry of routers.values()) judgeUse(entry, middlewareGraph, serviceGraph, services, middlewares, tls);
    judgeParents(routers);
    const old = before?.http;
    return {
      routers: finishRouters(routers, rejected.get('http.routers'), old?.routers, brokenHttpRouter),
      services: finishAll(services, old?.services, prepared.qualified),
      middlewares: finishAll(middlewares, old?.middlewares, prepared.qualified),
      serversTransports: finishAll(transports, old?.serversTransports),
    };
  }

  function mergeTcp(providers: Providers, rejected: RejectedOfAll, tls: MergedTls): RuntimeConfiguration['tcp'] {
    const routers = new Map<string, RouterEntry<RuntimeTcpRouter>>();
    for (const [provider, { configuration: said }] of providers) {
      for (const [name, written] of Object.entries(said.tcp?.routers ?? {})) {
        const entry = createEntry(prepared.tcp(written as never, { name, provider }), provider);
        routers.set(entry.key, entry);
      }
    }
    const services = collect(providers, rejected, 'tcp', 'services');
    const middlewares = collect(providers, rejected, 'tcp', 'middlewares');
    const transports = collect(providers, rejected, 'tcp', 'serversTransports');
    const middlewareGraph = tcpMiddlewares(
      {
        find: (name) => middlewares.get(name)?.config as Readonly<Record<string, unknown>> | undefined,
        rejected: (name) => middlewares.get(name)?.rejected,
      },
      Object.keys(tcpMiddleware.fields ?? {}),
    );
    const serviceGraph = tcpServices({
      find: (name) => services.get(name)?.config as object | undefined,
      rejected: (name) => services.get(name)?.rejected,
      hasTransport: (name) => transports.has(name) && transports.get(name)!.rejected === undefined,
      warn: (name, message) => addOnce(services.get(name)!.verdict.warnings, message),
    });
    judgeAll(services, serviceGraph);
    judgeAll(middlewares, middlewareGraph);
    for (const entry of routers.values()) judgeUse(entry, middlewareGraph, serviceGraph, services, middlewares, tls);
    const old = before?.tcp;
    return {
      routers: finishRouters(routers, rejected.get('tcp.routers'), old?.routers, brokenTcpRouter),
      services: finishAll(services, old?.services, prepared.qualified),
      middlewares: finishAll(middlewares, old?.middlewares),
      serversTransports: finishAll(transports, old?.serversTransports),
    };
  }

  function mergeUdp(providers: Providers, rejected: RejectedOfAll): RuntimeConfiguration['udp'] {
    const services = collect(providers, rejected, 'udp', 'services');
    const serviceGraph = tcpServices({
      find: (name) => services.get(name)?.config as object | undefined,
      rejected: (name) => services.get(name)?.rejected,
      hasTransport: () => true,
      warn: (name, message) => addOnce(services.get(name)!.verdict.warnings, message),
    });
    judgeAll(services, serviceGraph);
    const routers = new Map<string, RouterEntry<UdpRouter>>();
    for (const [provider, { configuration: said }] of providers) {
      for (const [name, written] of Object.entries(said.udp?.routers ?? {})) {
        const entry = createEntry(prepared.udp(written, { name, provider }), provider);
        routers.set(entry.key, entry);
        const { service = '' } = entry.config;
        if (service === '') continue;
        for (const error of serviceGraph.errorsOfUse(service)) addOnce(entry.verdict.critical, error);
        services.get(service)?.verdict.usedBy.push(entry.key);
      }
    }
    const old = before?.udp;
    return {
      routers: finishRouters(routers, rejected.get('udp.routers'), old?.routers, () => ({}) as UdpRouter),
      services: finishAll(services, old?.services),
    };
  }

  return { merge };
}

type Providers = ReadonlyMap<string, Say>;
type RejectedOfAll = ReadonlyMap<string, readonly { readonly owner: Named; readonly errors: readonly string[] }[]>;
type UdpRouter = NonNullable<NonNullable<DynamicConfiguration['udp']>['routers']>[string];

function readRejectedOfAll(providers: Providers): RejectedOfAll {
  const all = new Map<string, { owner: Named; errors: readonly string[] }[]>();
  for (const [provider, { problems = [] }] of providers) {
    const sections: Rejected = readRejected(problems);
    for (const [section, objects] of sections) {
      let list = all.get(section);
      if (list === undefined) all.set(section, (list = []));
      for (const [name, errors] of objects) list.push({ owner: { name, provider }, errors });
    }
  }
  return all;
}

/** Facts about single objects, kept as long as the objects live. */
function createMemory(entryPoints: ReturnType<typeof readEntryPoints>) {
  const http = new WeakMap<object, { key: string; parts: PreparedRouter<RuntimeHttpRouter>[] }>();
  const tcp = new WeakMap<object, { key: string; part: PreparedRouter<RuntimeTcpRouter> }>();
  const udp = new WeakMap<object, { key: string; part: PreparedRouter<UdpRouter> }>();
  const qualified = new WeakMap<object, { key: string; config: unknown }>();
  return {
    /** Other forms of a router's configuration: on other entry points, with other parents. */
    variants: new WeakMap<PreparedRouter<RuntimeHttpRouter>, Map<string, RuntimeHttpRouter>>(),

    http(
      written: NonNullable<NonNullable<DynamicConfiguration['http']>['routers']>[string],
      owner: Named,
    ): PreparedRouter<RuntimeHttpRouter>[] {
      const key = keyOf(owner);
      const known = http.get(written);
      if (known?.key === key) return known.parts;
      const parts = prepareHttpRouter(written, owner, entryPoints);
      http.set(written, { key, parts });
      return parts;
    },

    tcp(written: Parameters<typeof prepareTcpRouter>[0], owner: Named): PreparedRouter<RuntimeTcpRouter> {
      const key = keyOf(owner);
      const known = tcp.get(written);
      if (known?.key === key) return known.part;
      const part = prepareTcpRouter(written, owner, entryPoints);
      tcp.set(written, { key, part });
      return part;
    },

    udp(written: UdpRouter, owner: Named): PreparedRouter<UdpRouter> {
      const key = keyOf(owner);
      const known = udp.get(written);
      if (known?.key === key) return known.part;
      const { using, critical, warnings } = judgeUdpEntryPoints(written.entryPoints ?? [], entryPoints);
      const config = { ...written, entryPoints: using, service: written.service ? reference(written.service, owner) : '' };
      const part = {
        name: owner.name,
        config,
        written,
        using,
        critical: written.service ? critical : [...critical, NO_SERVICE],
        warnings,
        domains: undefined,
      };
      udp.set(written, { key, part });
      return part;
    },

    /** The transport of a load balancer, and the parts of a chain, by their whole names. */
    qualified<T>(config: T, owner: Named): T {
      const key = keyOf(owner);
      const known = qualified.get(config as object);
      if (known?.key === key) return known.config as T;
      const whole = withWholeNames(config, owner);
      qualified.set(config as object, { key, config: whole });
      return whole;
    },
  };
}
function withWholeNames<T>(config: T, owner: Named): T {
  const { loadBalancer, chain } = config as { loadBalancer?: { serversTransport?: string }; chain?: { middlewares?: string[] } };
  const transport = loadBalancer?.serversTransport;
  if (transport !== undefined && transport !== '' && !transport.includes('@'))
    return { ...config, loadBalancer: { ...loadBalancer, serversTransport: reference(transport, owner) } };
  if (chain?.middlewares?.some((name) => !name.includes('@')))
    return { ...config, chain: { ...chain, middlewares: chain.middlewares.map((name) => reference(name, owner)) } };
  return config;
}

type Memory = ReturnType<typeof createMemory>;

function collectHttpRouters(providers: Providers, prepared: Memory) {
  const routers = new Map<string, RouterEntry<RuntimeHttpRouter>>();
  /** Names of routers that were split, and of their parts. */
  const splits = new Map<string, string[]>();
  for (const [provider, { configuration }] of providers) {
    const written = configuration.http?.routers ?? {};
    for (const name in written) {
      const parts = prepared.http(written[name]!, { name, provider });
      for (const part of parts) {
        const entry = createEntry(part, provider);
        routers.set(entry.key, entry);
      }
      if (parts.length > 1 || parts[0]!.name !== name)
        splits.set(
          `${name}@${provider}`,
          parts.map((part) => `${part.name}@${provider}`),
        );
    }
  }
  return { routers, splits };
}

/** A service, middleware or transport on its way through the merge. */
interface Collected {
  readonly owner: Named;
  readonly config: unknown;
  readonly rejected: readonly string[] | undefined;
  readonly verdict: Verdict;
}

function collect(providers: Providers, rejected: RejectedOfAll, protocol: 'http' | 'tcp' | 'udp', kind: string): Map<string, Collected> {
  const all = new Map<string, Collected>();
  for (const [provider, { configuration }] of providers) {
    const objects = (configuration[protocol] as Record<string, Record<string, unknown>> | undefined)?.[kind] ?? {};
    for (const name in objects)
      all.set(`${name}@${provider}`, { owner: { name, provider }, config: objects[name], rejected: undefined, verdict: createVerdict() });
  }
  for (const { owner, errors } of rejected.get(`${protocol}.${kind}`) ?? [])
    all.set(keyOf(owner), { owner, config: {}, rejected: errors, verdict: createVerdict(errors) });
  return all;
}

function judgeAll(objects: ReadonlyMap<string, Collected>, graph: Graph): void {
  for (const [name, { verdict }] of objects) for (const error of graph.errorsOf(name)) addOnce(verdict.critical, error);
}

interface UsingConfig {
  readonly middlewares: string[];
  readonly service: string;
  readonly tls?: { readonly options?: string; readonly passthrough?: boolean };
}

/** What a router refers to: that it exists and works, and that it is used. */
function judgeUse(
  { key, config, verdict }: RouterEntry<UsingConfig>,
  middlewareGraph: Graph,
  serviceGraph: Graph,
  services: ReadonlyMap<string, Collected>,
  middlewares: ReadonlyMap<string, Collected>,
  tls: MergedTls,
): void {
  for (const name of config.middlewares) {
    for (const error of middlewareGraph.errorsOfUse(name)) addOnce(verdict.critical, error);
    const usedBy = middlewares.get(name)?.verdict.usedBy;
    if (usedBy !== undefined && usedBy.at(-1) !== key) usedBy.push(key);
  }
  if (config.service !== '') {
    for (const error of serviceGraph.errorsOfUse(config.service)) addOnce(verdict.critical, error);
    services.get(config.service)?.verdict.usedBy.push(key);
  }
  if (config.tls !== undefined && !config.tls.passthrough) {
    const problem = tls.problemOf(config.tls.options ?? 'default');
    if (problem !== undefined) addOnce(verdict.critical, problem);
  }
}

type Objects<T> = Readonly<Record<string, RuntimeObject<T>>>;

function finishAll<T>(
  objects: ReadonlyMap<string, Collected>,
  before: Objects<T> | undefined,
  adapt?: (config: T, owner: Named) => T,
): Objects<T> {
  const result: Record<string, RuntimeObject<T>> = {};
  for (const [key, { owner, config, verdict }] of objects) {
    const usedBy = verdict.usedBy.length === 0 ? undefined : verdict.usedBy.sort();
    const adapted = adapt === undefined ? (config as T) : adapt(config as T, owner);
    const written = adapted === config ? {} : { written: config };
    result[key] = finish({ ...owner, ...(usedBy && { usedBy }), config: adapted, ...written }, verdict, before?.[key]);
  }
  return result;
}

function finishRouters<T>(
  routers: ReadonlyMap<string, RouterEntry<T>>,
  rejected: RejectedOfAll extends ReadonlyMap<string, infer V> ? V | undefined : never,
  before: Objects<T> | undefined,
  broken: () => T,
): Objects<T> {
  const result: Record<string, RuntimeObject<T>> = {};
  for (const [key, { provider, part, config, using, verdict }] of routers)
    result[key] = finish({ name: part.name, provider, using, config, written: part.written }, verdict, before?.[key]);
  for (const { owner, errors } of rejected ?? []) {
    const key = keyOf(owner);
    const old = before?.[key];
    const config = old !== undefined && equal(old.config, broken()) ? old.config : broken();
    result[key] = finish({ ...owner, using: [], config }, createVerdict(errors), old);
  }
  return result;
}

const brokenHttpRouter = (): RuntimeHttpRouter => ({ entryPoints: [], middlewares: [], service: '', priority: 0 });
const brokenTcpRouter = (): RuntimeTcpRouter => ({ entryPoints: [], middlewares: [], service: '', priority: 0 });

type Tls = RuntimeConfiguration['tls'];
interface MergedTls {
  readonly merged: Tls;
  /** Why options of this name cannot be used. */
  readonly problemOf: (name: string) => string | undefined;
}

function mergeTls(providers: Providers, before: Tls | undefined): MergedTls {
  const certificates: Tls['certificates'][number][] = [];
  const options: Record<string, Tls['options'][string]> = {};
  const stores: Record<string, Tls['stores'][string]> = {};
  const rejected = new Map<string, readonly string[]>();
  const owners = { options: [] as string[], stores: [] as string[] };
  for (const [provider, { configuration, problems = [] }] of providers) {
    const { tls } = configuration;
    for (const certificate of tls?.certificates ?? [])
      certificates.push((certificate.stores ?? []).length > 0 ? certificate : { ...certificate, stores: ['default'] });
    for (const [name, value] of Object.entries(tls?.options ?? {})) options[tlsName(name, provider, owners.options)] = value;
    for (const [name, value] of Object.entries(tls?.stores ?? {})) stores[tlsName(name, provider, owners.stores)] = value;
    for (const [name, errors] of readRejected(problems).get('tls.options') ?? [])
      rejected.set(tlsName(name, provider, owners.options), errors);
  }
  // Which of several would be in force could only be guessed.
  if (owners.stores.length > 1) delete stores.default;
  if (owners.options.length > 1) delete options.default;
  if (owners.options.length === 0) options.default = { ...defaultsOf(tlsOptions), minVersion: 'VersionTLS12' } as Tls['options'][string];
  const merged = { certificates, options, stores };
  return {
    merged: before !== undefined && equal(before, merged) ? before : merged,
    problemOf(name) {
      if (options[name] !== undefined) return undefined;
      const errors = rejected.get(name);
      if (errors !== undefined) return `The TLS options '${name}' are broken: ${errors.join('; ')}`;
      if (name === 'default')
        return `The TLS options 'default' are defined by several providers (${owners.options.join(', ')}), so none is used; keep one`;
      return `There are no TLS options '${name}'`;
    },
  };
}

/** Only the name `default` is one for all providers. */
function tlsName(name: string, provider: string, owners: string[]): string {
  if (name !== 'default') return `${name}@${provider}`;
  owners.push(provider);
  return name;
}
