import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../base/errors.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';
import type { ProviderMessage } from './provider.ts';

/** What one container, task or instance says. The name tells the operator where to look, and decides the order. */
export interface NamedConfiguration {
  readonly name: string;
  readonly configuration: DynamicConfiguration;
}

type Objects = Record<string, unknown>;

/** Objects of one kind, `http.routers`, with everybody who defines them. */
interface Collection {
  readonly objects: Objects;
  readonly owners: Map<string, string[]>;
  readonly conflicts: Set<string>;
}

/**
 * One configuration of many. Servers of equal services are joined, in the order of the names and without repetition. What two
 * define differently is lost for all of them: to choose one would hand a name to whoever comes first.
 */
export function combine(parts: readonly NamedConfiguration[]): ProviderMessage {
  const collections = new Map<string, Collection>();
  const sorted = [...parts].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const { name: owner, configuration } of sorted) {
    for (const [protocol, kinds] of Object.entries(configuration as Record<string, Objects>)) {
      for (const [kind, objects] of Object.entries(kinds ?? {})) {
        if (typeof objects !== 'object' || objects === null || Array.isArray(objects)) continue;
        const collection = collectionOf(collections, `${protocol}.${kind}`);
        for (const [name, value] of Object.entries(objects)) add(collection, name, value, owner);
      }
    }
  }
  return { configuration: asConfiguration(collections), problems: [...collections].flatMap(conflictProblems) };
}

function collectionOf(collections: Map<string, Collection>, key: string): Collection {
  let collection = collections.get(key);
  if (collection === undefined) {
    collection = { objects: Object.create(null) as Objects, owners: new Map(), conflicts: new Set() };
    collections.set(key, collection);
  }
  return collection;
}

function add({ objects, owners, conflicts }: Collection, name: string, value: unknown, owner: string): void {
  const existing = owners.get(name);
  if (existing === undefined) {
    owners.set(name, [owner]);
    objects[name] = value;
    return;
  }
  existing.push(owner);
  const joined = join(objects[name], value);
  if (joined === undefined) conflicts.add(name);
  else objects[name] = joined;
}

interface Server {
  readonly url?: string;
  readonly address?: string;
  readonly fenced?: boolean;
}
type Service = { readonly loadBalancer?: { readonly servers?: readonly Server[] } };

/** The object that both mean; undefined when they differ in more than their servers. */
function join(first: unknown, second: unknown): unknown {
  const a = first as Service;
  const b = second as Service;
  if (a.loadBalancer === undefined || b.loadBalancer === undefined) return isDeepStrictEqual(first, second) ? first : undefined;
  if (!isDeepStrictEqual(withoutServers(a), withoutServers(b))) return undefined;
  const servers = joinServers(a.loadBalancer.servers ?? [], b.loadBalancer.servers ?? []);
  if (servers.length === 0) return first;
  return { ...a, loadBalancer: { ...a.loadBalancer, servers } };
}

const withoutServers = (service: Service): Service => ({ ...service, loadBalancer: { ...service.loadBalancer, servers: [] } });

const addressOf = ({ url, address }: Server): string => url ?? address ?? '';

/** Two with one address are one server; it is fenced only if both are (a successor on the same address is alive). */
function joinServers(first: readonly Server[], second: readonly Server[]): readonly Server[] {
  const servers = [...first];
  for (const server of second) {
    const index = first.findIndex((other) => addressOf(other) === addressOf(server));
    if (index === -1) servers.push(server);
    else if (servers[index]!.fenced && !server.fenced) servers[index] = server;
  }
  return servers;
}

function asConfiguration(collections: ReadonlyMap<string, Collection>): DynamicConfiguration {
  const configuration: Record<string, Objects> = {};
  for (const [key, { objects, conflicts }] of collections) {
    const [protocol, kind] = key.split('.') as [string, string];
    const kept = Object.entries(objects).filter(([name]) => !conflicts.has(name));
    if (kept.length > 0) (configuration[protocol] ??= {})[kind] = Object.fromEntries(kept);
  }
  return configuration as DynamicConfiguration;
}

/** `http.routers` is spoken of as "HTTP router". */
const WORDS: Readonly<Record<string, string>> = {
  routers: 'router',
  services: 'service',
  middlewares: 'middleware',
  serversTransports: 'transport',
  stores: 'store',
  options: 'options',
};

function conflictProblems([key, { conflicts, owners }]: [string, Collection]): ConfigError[] {
  const [protocol, kind] = key.split('.') as [string, string];
  return [...conflicts].map((name) => {
    const who = owners.get(name)!;
    const shown = who.length > 4 ? `${who.slice(0, 4).join(', ')} and ${who.length - 4} more` : who.join(', ');
    return new ConfigError(
      'config.conflict',
      `The ${protocol.toUpperCase()} ${WORDS[kind] ?? kind} '${name}' is not the same in ${shown}, so nobody has it; give it different names, or the same labels`,
      { object: `${key}.${name}` },
    );
  });
}
