import type { Infer } from '../base/schema.ts';
import { swarm as swarmOptions } from '../config/static/docker.ts';
import { connectDocker, type DockerClient, EngineAnswerError } from './clients/docker.ts';
import { type BuiltConfiguration, buildConfiguration, type LabelReader } from './docker-configuration.ts';
import { asJson, asList, asText } from './docker-container.ts';
import { readContainerEvent } from './docker-events.ts';
import { type EngineView, followEngine, lookOnce } from './docker-follow.ts';
import { readSwarmSettings } from './docker-labels.ts';
import { createLabelReader } from './docker-reader.ts';
import { defineProvider, type ProviderContext } from './provider.ts';
import {
  discoverTasks,
  readService,
  readSwarmNetworks,
  readTask,
  type SwarmNetwork,
  type SwarmService,
  type SwarmState,
} from './swarm-discovery.ts';
import { createTaskRegister } from './swarm-register.ts';

export type SwarmOptions = Infer<typeof swarmOptions>;

/**
 * A manager tells of services and nodes, but of no task (moby issue 23827). So its tasks are looked at this often after something
 * happened or while an update goes on, and less often while something has yet to start or stop.
 */
const BUSY_LOOK_MS = 100;
const UNSETTLED_LOOK_MS = 1_000;
/** How long after an event something is likely to follow. */
const BUSY_MS = 10_000;
/** An update that hangs is no reason to ask ten times a second for ever. */
const UPDATE_LIMIT_MS = 5 * 60_000;

export const swarmProvider = defineProvider({
  kind: 'swarm',
  suffix: 'swarm',
  summary: 'Services of a Docker Swarm, configured by their labels.',
  options: swarmOptions,
  async *watch(options, context) {
    const reader = createSwarmReader(options, context.environment);
    const client = await connectDocker(options, context.environment);
    const view = createSwarmView(client, reader, options.refreshSeconds, context);
    try {
      if (options.watch) yield* followEngine(client, view, context);
      else yield* lookOnce(view, context);
    } finally {
      client.close();
    }
  },
});

type ReaderOptions = Omit<SwarmOptions, 'endpoint' | 'watch' | 'refreshSeconds'>;

/** Throws ConfigError when the template of the default rule is wrong. */
const createSwarmReader = (options: ReaderOptions, environment?: ProviderContext['environment']): LabelReader =>
  createLabelReader(options, readSwarmSettings, environment);

/** The answers of a manager to `/services`, `/tasks` (those wanted running), `/networks` and `/nodes`. */
export interface SwarmAnswers {
  readonly services: readonly unknown[];
  readonly tasks: readonly unknown[];
  readonly networks: readonly unknown[];
  readonly nodes?: readonly unknown[];
}

/** What `swarm` makes of a Swarm. */
export function buildSwarmConfiguration(options: ReaderOptions, answers: SwarmAnswers): BuiltConfiguration {
  return buildFrom(createSwarmReader(options), {
    services: readAll(answers.services, readService),
    tasks: readAll(answers.tasks, readTask),
    networks: readSwarmNetworks(answers.networks),
    nodes: answers.nodes === undefined ? undefined : readIds(answers.nodes),
  });
}

function buildFrom(reader: LabelReader, state: SwarmState): BuiltConfiguration {
  const { containers, problems } = discoverTasks(state, reader.settingsOf);
  const built = buildConfiguration(reader, { containers, find: () => undefined, hostAddress: '127.0.0.1' });
  return { ...built, problems: [...problems, ...built.problems] };
}

const readAll = <T>(answers: readonly unknown[], read: (answer: unknown) => T | undefined): T[] =>
  answers.flatMap((answer) => read(answer) ?? []);

const readIds = (answers: readonly unknown[]): Set<string> => new Set(answers.map((answer) => asText(asJson(answer).ID)));

function createSwarmView(client: DockerClient, reader: LabelReader, refreshMs: number, { clock, log }: ProviderContext): EngineView {
  const register = createTaskRegister();
  let services = new Map<string, SwarmService>();
  let networks = new Map<string, SwarmNetwork>();
  let nodes: Set<string> | undefined;
  let doubtful = true;
  let lastEvent = clock.now();
  let lastListed = 0;

  const list = async (): Promise<void> => {
    doubtful = false;
    lastListed = clock.now();
    const [listedServices, listedNetworks, listedNodes] = await Promise.all([
      client.get('/services'),
      client.get('/networks', { filters: isAtLeast(client.apiVersion, 29) ? { scope: ['swarm'] } : { driver: ['overlay'] } }),
      listNodes(client, log),
    ]);
    // The same labels stay the same object, so that they are not decoded again.
    services = new Map(
      readAll(asList(listedServices), readService).map((service) => [service.id, keepLabels(service, services.get(service.id))]),
    );
    networks = readSwarmNetworks(listedNetworks);
    nodes = listedNodes;
  };

  return {
    filters: { type: ['container', 'service', 'node', 'network'] },
    apply(event) {
      const type = asText(event.Type);
      if (type === 'service' || type === 'node' || (type === 'network' && asText(event.scope) === 'swarm')) {
        doubtful = true;
        lastEvent = clock.now();
        return 'soon';
      }
      const read = type === 'container' ? readContainerEvent(event) : undefined;
      if (read === undefined || read.task === '') return 'nothing';
      lastEvent = clock.now();
      return register.apply(read, services, clock.now());
    },
    doubt() {
      doubtful = true;
    },
    async look() {
      const listed = doubtful || clock.now() - lastListed >= refreshMs;
      if (listed) await list();
      const tasks = readAll(asList(await client.get('/tasks', { filters: { 'desired-state': ['running'] } })), readTask);
      return register.update(tasks, services, clock.now()) || listed;
    },
    nextLookMs() {
      const quietMs = clock.now() - lastEvent;
      const updating = [...services.values()].some((service) => service.updating);
      if (quietMs < BUSY_MS || (updating && quietMs < UPDATE_LIMIT_MS)) return Math.min(BUSY_LOOK_MS, refreshMs);
      return updating || !register.settled() ? Math.min(UNSETTLED_LOOK_MS, refreshMs) : refreshMs;
    },
    build: () => buildFrom(reader, { services: [...services.values()], tasks: register.tasks(), networks, nodes }),
  };
}

/** A proxy before the socket may refuse them; then every task counts as one of a node that is there. */
async function listNodes(client: DockerClient, log: ProviderContext['log']): Promise<Set<string> | undefined> {
  try {
    return readIds(asList(await client.get('/nodes')));
  } catch (error) {
    if (!(error instanceof EngineAnswerError) || error.status !== 403) throw error;
    log.debug('The nodes of the Swarm may not be listed');
    return undefined;
  }
}

const isAtLeast = (version: string, minor: number): boolean => {
  const [major, actual] = version.split('.').map(Number) as [number, number];
  return major > 1 || actual >= minor;
};

const keepLabels = (service: SwarmService, before: SwarmService | undefined): SwarmService =>
  before !== undefined && JSON.stringify(before.labels) === JSON.stringify(service.labels)
    ? { ...service, labels: before.labels }
    : service;
