import type { ObjectStatus, RuntimeObject } from '../runtime.ts';

export const NONE: readonly string[] = Object.freeze([]);

/** What is known of an object while a merge goes on, and what the last merge made of it. */
export interface Verdict {
  critical: readonly string[];
  warnings: readonly string[];
  usedBy: string[] | undefined;
  last: RuntimeObject<unknown> | undefined;
  /** Number of the merge that finished it last. */
  finished: number;
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

/** Collects the finished objects of a kind; `done` gives those of the last merge when they are the same. */
export interface Finisher<T> {
  finish(
    verdict: Verdict,
    key: string,
    name: string,
    provider: string,
    config: T,
    using: readonly string[] | undefined,
    written: unknown,
  ): void;
  has(key: string): boolean;
  done(): Readonly<Record<string, RuntimeObject<T>>>;
}

export function createFinisher<T>(): () => Finisher<T> {
  let before: Record<string, RuntimeObject<T>> = {};
  let countBefore = 0;
  let turn = 0;
  return () => {
    const result: Record<string, RuntimeObject<T>> = {};
    let count = 0;
    let changed = false;
    turn++;
    return {
      has: (key) => Object.hasOwn(result, key),
      finish(verdict, key, name, provider, config, using, written) {
        const object = finished(verdict, name, provider, config, using, written);
        if (object !== verdict.last || verdict.finished !== turn - 1) changed = true;
        verdict.last = object;
        verdict.finished = turn;
        result[key] = object;
        count++;
      },
      done() {
        if (changed || count !== countBefore) before = result;
        countBefore = count;
        return before;
      },
    };
  };
}

/** The finished object; that of the last merge when nothing about it changed. */
function finished<T>(
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
    last.name === name &&
    same(last.errors, errors) &&
    same(last.using, using) &&
    same(last.usedBy, usedBy)
  )
    return last as RuntimeObject<T>;
  return { name, provider, status, errors, using, usedBy, config, written };
}
