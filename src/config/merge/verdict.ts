import type { ObjectStatus, RuntimeObject } from '../runtime.ts';

export const NONE: readonly string[] = Object.freeze([]);

/** What is known of an object while a merge goes on, and what the last merge made of it. */
export interface Verdict {
  critical: readonly string[];
  warnings: readonly string[];
  usedBy: string[] | undefined;
  last: RuntimeObject<unknown> | undefined;
}

export function addCritical(verdict: Verdict, message: string): void {
  if (!verdict.critical.includes(message)) verdict.critical = [...verdict.critical, message];
}

export function addWarning(verdict: Verdict, message: string): void {
  if (!verdict.warnings.includes(message)) verdict.warnings = [...verdict.warnings, message];
}

export function addUser(verdict: Verdict, router: string): void {
  if (verdict.usedBy === undefined) verdict.usedBy = [router];
  else if (verdict.usedBy.at(-1) !== router) verdict.usedBy.push(router);
}

const same = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((item, index) => item === b[index]));

/** The finished object; that of the last merge when nothing about it changed. */
export function finish<T>(
  verdict: Verdict,
  name: string,
  provider: string,
  config: T,
  using: readonly string[] | undefined,
  written: unknown,
): RuntimeObject<T> {
  const { critical, warnings, last } = verdict;
  const usedBy = verdict.usedBy?.sort();
  const status: ObjectStatus = critical.length > 0 ? 'disabled' : warnings.length > 0 ? 'warning' : 'enabled';
  const errors = critical.length === 0 ? warnings : warnings.length === 0 ? critical : [...critical, ...warnings];
  if (
    last !== undefined &&
    last.config === config &&
    last.written === written &&
    last.status === status &&
    same(last.errors, errors) &&
    same(last.using, using) &&
    same(last.usedBy, usedBy)
  )
    return last as RuntimeObject<T>;
  const object: RuntimeObject<T> = {
    name,
    provider,
    status,
    errors,
    ...(using && { using }),
    ...(usedBy && { usedBy }),
    config,
    ...(written !== undefined && { written }),
  };
  verdict.last = object;
  return object;
}
