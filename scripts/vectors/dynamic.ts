import { encode } from '../../src/base/encode.ts';
import { dynamicConfiguration } from '../../src/config/dynamic.ts';
import type { Loaded } from '../../src/config/load.ts';
import { type Case, firstDifference, withoutZeros } from './cases.ts';

/** Compares what was read with a case's answer: any problem is a refusal, except where Traefik logged an error and went on. */
export function judgeLoaded(
  loaded: Pick<Loaded, 'configuration' | 'problems'>,
  { expected, anyOf, error, log = [] }: Case<unknown>,
): string | undefined {
  const { problems } = loaded;
  if (error !== undefined) return problems.length > 0 ? undefined : `accepted, instead of ${error.code}`;
  const goesOn = (log as readonly { readonly level?: string }[]).some(({ level }) => level === 'error');
  if (problems.length > 0 && !goesOn) return `refused: ${problems.map((problem) => problem.message).join('; ')}`;
  const ours = normalize(encode(dynamicConfiguration, loaded.configuration));
  const differences = (anyOf ?? [expected]).map((one) => firstDifference(ours, normalize(one)));
  return differences.includes(undefined) ? undefined : differences[0];
}

/** Without zero values, our own words, and what is empty at the top. */
export function normalize(configuration: unknown): unknown {
  const result: Record<string, Record<string, unknown>> = {};
  for (const [section, kinds] of Object.entries(withoutZeros(configuration) as Record<string, Record<string, unknown>>)) {
    const kept = Object.entries(kinds).filter(([, objects]) => Object.keys(objects as object).length > 0);
    if (kept.length > 0) result[section] = Object.fromEntries(kept);
  }
  return result;
}
