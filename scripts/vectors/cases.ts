import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Case<Input> {
  readonly name: string;
  readonly input: Input;
  readonly expected?: unknown;
  readonly anyOf?: readonly unknown[];
  readonly error?: { readonly code: string; readonly node?: string };
  readonly log?: readonly { readonly code: string }[];
}

export interface Outcome {
  readonly equal: number;
  /** `file: name` and what differs. */
  readonly different: string[];
  readonly listed: number;
}

/** Numbers beyond ±(2⁵³−1) become text, as `encode` writes them. */
const exact = (_key: string, value: unknown, context?: { source: string }): unknown =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? (context?.source ?? value) : value;

export function readCases<Input>(folder: string): { file: string; cases: Case<Input>[] }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((file) => ({ file, cases: JSON.parse(readFileSync(join(folder, file), 'utf8'), exact as never) as Case<Input>[] }));
}

/** Names of the intended differences: every line of `listed.txt` that does not begin with `#`. */
export function readListed(folder: string): Set<string> {
  try {
    const lines = readFileSync(join(folder, 'listed.txt'), 'utf8').split('\n');
    return new Set(lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#')));
  } catch {
    return new Set();
  }
}

/** Runs every case; `judge` says what differs, or undefined. A listed case that is equal counts as different: its row is out of date. */
export async function runCases<Input>(
  folder: string,
  judge: (one: Case<Input>) => string | undefined | Promise<string | undefined>,
): Promise<Outcome> {
  const listed = readListed(folder);
  const outcome = { equal: 0, different: [] as string[], listed: 0 };
  for (const { file, cases } of readCases<Input>(folder)) {
    for (const one of cases) {
      const name = `${file.replace(/\.json$/, '')}: ${one.name}`;
      const difference = await judge(one);
      if (listed.delete(name)) {
        if (difference === undefined) outcome.different.push(`${name}: is listed, but equal`);
        else outcome.listed++;
      } else if (difference === undefined) outcome.equal++;
      else outcome.different.push(`${name}: ${difference}`);
    }
  }
  for (const name of listed) outcome.different.push(`${name}: is listed, but no such case exists`);
  return outcome;
}

/** The first place where two values differ, keys in any order. */
export function firstDifference(actual: unknown, expected: unknown, path = ''): string | undefined {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    if (actual.length !== expected.length) return `${path}: ${show(actual)} instead of ${show(expected)}`;
    for (let i = 0; i < actual.length; i++) {
      const difference = firstDifference(actual[i], expected[i], `${path}[${i}]`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if (isObject(actual) && isObject(expected)) {
    for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
      const difference = firstDifference(actual[key], expected[key], path === '' ? key : `${path}.${key}`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return Object.is(actual, expected) ? undefined : `${path}: ${show(actual)} instead of ${show(expected)}`;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const show = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 300);

/** Without the keys that have the zero value: texts, numbers, switches, lists. Empty objects stay: they may switch something on. */
export function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (!isObject(value)) return value;
  const kept = Object.entries(value)
    .map(([key, child]) => [key, withoutZeros(child)] as const)
    .filter(
      ([, child]) =>
        child !== '' &&
        child !== 0 &&
        child !== false &&
        child !== '0s' &&
        child !== null &&
        child !== undefined &&
        !(Array.isArray(child) && child.length === 0),
    );
  return Object.fromEntries(kept);
}
