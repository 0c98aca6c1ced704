import type { Schema } from '../../base/schema.ts';
import { httpRouter, httpService, middleware, tcpMiddleware, tcpRouter, tcpService, udpRouter, udpService } from '../../config/dynamic.ts';
import { providerOf } from '../../config/names.ts';
import type { RuntimeConfiguration, RuntimeObject } from '../../config/runtime.ts';
import { servicesInUse } from '../services-in-use.ts';
import type { Listed } from './listing.ts';
import { show } from './show.ts';

export type ObjectKind = 'routers' | 'services' | 'middlewares';
export type Protocol = 'http' | 'tcp' | 'udp';
export type HealthStatus = (service: string, protocol?: 'http' | 'tcp') => Readonly<Record<string, 'UP' | 'DOWN'>> | undefined;

const SCHEMAS: Readonly<Record<Protocol, Readonly<Partial<Record<ObjectKind, Schema>>>>> = {
  http: { routers: httpRouter, services: httpService, middlewares: middleware },
  tcp: { routers: tcpRouter, services: tcpService, middlewares: tcpMiddleware },
  udp: { routers: udpRouter, services: udpService },
};

type Objects = Readonly<Record<string, RuntimeObject<Record<string, unknown>>>>;

/** Every object of a kind as the API shows it, by qualified name. Undefined where the protocol has no such kind. */
export function objectsOf(
  runtime: RuntimeConfiguration,
  protocol: Protocol,
  kind: ObjectKind,
  health: HealthStatus,
): Map<string, Record<string, unknown>> | undefined {
  const schema = SCHEMAS[protocol][kind];
  if (schema === undefined) return undefined;
  const objects = (runtime[protocol] as unknown as Record<ObjectKind, Objects>)[kind];
  const built = kind === 'services' && protocol !== 'udp' ? servicesInUse(runtime, protocol) : new Set<string>();
  return new Map(
    Object.entries(objects).map(([name, object]) => [
      name,
      {
        ...shownConfig(schema, kind, object),
        ...(built.has(name) && serverStatus(object, () => health(name, protocol === 'tcp' ? 'tcp' : 'http'))),
        ...state(object),
      },
    ]),
  );
}

/** The same objects with what lists add: name, provider, type, and the order they are sorted by. */
export function listed(protocol: Protocol, kind: ObjectKind, name: string, raw: Readonly<Record<string, unknown>>, of: Objects): Listed {
  const { provider, config, status } = of[name]!;
  const own = { name, provider: provider === '' ? providerOf(name) : provider };
  if (kind === 'routers') {
    const router = raw as { rule?: string; service?: string; middlewares?: string[]; entryPoints?: string[] };
    const priority = priorityOf(of[name]!);
    return {
      ...own,
      status,
      shown: { ...raw, ...own, ...(protocol !== 'udp' && { priorityStr: String(priority) }) },
      searched: [router.rule ?? '', name],
      service: router.service ?? '',
      middlewares: router.middlewares ?? [],
      order: {
        provider: own.provider,
        priority,
        status,
        rule: router.rule ?? '',
        service: router.service ?? '',
        entryPoints: (router.entryPoints ?? []).length,
      },
    };
  }
  const type = typeOf(SCHEMAS[protocol][kind]!, config);
  const servers = (config.loadBalancer as { servers?: unknown[] } | undefined)?.servers ?? [];
  return {
    ...own,
    status,
    shown: { ...raw, ...own, ...(type !== '' && { type }) },
    searched: [name],
    order: { type, provider: own.provider, status, servers: servers.length },
  };
}

function shownConfig(schema: Schema, kind: ObjectKind, object: RuntimeObject<Record<string, unknown>>): object {
  const { config, written } = object;
  if (kind !== 'routers') return show(schema, written ?? config);
  const { service } = (written ?? config) as { service?: string };
  return show(schema, { ...config, service: service ?? '', priority: priorityOf(object) });
}

/** The priority in force; what was written for a router that no entry point serves. */
function priorityOf({ config, written, using = [] }: RuntimeObject<Record<string, unknown>>): number | bigint {
  const { priority, parentRefs = [] } = config as { priority?: number | bigint; parentRefs?: string[] };
  const inForce = using.length > 0 || parentRefs.length > 0;
  return (inForce ? priority : (written as { priority?: number | bigint } | undefined)?.priority) ?? 0;
}

function state({ status, errors, using, usedBy }: RuntimeObject<unknown>): object {
  return {
    ...(errors.length > 0 && { error: errors }),
    status,
    ...(using !== undefined && using.length > 0 && { using }),
    ...(usedBy !== undefined && usedBy.length > 0 && { usedBy }),
  };
}

/** The first word of the object, in the order of the schema. */
function typeOf(schema: Schema, config: Readonly<Record<string, unknown>>): string {
  const kind = Object.keys(schema.fields!).find((field) => config[field] !== undefined);
  if (kind !== 'plugin') return kind?.toLowerCase() ?? '';
  return Object.keys(config.plugin as object)[0] ?? '';
}

function serverStatus({ config, status }: RuntimeObject<Record<string, unknown>>, health: () => ReturnType<HealthStatus>): object {
  const { servers = [], healthCheck } = (config.loadBalancer ?? {}) as {
    servers?: { url?: string; address?: string }[];
    healthCheck?: unknown;
  };
  if (status === 'disabled' || servers.length === 0) return {};
  const found = (healthCheck === undefined ? undefined : health()) ?? {};
  return {
    serverStatus: Object.fromEntries(
      servers.map(({ url, address }) => url ?? address ?? '').map((server) => [server, found[server] ?? 'UP']),
    ),
  };
}
