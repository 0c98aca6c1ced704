import { lookup } from 'node:dns/promises';
import { ConfigError } from '../base/errors.ts';
import type { Infer } from '../base/schema.ts';
import { docker as dockerOptions } from '../config/static/docker.ts';
import { connectDocker, type DockerClient, EngineAnswerError } from './clients/docker.ts';
import { type BuiltConfiguration, buildConfiguration, type LabelReader } from './docker-configuration.ts';
import { asJson, asList, asText, type DiscoveredContainer, readContainer } from './docker-container.ts';
import { readContainerEvent } from './docker-events.ts';
import { type EngineView, followEngine, lookOnce } from './docker-follow.ts';
import { readDockerSettings } from './docker-labels.ts';
import { createLabelReader } from './docker-reader.ts';
import { createContainerRegister } from './docker-register.ts';
import { defineProvider, type ProviderContext } from './provider.ts';

export type DockerOptions = Infer<typeof dockerOptions>;

/** The engine drops events of a reader that is slow for 100 ms (moby: events/events.go), so now and then all is looked at. */
const LOOK_AGAIN_MS = 5 * 60_000;

/** Containers that are asked about at the same time. */
const MAX_INSPECTIONS = 16;

/** The engine does not answer about a container while it starts or ends it, which may hang. The others must not wait for that one. */
const INSPECT_TIMEOUT_MS = 2_000;
const ASK_AGAIN_MS = 2_000;

export const dockerProvider = defineProvider({
  kind: 'docker',
  suffix: 'docker',
  summary: 'Containers of a Docker engine, configured by their labels.',
  options: dockerOptions,
  async *watch(options, context) {
    const reader = createDockerReader(options, context.environment);
    const client = await connectDocker(options, context.environment);
    const view = createDockerView(client, reader, context);
    try {
      if (options.watch) yield* followEngine(client, view, context);
      else yield* lookOnce(view, context);
    } finally {
      client.close();
    }
  },
});

/** Throws ConfigError when the template of the default rule is wrong. */
const createDockerReader = (
  options: Omit<DockerOptions, 'endpoint' | 'watch'>,
  environment?: ProviderContext['environment'],
): LabelReader => createLabelReader(options, readDockerSettings, environment);

/** What `docker` makes of containers, given the answers of `/containers/<id>/json`. `find` knows those whose network others use. */
export function buildDockerConfiguration(
  options: Omit<DockerOptions, 'endpoint' | 'watch'>,
  answers: readonly unknown[],
  find: (idOrName: string) => unknown = () => undefined,
  hostAddress = '127.0.0.1',
): BuiltConfiguration {
  const containers = answers.flatMap((answer) => readContainer(answer) ?? []);
  return buildConfiguration(createDockerReader(options), {
    containers,
    find: (idOrName) => containers.find(({ id, name }) => id === idOrName || name === idOrName) ?? readContainer(find(idOrName)),
    hostAddress,
  });
}

function createDockerView(client: DockerClient, reader: LabelReader, { clock, log }: ProviderContext): EngineView {
  const register = createContainerRegister();
  const unreadable = new Map<string, ConfigError>();
  let doubtful = true;
  let lastListed = 0;
  let hostAddress: string | undefined;

  const inspect = async (id: string, taken: number): Promise<void> => {
    unreadable.delete(id);
    try {
      const answer = await client.get(`/containers/${encodeURIComponent(id)}/json`, { timeoutMs: INSPECT_TIMEOUT_MS });
      const container = readContainer(answer);
      if (container === undefined) throw new EngineAnswerError(0, 'the answer describes no container');
      register.settle(id, taken, container);
    } catch (error) {
      if (!(error instanceof EngineAnswerError)) throw error;
      const isGone = error.status === 404;
      if (!register.settle(id, taken, isGone ? undefined : 'unknown') || isGone) return;
      const message = `The engine does not describe the container: ${error.message}`;
      unreadable.set(id, new ConfigError('config.io', message, { source: id.slice(0, 12) }));
    }
  };

  return {
    filters: { type: ['container', 'network'] },
    apply(event) {
      const read = readContainerEvent(event);
      if (read === undefined) return 'nothing';
      if (read.effect.kind === 'removed') unreadable.delete(read.id);
      return register.apply(read, clock.now());
    },
    doubt() {
      doubtful = true;
    },
    async look() {
      const listing = doubtful || clock.now() - lastListed >= LOOK_AGAIN_MS;
      for (const id of unreadable.keys()) register.doubt(id);
      if (listing) {
        doubtful = false;
        lastListed = clock.now();
        const listed = asList(await client.get('/containers/json', { query: { all: '1' } }));
        unreadable.clear();
        register.reset(listed.flatMap((entry) => asText(asJson(entry).Id) || []));
      }
      register.expireDrains(clock.now());
      const dirty = register.dirty();
      await runAll([...dirty], MAX_INSPECTIONS, ([id, taken]) => inspect(id, taken));
      if (hostAddress === undefined && register.containers().some(isInHostNetwork)) {
        hostAddress = await findHostAddress();
        log.debug('Containers in the network of the host are reached there', { address: hostAddress });
      }
      return dirty.size > 0 || listing;
    },
    nextLookMs: () => (unreadable.size > 0 ? ASK_AGAIN_MS : LOOK_AGAIN_MS),
    build() {
      const containers = register.containers();
      const built = buildConfiguration(reader, { containers, find: register.find, hostAddress: hostAddress ?? '127.0.0.1' });
      return { ...built, problems: [...unreadable.values(), ...built.problems] };
    },
  };
}

const isInHostNetwork = ({ networkMode }: DiscoveredContainer): boolean => networkMode === 'host';

/** From inside a container the host has a name, if the engine or the operator gave it one. */
async function findHostAddress(): Promise<string> {
  for (const name of ['host.docker.internal', 'host.containers.internal']) {
    try {
      return (await lookup(name)).address;
    } catch {
      // The next name, or the loopback address.
    }
  }
  return '127.0.0.1';
}

/** Runs `work` for every item, at most `limit` at a time. The first failure is thrown, once all that had begun have ended. */
async function runAll<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const workers = Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (const item of queue) await work(item);
  });
  const results = await Promise.allSettled(workers);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
