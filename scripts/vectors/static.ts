import { isAbsolute, join, normalize } from 'node:path/posix';
import { encode } from '../../src/base/encode.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { staticConfiguration } from '../../src/config/static.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import { type Case, firstDifference, type Outcome, runCases, withoutZeros } from './cases.ts';

interface Input {
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** Our codes for those of the vectors. */
const CODES: Record<string, readonly ErrorCode[]> = {
  'not-a-number': ['config.bad-value'],
  'not-a-boolean': ['config.bad-value'],
  'not-a-duration': ['config.bad-value'],
  'unknown-field': ['config.unknown-option'],
  'not-standalone': ['config.bad-value'],
  'flag-without-value': ['config.syntax'],
  'bad-flag-syntax': ['config.syntax'],
  'command-not-found': ['config.syntax'],
  'unsupported-extension': ['config.syntax'],
  'yaml-syntax': ['config.syntax'],
  'toml-syntax': ['config.syntax'],
  'empty-file': ['config.missing'],
  'removed-option': ['config.removed'],
  validation: ['config.bad-value', 'config.conflict', 'config.missing'],
};

/** Runs the vectors of the topic `static`. */
export async function run(folder: string): Promise<Outcome> {
  return runCases<Input>(folder, judge);
}

function judge({ input, expected, anyOf, error, log = [] }: Case<Input>): string | undefined {
  const place = '/start';
  const fill = (text: string): string => text.replaceAll('$DIR', place);
  const files = new Map(Object.entries(input.files ?? {}).map(([path, text]) => [join(place, path), text]));
  const { configuration, problems, warnings } = loadStatic({
    arguments: (input.arguments ?? []).map(fill),
    environment: {
      HOME: `${place}/home`,
      ...Object.fromEntries(Object.entries(input.environment ?? {}).map(([name, text]) => [name, fill(text)])),
    },
    readFile: (path) => files.get(isAbsolute(path) ? normalize(path) : join(place, path)),
  });
  if (error !== undefined) {
    if (configuration !== undefined) return `accepted, instead of ${error.code}`;
    const codes = CODES[error.code] ?? [];
    return problems.some(({ code }) => codes.includes(code))
      ? undefined
      : `${problems.map(({ code }) => code).join(', ')} instead of ${error.code}`;
  }
  if (configuration === undefined) return `refused: ${problems.map((problem) => problem.message).join('; ')}`;
  if (log.some(({ code }) => code === 'deprecated') && !warnings.some(({ code }) => code === 'config.removed'))
    return 'no warning of a deprecated option';
  const { edge: _ours, ...ours } = withoutZeros(encode(staticConfiguration, configuration)) as Record<string, unknown>;
  const differences = (anyOf ?? [expected]).map((one) => firstDifference(ours, withoutZeros(one)));
  return differences.includes(undefined) ? undefined : differences[0];
}
