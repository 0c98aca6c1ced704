export type ProblemCode = 'unknown-option' | 'bad-value' | 'missing' | 'empty-object';
export type WarningCode = 'deprecated' | 'ignored' | 'passed-over' | 'odd-value';

/** What is wrong with one node. `path` has the keys as they were written. */
export interface Problem<C extends string = ProblemCode> {
  readonly code: C;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * `document`: YAML, TOML, JSON. `labels`: label trees. `keys`: trees out of flat store keys, flags and variables. `machine`: what
 * `encode` or an API wrote, where objects may be empty and internal options are read too.
 * Everywhere scalars may be written as text, lists of scalars as one text with commas, and option names in any letter case.
 */
export type Dialect = 'document' | 'labels' | 'keys' | 'machine';

export const FAILED = Symbol('failed');

/** Where the reader stands. Problems are collected, nothing is thrown. */
export interface Reading {
  readonly dialect: Dialect;
  readonly problems: Problem[];
  readonly warnings: Problem<WarningCode>[];
  readonly path: (string | number)[];
  /** Above 0 the value is switched off or passed over: only names and shapes are looked at, as Traefik does. */
  passing: number;
}

export function fail(reading: Reading, code: ProblemCode, message: string): typeof FAILED {
  reading.problems.push({ code, path: [...reading.path], message });
  return FAILED;
}

export function warn(reading: Reading, code: WarningCode, message: string): void {
  if (reading.passing === 0) reading.warnings.push({ code, path: [...reading.path], message });
}
