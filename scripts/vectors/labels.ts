import { decodeLabels } from '../../src/config/labels.ts';
import { type Case, type Outcome, runCases } from './cases.ts';
import { judgeLoaded } from './dynamic.ts';

interface Input {
  readonly labels?: Readonly<Record<string, string>>;
  readonly root?: string;
  readonly configuration?: Record<string, unknown>;
}

/** Runs the vectors of the topic `labels`. */
export async function run(folder: string): Promise<Outcome> {
  return runCases<Input>(folder, judge);
}

function judge(one: Case<Input> & { readonly internal?: Readonly<Record<string, unknown>> }): string | undefined {
  const { labels, root } = one.input;
  if (labels === undefined) return undefined;
  const loaded = decodeLabels(labels, root);
  const hidden = Object.entries(one.internal ?? {}).find(([path, value]) => at(loaded.configuration, path) !== value);
  return hidden === undefined ? judgeLoaded(loaded, one) : `${hidden[0]} is not ${hidden[1]}`;
}

/** The value at `http.services.a.loadBalancer.servers[0].port`; names have no dots in the vectors. */
const at = (tree: unknown, path: string): unknown =>
  path.split(/[.[\]]+/).reduce<unknown>((node, key) => (key === '' ? node : (node as Record<string, unknown> | undefined)?.[key]), tree);
