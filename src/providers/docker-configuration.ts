import { ConfigError } from '../base/errors.ts';
import type { DynamicConfiguration, HttpRouter } from '../config/dynamic.ts';
import { decodeLabels } from '../config/labels.ts';
import type { Loaded, ObjectPath } from '../config/load.ts';
import { combine, type NamedConfiguration } from './combine.ts';
import type { Surroundings } from './docker-address.ts';
import type { DiscoveredContainer } from './docker-container.ts';
import type { ContainerSettings } from './docker-labels.ts';
import { type LabelService, type Protocol, plainService, withServer } from './docker-servers.ts';
import { type Completed, completeHttpRouters, completeTcpRouters, completeUdpRouters } from './implied.ts';
import type { ProviderMessage } from './provider.ts';

/** What was made of containers, and what in it is not what one would think. */
export interface BuiltConfiguration extends ProviderMessage {
  readonly warnings: readonly ConfigError[];
}

/** What differs between Docker and Swarm, and what the operator chose. */
export interface LabelReader {
  /** Throws ConfigError for labels that cannot be understood. */
  readonly settingsOf: (labels: DiscoveredContainer['labels']) => ContainerSettings;
  /** The constraint expression. */
  readonly isWanted: (labels: DiscoveredContainer['labels']) => boolean;
  /** The template of the default rule. Throws ConfigError when it fails for these values. */
  readonly defaultRule: (values: RuleValues) => string;
  readonly allowEmptyServices: boolean;
  readonly useBindPortIP: boolean;
}

