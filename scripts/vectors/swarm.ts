import { decode } from '../../src/base/decode.ts';
import { swarm as swarmOptions } from '../../src/config/static/docker.ts';
import { buildSwarmConfiguration } from '../../src/providers/swarm.ts';
import { type Outcome, runCases } from './cases.ts';
import { judge } from './docker.ts';

interface SwarmInput {
  readonly options?: Record<string, unknown>;
  readonly services: readonly unknown[];
  readonly tasks: readonly { readonly DesiredState?: string }[];
  readonly networks: readonly { readonly Scope?: string }[];
  readonly nodes: Readonly<Record<string, unknown>>;
}

/** Feeds the answers of a fake manager to the provider, after the filters that the provider asks it to apply. */
export async function run(folder: string): Promise<Outcome> {
  return runCases<SwarmInput>(folder, (one) =>
    judge(one, ({ options, services, tasks, networks, nodes }) =>
      buildSwarmConfiguration(decode(swarmOptions, options ?? {}).value!, {
        services,
        tasks: tasks.filter(({ DesiredState }) => DesiredState === 'running'),
        networks: networks.filter(({ Scope }) => Scope === 'swarm'),
        nodes: Object.values(nodes),
      }),
    ),
  );
}
