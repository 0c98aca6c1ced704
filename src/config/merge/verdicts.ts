import type { ObjectStatus, RuntimeObject } from '../runtime.ts';

/** What is known of an object while the merge goes on. */
export interface Verdict {
  readonly critical: string[];
  readonly warnings: string[];
  readonly usedBy: string[];
}

export const createVerdict = (critical: readonly string[] = [], warnings: readonly string[] = []): Verdict => ({
  critical: [...critical],
  warnings: [...warnings],
  usedBy: [],
});

export function addOnce(list: string[], message: string): void {
  if (!list.includes(message)) list.push(message);
}

const same = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((item, index) => item === b[index]));

const NONE: readonly string[] = Object.freeze([]);

/** The finished object; `before` itself when nothing about it changed. */
export function finish<T>(
  object: Omit<RuntimeObject<T>, 'status' | 'errors'>,
  verdict: Verdict,
  before: RuntimeObject<T> | undefined,
): RuntimeObject<T> {
  const { critical, warnings } = verdict;
  const status: ObjectStatus = critical.length > 0 ? 'disabled' : warnings.length > 0 ? 'warning' : 'enabled';
  const errors = status === 'enabled' ? NONE : [...critical, ...warnings];
  if (
    before !== undefined &&
    before.config === object.config &&
    before.written === object.written &&
    before.status === status &&
    same(before.errors, errors) &&
    same(before.using, object.using) &&
    same(before.usedBy, object.usedBy)
  )
    return before;
  return { ...object, status, errors };
}
