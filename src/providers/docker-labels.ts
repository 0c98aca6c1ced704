import { decode } from '../base/decode.ts';
import { ConfigError } from '../base/errors.ts';
import { boolean, type Infer, object, string } from '../base/schema.ts';
import { sourceFinder, treeOf } from '../config/flat.ts';

/** What the labels of a container say to the provider itself. */
export interface ContainerSettings {
  readonly enable: boolean;
  /** Empty: any. */
  readonly network: string;
  /** Swarm: the virtual address of the service stands for its tasks. */
  readonly lbSwarm: boolean;
  /** Docker: the container keeps its routers and services while it does not run. */
  readonly allowNonRunning: boolean;
  readonly warnings: readonly ConfigError[];
}

export interface SettingDefaults {
  readonly exposedByDefault: boolean;
  readonly network?: string;
}

const network = string('Network whose address is used.');
const lbSwarm = boolean('Swarm itself balances.');
const settings = object(
  {
    enable: boolean('Takes the container, or not.'),
    docker: object({ network, lbSwarm, allowNonRunning: boolean('Also while it does not run.') }, 'Docker.'),
    swarm: object({ network, lbSwarm }, 'Swarm.'),
  },
  'Labels for the provider itself.',
);

type Labels = Readonly<Record<string, string>>;

/** Throws ConfigError for a word or value that cannot be understood: whether the container may be shown is then unknown. */
export function readDockerSettings(labels: Labels, defaults: SettingDefaults): ContainerSettings {
  const { enable, docker } = readSettings(labels, ['enable', 'docker.']);
  return {
    enable: enable ?? defaults.exposedByDefault,
    network: docker?.network || defaults.network || '',
    lbSwarm: false,
    allowNonRunning: docker?.allowNonRunning ?? false,
    warnings: [],
  };
}

/** As above. The words of Docker are the old names of those of Swarm; both at once contradict each other. */
export function readSwarmSettings(labels: Labels, defaults: SettingDefaults): ContainerSettings {
  const { enable, docker, swarm } = readSettings(labels, ['enable', 'docker.', 'swarm.']);
  if (docker !== undefined && swarm !== undefined) {
    throw new ConfigError('config.conflict', 'There are labels traefik.docker.* and traefik.swarm.*; write traefik.swarm.* only');
  }
  const chosen = swarm ?? docker;
  return {
    enable: enable ?? defaults.exposedByDefault,
    network: chosen?.network || defaults.network || '',
    lbSwarm: chosen?.lbSwarm ?? false,
    allowNonRunning: false,
    warnings:
      docker === undefined
        ? []
        : [new ConfigError('config.removed', 'Labels traefik.docker.* of a Swarm service are deprecated; write traefik.swarm.*')],
  };
}

/** Ours count where both are there. */
const ROOTS = ['traefik', 'edgeway'];

function readSettings(labels: Labels, sections: readonly string[]): Infer<typeof settings> {
  const entries = ROOTS.flatMap((root) =>
    Object.keys(labels)
      .sort()
      .filter((label) => sections.some((section) => label.toLowerCase().startsWith(`${root}.${section}`)))
      .map((label) => ({ parts: partsOf(label, root), text: labels[label]!, source: label })),
  );
  const { value, problems } = decode(settings, treeOf(entries), 'labels');
  const [problem] = problems;
  if (problem !== undefined) {
    const label = sourceFinder(entries)(problem.path);
    throw new ConfigError('config.unknown-option', `The label ${label}: ${problem.message}; the container is left out`);
  }
  return value!;
}

function partsOf(label: string, root: string): string[] {
  const [first, ...parts] = label.split('.');
  if (first !== root) throw new ConfigError('config.syntax', `The label '${label}' begins with '${first}'; write '${root}'`);
  return parts;
}
