import { ConfigError, type Place } from '../../base/errors.ts';
import type { Document } from '../../config/document.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { decodeLabels } from '../../config/labels.ts';
import { equal } from '../../config/merge/equal.ts';
import { isTree, type Tree } from '../../config/static/tree.ts';
import { placesOf, type ReadSource } from './source.ts';

interface Labelled {
  readonly service: string;
  readonly provider: 'docker' | 'swarm';
  readonly labels: Readonly<Record<string, string>>;
  /** Line of a label, or of the service. */
  readonly lineOf: (label: string | undefined) => number | undefined;
  /** Ports that the file names, inner side. */
  readonly port: string | undefined;
}

/** The labels of a compose or stack file, as the Docker or Swarm provider will see them. */
export function readCompose(document: Document, root: string): ReadSource {
  const problems: { provider: string; error: ConfigError }[] = [];
  const warnings: ConfigError[] = [];
  const merged = new Map<string, { configuration: Objects; places: Map<string, Place> }>();
  for (const labelled of servicesOf(document)) {
    const { service, provider, labels } = labelled;
    if (!Object.keys(labels).some((label) => label.toLowerCase().startsWith(`${root}.`))) continue;
    if (/^false$/i.test(labels[`${root}.enable`] ?? '')) continue;
    const place = (label: string | undefined, object?: string): Place => ({
      source: document.source,
      line: labelled.lineOf(label),
      object,
    });
    const loaded = decodeLabels(labels, root);
    const relocate = (error: ConfigError): ConfigError =>
      new ConfigError(error.code, `${error.message} (service ${service})`, place(error.place.source, error.place.object));
    problems.push(...loaded.problems.map((error) => ({ provider, error: relocate(error) })));
    warnings.push(...loaded.warnings.map(relocate));
    let into = merged.get(provider);
    if (into === undefined) merged.set(provider, (into = { configuration: {}, places: new Map() }));
    const configuration = complete(loaded.configuration, labelled) as Objects;
    const places = placesOf(configuration as DynamicConfiguration, ([section, kind, name]) =>
      place(Object.keys(labels).find((label) => label.toLowerCase().startsWith(`${root}.${section}.${kind}.${name}.`.toLowerCase()))),
    );
    for (const error of join(into, { configuration, places }, service)) problems.push({ provider, error });
  }
  return {
    dynamic: [...merged].map(([provider, { configuration, places }]) => ({
      provider,
      configuration: configuration as DynamicConfiguration,
      places,
    })),
    problems,
    warnings,
  };
}

function servicesOf(document: Document): Labelled[] {
  const services = document.tree.services as Record<string, unknown>;
  return Object.entries(services).flatMap(([service, described]) => {
    if (!isTree(described)) return [];
    const deploy = isTree(described.deploy) ? described.deploy : {};
    const own = readLabels(document, described.labels, ['services', service, 'labels']);
    const deployed = readLabels(document, deploy.labels, ['services', service, 'deploy', 'labels']);
    const port = innerPort(described);
    const found: Labelled[] = [];
    if (own !== undefined) found.push({ service, provider: 'docker', port, ...own });
    if (deployed !== undefined) found.push({ service, provider: 'swarm', port, ...deployed });
    return found;
  });
}

/** Labels are a map, or a list of `name=value`; Compose writes a dollar sign twice. */
function readLabels(document: Document, written: unknown, path: readonly string[]): Pick<Labelled, 'labels' | 'lineOf'> | undefined {
  const places = new Map<string, readonly (string | number)[]>();
  const labels: Record<string, string> = {};
  if (Array.isArray(written)) {
    for (const [index, item] of written.entries()) {
      const text = String(item);
      const equals = text.indexOf('=');
      const name = equals === -1 ? text : text.slice(0, equals);
      labels[name] = equals === -1 ? '' : text.slice(equals + 1).replaceAll('$$', '$');
      places.set(name, [...path, index]);
    }
  } else if (isTree(written)) {
    for (const [name, value] of Object.entries(written)) {
      labels[name] = value === null || value === undefined ? '' : String(value).replaceAll('$$', '$');
      places.set(name, [...path, name]);
    }
  } else return undefined;
  return { labels, lineOf: (label) => document.lineOf((label === undefined ? undefined : places.get(label)) ?? path) };
}

