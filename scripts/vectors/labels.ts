import { parseDuration } from '../../src/base/duration.ts';
import { encode } from '../../src/base/encode.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../../src/config/dynamic.ts';
import { decodeLabels, encodeLabels } from '../../src/config/labels.ts';
import { loadTree } from '../../src/config/load.ts';
import { type Case, firstDifference, type Outcome, runCases } from './cases.ts';
import { judgeLoaded, normalize } from './dynamic.ts';

interface Input {
  readonly labels?: Readonly<Record<string, string>>;
  readonly root?: string;
  readonly configuration?: Record<string, unknown>;
}

/** Runs the vectors of the topic `labels`. */
export async function run(folder: string): Promise<Outcome> {
  return runCases<Input>(folder, judge);
}

interface LabelCase extends Case<Input> {
  readonly internal?: Readonly<Record<string, unknown>>;
  readonly encoded?: Readonly<Record<string, string>>;
}

function judge(one: LabelCase): string | undefined {
  const { labels, root, configuration } = one.input;
  if (labels === undefined) {
    const loaded = loadTree(configuration!, 'document', () => ({}));
    return judgeEncoded(loaded.configuration, one.expected as Record<string, string> | undefined);
  }
  const loaded = decodeLabels(labels, root);
  const hidden = Object.entries(one.internal ?? {}).find(([path, value]) => at(loaded.configuration, path) !== value);
  if (hidden !== undefined) return `${hidden[0]} is not ${hidden[1]}`;
  return judgeLoaded(loaded, one) ?? (one.encoded === undefined ? undefined : judgeEncoded(loaded.configuration, one.encoded));
}

/** The value at `http.services.a.loadBalancer.servers[0].port`; names have no dots in the vectors. */
const at = (tree: unknown, path: string): unknown =>
  path.split(/[.[\]]+/).reduce<unknown>((node, key) => (key === '' ? node : (node as Record<string, unknown> | undefined)?.[key]), tree);

/**
 * Ours must hold every label of Traefik's that is no zero value, and read back as the configuration. Letter case, blanks behind
 * commas and Traefik's nanoseconds (which read back as seconds) may differ. Without labels of Traefik's it refused.
 */
function judgeEncoded(configuration: DynamicConfiguration, theirs: Readonly<Record<string, string>> | undefined): string | undefined {
  const { labels, problems } = encodeLabels(configuration);
  if (theirs === undefined) return problems.length > 0 ? undefined : 'written, instead of refused';
  const ours = new Map(Object.entries(labels).map(([label, text]) => [label.toLowerCase(), text]));
  for (const [label, text] of Object.entries(theirs)) {
    if (['', '0', 'false'].includes(text)) continue;
    const own = ours.get(label.toLowerCase());
    const same =
      own?.replaceAll(', ', ',') === text.replaceAll(', ', ',') || (parseDuration(own ?? '') ?? Number.NaN) * 1e6 === Number(text);
    if (!same) return `${label}: ${own} instead of ${text}`;
  }
  if (problems.length > 0) return undefined;
  const back = asTexts(normalize(encode(dynamicConfiguration, decodeLabels(labels).configuration)));
  return firstDifference(back, asTexts(normalize(encode(dynamicConfiguration, configuration))));
}

/** Plugin options come back as texts. */
const asTexts = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, item) => (typeof item === 'object' ? item : String(item)));
