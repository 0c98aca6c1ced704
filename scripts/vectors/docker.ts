import { decode } from '../../src/base/decode.ts';
import { encode } from '../../src/base/encode.ts';
import { ConfigError } from '../../src/base/errors.ts';
import { dynamicConfiguration } from '../../src/config/dynamic.ts';
import { docker as dockerOptions } from '../../src/config/static/docker.ts';
import { buildDockerConfiguration } from '../../src/providers/docker.ts';
import type { BuiltConfiguration } from '../../src/providers/docker-configuration.ts';
import { type Case, firstDifference, type Outcome, runCases, withoutZeros } from './cases.ts';

interface DockerInput {
  readonly options?: Record<string, unknown>;
  readonly list: readonly { readonly Id: string }[];
  readonly inspect: Readonly<Record<string, unknown>>;
}

/** Feeds the answers of a fake engine to the provider: those of the list, and others for networks that are lent. */
export async function run(folder: string): Promise<Outcome> {
  return runCases<DockerInput>(folder, (one) =>
    judge(one, ({ options, list, inspect }) => {
      const answers = list.flatMap(({ Id }) => inspect[Id] ?? []);
      return buildDockerConfiguration(decode(dockerOptions, options ?? {}).value!, answers, (idOrName) => inspect[idOrName]);
    }),
  );
}

/** Compares with what Traefik answered; where it logged an error, we must tell the operator something too. */
export function judge<Input>(
  one: Case<Input> & { readonly internal?: Readonly<Record<string, unknown>> },
  build: (input: Input) => BuiltConfiguration,
): string | undefined {
  let built: BuiltConfiguration;
  try {
    built = build(one.input);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return one.error === undefined ? `refused: ${error.message}` : undefined;
  }
  if (one.error !== undefined) return `not refused, where Traefik says ${one.error.code}`;
  const actual = withoutZeros({ http: {}, tcp: {}, udp: {}, tls: {}, ...(encode(dynamicConfiguration, built.configuration) as object) });
  const accepted = one.anyOf === undefined ? [one.expected] : one.anyOf.map((answer) => (answer as { expected: unknown }).expected);
  const differences = accepted.map((expected) => firstDifference(actual, withoutZeros(withInternal(expected, one.internal))));
  if (!differences.includes(undefined)) return differences[0];
  const errors = (one.log ?? []).filter((line) => (line as { level?: string }).level === 'error');
  return errors.length > 0 && built.problems.length === 0 ? `nothing is told, where Traefik logs ${errors[0]!.code}` : undefined;
}

/** Fields that Traefik keeps out of its JSON, `http.routers.web.defaultRule`, put where they belong. */
function withInternal(expected: unknown, internal: Readonly<Record<string, unknown>> = {}): unknown {
  const result = structuredClone(expected) as Record<string, unknown>;
  for (const [path, value] of Object.entries(internal)) {
    const keys = path.replace(/\[(\d+)\]/g, '.$1').split('.');
    const parent = keys.slice(0, -1).reduce((object, key) => object[key] as Record<string, unknown>, result);
    parent[keys.at(-1)!] = value;
  }
  return result;
}
