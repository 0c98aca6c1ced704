import { ConfigError, type Place } from '../../base/errors.ts';
import type { Document } from '../../config/document.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { isTree, type Tree } from '../../config/static/tree.ts';
import { buildConfiguration } from '../../providers/docker-configuration.ts';
import { DEFAULT_STOP_SIGNALS, type DiscoveredContainer } from '../../providers/docker-container.ts';
import { readDockerSettings, readSwarmSettings } from '../../providers/docker-labels.ts';
import { createLabelReader } from '../../providers/docker-reader.ts';
import { placesOf } from './places.ts';

export interface ReadCompose {
  /** What the Docker provider makes of labels of services, and the Swarm provider of those below `deploy`. */
  readonly parts: readonly {
    readonly provider: 'docker' | 'swarm';
    readonly configuration: DynamicConfiguration;
    readonly places: ReadonlyMap<string, Place>;
    readonly problems: readonly ConfigError[];
  }[];
  readonly warnings: readonly ConfigError[];
}

interface Labelled {
  readonly container: DiscoveredContainer;
  readonly provider: 'docker' | 'swarm';
  /** Line of a label, or of the labels. */
  readonly lineOf: (label: string | undefined) => number | undefined;
}

const READERS = {
  docker: createLabelReader({ exposedByDefault: true, defaultRule: 'Host(`{{ normalize .Name }}`)' }, readDockerSettings),
  swarm: createLabelReader({ exposedByDefault: true, defaultRule: 'Host(`{{ normalize .Name }}`)' }, readSwarmSettings),
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The labels of a compose or stack file, read as by the provider: a service is a container that is reached by its name. Services
 * without a label that begins with `root` are left out. `${NAME}` is taken from the environment.
 */
export function readCompose(document: Document, root: string, environment: Environment): ReadCompose {
  const warnings: ConfigError[] = [];
  const labelled = servicesOf(document, root, environment, warnings);
  const parts = (['docker', 'swarm'] as const).flatMap((provider) => {
    const own = labelled.filter((candidate) => candidate.provider === provider);
    if (own.length === 0) return [];
    const containers = own.map(({ container }) => container);
    const built = buildConfiguration(READERS[provider], { containers, find: () => undefined, hostAddress: '127.0.0.1' });
    const relocate = relocator(document, own);
    warnings.push(...built.warnings.map(relocate));
    const places = placesOf(built.configuration, (path) => placeOf(document, own, path));
    return [{ provider, configuration: built.configuration, places, problems: built.problems.map(relocate) }];
  });
  return { parts, warnings };
}

const placeOf = (document: Document, labelled: readonly Labelled[], path: readonly string[]): Place | undefined => {
  const prefix = `traefik.${path.join('.')}.`.toLowerCase();
  for (const { container, lineOf } of labelled) {
    const label = Object.keys(container.labels).find((candidate) => candidate.toLowerCase().startsWith(prefix));
    if (label !== undefined) return { source: document.source, line: lineOf(label) };
  }
  return { source: document.source };
};

/** The provider names container and label; here that is a line of the file. */
function relocator(document: Document, labelled: readonly Labelled[]): (error: ConfigError) => ConfigError {
  const byName = new Map(labelled.map((one) => [one.container.name, one]));
  return (error) => {
    const [, name = '', label] = /^(.*?)(?:: (.*))?$/s.exec(error.place.source ?? '') ?? [];
    const { object } = error.place;
    const one = byName.get(name);
    if (one === undefined)
      return new ConfigError(error.code, error.message, { ...placeOf(document, labelled, (object ?? '').split('.')), object });
    return new ConfigError(error.code, `${error.message} (service ${name})`, { source: document.source, line: one.lineOf(label), object });
  };
}

function servicesOf(document: Document, root: string, environment: Environment, warnings: ConfigError[]): Labelled[] {
  const project = typeof document.tree.name === 'string' ? document.tree.name : undefined;
  return Object.entries(document.tree.services as Record<string, unknown>).flatMap(([service, described]) => {
    if (!isTree(described)) return [];
    const deploy = isTree(described.deploy) ? described.deploy : {};
    const read = (provider: Labelled['provider'], written: unknown, path: readonly string[]): Labelled[] => {
      const found = readLabels(document, written, path, root, environment, warnings);
      if (found === undefined) return [];
      const names = project === undefined || provider === 'swarm' ? {} : composeNames(project, service);
      return [{ provider, lineOf: found.lineOf, container: containerOf(service, { ...names, ...found.labels }, described) }];
    };
    return [
      ...read('docker', described.labels, ['services', service, 'labels']),
      ...read('swarm', deploy.labels, ['services', service, 'deploy', 'labels']),
    ];
  });
}

const composeNames = (project: string, service: string): Record<string, string> => ({
  'com.docker.compose.project': project,
  'com.docker.compose.service': service,
});

const containerOf = (service: string, labels: Readonly<Record<string, string>>, described: Tree): DiscoveredContainer => ({
  id: service,
  name: service,
  serviceName: service,
  status: '',
  health: '',
  labels,
  networkMode: '',
  ports: [{ port: innerPort(described) ?? DEFAULT_PORT, protocol: 'tcp', bindings: [] }],
  networks: new Map([['default', { address: service }]]),
  stopSignals: DEFAULT_STOP_SIGNALS,
});

/** What images of web servers expose; only the image knows it. */
const DEFAULT_PORT = 80;

function innerPort(service: Tree): number | undefined {
  const [first] = [...(Array.isArray(service.expose) ? service.expose : []), ...(Array.isArray(service.ports) ? service.ports : [])];
  if (isTree(first)) return first.target === undefined ? undefined : Number(first.target);
  const port = first === undefined ? undefined : /(\d+)(?:\/\w+)?$/.exec(String(first))?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Labels are a map, or a list of `name=value`. Undefined when none is ours. */
function readLabels(
  document: Document,
  written: unknown,
  path: readonly string[],
  root: string,
  environment: Environment,
  warnings: ConfigError[],
): { labels: Record<string, string>; lineOf: Labelled['lineOf'] } | undefined {
  const places = new Map<string, readonly (string | number)[]>();
  const labels: Record<string, string> = {};
  const lineOf: Labelled['lineOf'] = (label) => document.lineOf((label === undefined ? undefined : places.get(label)) ?? path);
  let isOurs = false;
  const add = (name: string, text: string, place: readonly (string | number)[]): void => {
    const own = name.toLowerCase().startsWith(`${root}.`);
    // The provider knows one root.
    const label = own ? `traefik${name.slice(root.length)}` : name;
    if (!own && name.toLowerCase().startsWith('traefik.')) return;
    isOurs ||= own;
    places.set(label, place);
    labels[label] = substitute(text, environment, (variable) => {
      if (own)
        warnings.push(
          new ConfigError('config.missing', `The variable ${variable} of the label ${name} is not set, so it stays as it is`, {
            source: document.source,
            line: lineOf(label),
          }),
        );
    });
  };
  if (Array.isArray(written)) {
    for (const [index, item] of written.entries()) {
      const text = String(item);
      const equals = text.indexOf('=');
      add(equals === -1 ? text : text.slice(0, equals), equals === -1 ? '' : text.slice(equals + 1), [...path, index]);
    }
  } else if (isTree(written)) {
    for (const [name, value] of Object.entries(written))
      add(name, value === null || value === undefined ? '' : String(value), [...path, name]);
  }
  return isOurs ? { labels, lineOf } : undefined;
}

/** As compose does: `$$` is a dollar, `${NAME}`, `${NAME:-default}` and `$NAME` are variables. */
function substitute(text: string, environment: Environment, onUnset: (variable: string) => void): string {
  return text.replace(/\$(?:\$|\{(\w+)(?::?-([^}]*))?\}|([A-Za-z_]\w*))/g, (all, braced?: string, otherwise?: string, plain?: string) => {
    if (all === '$$') return '$';
    const name = (braced ?? plain)!;
    const value = environment[name] || otherwise;
    if (value !== undefined) return value;
    onUnset(name);
    return all;
  });
}