function innerPort(service: Tree): string | undefined {
  const [first] = [...(Array.isArray(service.expose) ? service.expose : []), ...(Array.isArray(service.ports) ? service.ports : [])];
  if (isTree(first)) return first.target === undefined ? undefined : String(first.target);
  return first === undefined ? undefined : /(\d+)(?:\/\w+)?$/.exec(String(first))?.[1];
}

type Objects = Record<string, Record<string, Record<string, unknown> | undefined> | undefined>;

/** What the provider adds: a service of the container, its servers, rules and services of routers that name none. */
function complete(configuration: DynamicConfiguration, { service, port }: Labelled): DynamicConfiguration {
  const result: Objects = { ...(configuration as Objects) };
  for (const protocol of ['http', 'tcp', 'udp'] as const) {
    const objects = result[protocol];
    const routers = objects?.routers;
    if (objects === undefined || (routers === undefined && objects.services === undefined)) continue;
    const services = completeServices(objects.services, protocol, service, port);
    const names = Object.keys(services);
    const completed = Object.fromEntries(
      Object.entries(routers ?? {}).map(([name, router]) => {
        const { rule, service: named } = router as { rule?: string; service?: string };
        return [
          name,
          {
            ...(router as object),
            ...(protocol === 'http' && !rule && { rule: `Host(\`${service}\`)` }),
            ...(!named && names.length === 1 && { service: names[0] }),
          },
        ];
      }),
    );
    result[protocol] = { ...objects, services, ...(routers !== undefined && { routers: completed }) };
  }
  return result as DynamicConfiguration;
}

function completeServices(
  services: Record<string, unknown> | undefined,
  protocol: 'http' | 'tcp' | 'udp',
  container: string,
  port = '80',
): Record<string, unknown> {
  const named = services === undefined || Object.keys(services).length === 0 ? { [container]: { loadBalancer: {} } } : services;
  return Object.fromEntries(
    Object.entries(named).map(([name, service]) => {
      const { loadBalancer } = service as {
        loadBalancer?: { servers?: readonly { port?: string; scheme?: string; url?: string; address?: string }[] };
      };
      if (loadBalancer === undefined) return [name, service];
      const [server = {}] = loadBalancer.servers ?? [];
      const inner = server.port ?? port;
      const completed =
        protocol === 'http'
          ? { url: server.url ?? `${server.scheme || 'http'}://${container}:${inner}` }
          : { address: server.address ?? `${container}:${inner}` };
      return [name, { ...(service as object), loadBalancer: { ...loadBalancer, servers: [completed] } }];
    }),
  );
}

/** Objects of one name by several containers are one when they agree; services may differ in their servers. */
function join(
  into: { configuration: Objects; places: Map<string, Place> },
  { configuration, places }: { configuration: Objects; places: Map<string, Place> },
  service: string,
): ConfigError[] {
  const errors: ConfigError[] = [];
  for (const [section, kinds] of Object.entries(configuration)) {
    for (const [kind, objects] of Object.entries(kinds ?? {})) {
      const target = ((into.configuration[section] ??= {})[kind] ??= {});
      for (const [name, object] of Object.entries(objects ?? {})) {
        const key = `${section}.${kind}.${name}`;
        if (target[name] === undefined) {
          target[name] = object;
          const place = places.get(key);
          if (place !== undefined) into.places.set(key, place);
        } else if (!equal(withoutServers(target[name]), withoutServers(object))) {
          errors.push(
            new ConfigError(
              'config.conflict',
              `is defined otherwise by another service of this file; the provider then drops both (service ${service})`,
              {
                ...places.get(key),
                object: key,
              },
            ),
          );
        }
      }
    }
  }
  return errors;
}

function withoutServers(object: unknown): unknown {
  const { loadBalancer } = object as { loadBalancer?: object };
  return loadBalancer === undefined ? object : { ...(object as object), loadBalancer: { ...loadBalancer, servers: [] } };
}