export interface RuleValues {
  readonly Name: string;
  readonly ContainerName: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export interface Discovery {
  readonly containers: readonly DiscoveredContainer[];
  /** By id or name: those whose network others use. */
  readonly find: (container: string) => DiscoveredContainer | undefined;
  /** Where containers in the network of their host are reached. */
  readonly hostAddress: string;
}

/** More text in labels than this is nobody's configuration: the largest that people show each other have some ten kilobytes. */
const MAX_LABELS_LENGTH = 1024 * 1024;

/** Labels are decoded once for as long as somebody holds them: a stopping container must not wait for a thousand others. */
const decoded = new WeakMap<object, Loaded>();

/** Throws ConfigError when there is too much to decode. */
function decodeOnce(labels: DiscoveredContainer['labels']): Loaded {
  let loaded = decoded.get(labels);
  if (loaded === undefined) {
    const ours = Object.entries(labels).filter(([label]) => /^(?:traefik|edgeway)\./i.test(label));
    const length = ours.reduce((sum, [label, text]) => sum + label.length + text.length, 0);
    if (length > MAX_LABELS_LENGTH) {
      throw new ConfigError('config.limit', `The labels have ${length} characters; at most ${MAX_LABELS_LENGTH} are read`);
    }
    decoded.set(labels, (loaded = decodeLabels(labels)));
  }
  return loaded;
}

/** The configuration that containers ask for by their labels. What is refused of one container takes nothing from another. */
export function buildConfiguration(reader: LabelReader, discovery: Discovery): BuiltConfiguration {
  const parts: NamedConfiguration[] = [];
  const problems: ConfigError[] = [];
  const warnings: ConfigError[] = [];
  const surroundings: Surroundings = {
    ...discovery,
    useBindPortIP: reader.useBindPortIP,
    networkOf: ({ labels }) => reader.settingsOf(labels).network,
  };
  for (const container of discovery.containers) {
    const name = `${serviceNameOf(container)}-${container.id}`;
    const report = {
      problem: (error: ConfigError) => problems.push(located(error, container.name)),
      warning: (error: ConfigError) => warnings.push(located(error, container.name)),
    };
    try {
      const settings = reader.settingsOf(container.labels);
      settings.warnings.forEach(report.warning);
      if (!isTaken(container, settings, reader)) continue;
      parts.push({ name, configuration: describeContainer(container, reader, surroundings, report) });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      report.problem(error);
    }
  }
  const combined = combine(parts);
  return { configuration: combined.configuration, problems: [...problems, ...combined.problems], warnings };
}

/** Allowing what does not run comes first: then neither state nor health is asked. */
function isTaken({ labels, status, health }: DiscoveredContainer, settings: ContainerSettings, reader: LabelReader): boolean {
  if (!settings.enable || !reader.isWanted(labels)) return false;
  if (settings.allowNonRunning) return true;
  if (status !== '' && status !== 'running') return false;
  return reader.allowEmptyServices || health === '' || health === 'healthy';
}

interface Report {
  readonly problem: (error: ConfigError) => void;
  readonly warning: (error: ConfigError) => void;
}
interface Section {
  readonly routers?: Readonly<Record<string, object>>;
  readonly services?: Readonly<Record<string, LabelService>>;
  readonly middlewares?: Readonly<Record<string, object>>;
}

function describeContainer(
  container: DiscoveredContainer,
  reader: LabelReader,
  surroundings: Surroundings,
  report: Report,
): DynamicConfiguration {
  const { configuration, problems, warnings, refused } = decodeOnce(container.labels);
  problems.forEach(report.problem);
  warnings.forEach(report.warning);
  const context: SectionContext = { container, reader, surroundings, report, refused };
  const result: Record<string, unknown> = { ...configuration };
  const sections = configuration as Partial<Record<Protocol, Section>>;
  const streams = (['tcp', 'udp'] as const).filter(
    (protocol) => size(sections[protocol]?.routers) + size(sections[protocol]?.services) > 0,
  );
  for (const protocol of streams) result[protocol] = completeSection(protocol, sections[protocol]!, context);
  const http = sections.http ?? {};
  const saysHttp = size(http.routers) + size(http.services) + size(http.middlewares) > 0;
  // A container that speaks of TCP or UDP only is no web server.
  if (saysHttp || (streams.length === 0 && refused.length === 0 && problems.length === 0))
    result.http = completeSection('http', http, context);
  return result as DynamicConfiguration;
}

interface SectionContext {
  readonly container: DiscoveredContainer;
  readonly reader: LabelReader;
  readonly surroundings: Surroundings;
  readonly report: Report;
  /** The objects that the labels meant and that could not be read. */
  readonly refused: readonly ObjectPath[];
}

function completeSection(protocol: Protocol, section: Section, context: SectionContext): Section {
  const { services, missing } = completeServices(protocol, section, context);
  const routers = withImpliedRouter(protocol, section, Object.keys(services), missing, context);
  // A router is linked to the service it would have had: the reference shows the operator what is missing.
  const names = [...Object.keys(services), ...missing];
  const completed = completeRouters(protocol, routers, names, context);
  completed.problems.forEach(context.report.problem);
  return { ...section, services, routers: completed.routers };
}

/** The services with their server, and the names of those that the labels wanted and that are refused. */
function completeServices(protocol: Protocol, section: Section, context: SectionContext) {
  const { container, surroundings, report } = context;
  const missing = context.refused.flatMap(([section, kind, name]) => (section === protocol && kind === 'services' ? [name] : []));
  const implied = size(section.services) === 0 && missing.length === 0;
  const wanted = implied ? { [serviceNameOf(container)]: plainService(protocol) } : (section.services ?? {});
  const services: Record<string, LabelService> = {};
  for (const [name, service] of Object.entries(wanted)) {
    try {
      services[name] = withServer(protocol, service, container, surroundings, report.warning);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // Nobody asked for the implied service of a container that only routes to others (the API, a file's service).
      if (implied && isSelfContained(section)) continue;
      report.problem(new ConfigError(error.code, error.message, { ...error.place, object: `${protocol}.services.${name}` }));
      missing.push(name);
    }
  }
  return { services, missing };
}

const isSelfContained = ({ routers = {} }: Section): boolean =>
  size(routers) > 0 && Object.values(routers as Record<string, HttpRouter>).every(({ service }) => service);

/** One HTTP service and no router: the default rule makes one, unless something could not be read that may have been a router. */
function withImpliedRouter(
  protocol: Protocol,
  { routers = {} }: Section,
  services: readonly string[],
  missing: readonly string[],
  { container, refused, report }: SectionContext,
): Readonly<Record<string, object>> {
  if (protocol !== 'http' || size(routers) > 0 || refused.length > 0 || missing.length > 0) return routers;
  if (services.length === 1) return { [serviceNameOf(container)]: {} };
  if (services.length > 1) {
    report.problem(
      new ConfigError(
        'config.missing',
        `There are several services (${services.join(', ')}) and no router; write traefik.http.routers.<name>.rule`,
      ),
    );
  }
  return routers;
}

function completeRouters(protocol: Protocol, routers: object, services: readonly string[], context: SectionContext): Completed<object> {
  if (protocol === 'tcp') return completeTcpRouters(routers as Record<string, object>, services);
  if (protocol === 'udp') return completeUdpRouters(routers as Record<string, object>, services);
  const { container, reader } = context;
  const values = { Name: serviceNameOf(container), ContainerName: container.name, Labels: container.labels };
  return completeHttpRouters(routers as Record<string, HttpRouter>, services, () => reader.defaultRule(values));
}

const size = (objects: object | undefined): number => (objects === undefined ? 0 : Object.keys(objects).length);

/** The compose service and project, else the name; everything but letters and digits becomes `-`. */
export function serviceNameOf({ labels, serviceName }: DiscoveredContainer): string {
  const project = labels['com.docker.compose.project'];
  const service = labels['com.docker.compose.service'];
  return normalize(project && service ? `${service}_${project}` : serviceName);
}

/** Words of letters and digits, joined by `-`. */
const normalize = (name: string): string =>
  name
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .join('-');

const located = (error: ConfigError, container: string): ConfigError =>
  new ConfigError(
    error.code,
    error.message,
    { ...error.place, source: error.place.source === undefined ? container : `${container}: ${error.place.source}` },
    { cause: error },
  );
