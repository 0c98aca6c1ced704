import { isSealed } from '../config/sealed.ts';
import { canonicalJson } from '../config/snapshot.ts';

/** Objects of a target by key, in the target's own form. */
export type Entries = ReadonlyMap<string, unknown>;

export interface PlanStep {
  readonly action: 'add' | 'change' | 'remove';
  readonly key: string;
  /** Undefined when it is new. */
  readonly before: unknown;
  /** Undefined when it goes. */
  readonly after: unknown;
}

/** What must be done to a target. Made without touching it. */
export interface Plan {
  /** By key. */
  readonly steps: readonly PlanStep[];
  /** All that will be there afterwards. */
  readonly result: Entries;
  /** Keys that left the source and stay, because nothing is pruned. */
  readonly kept: readonly string[];
  readonly conflicts: readonly Conflict[];
}

/** Somebody else has a hand in an object; it stays as it is. */
export interface Conflict {
  readonly key: string;
  readonly message: string;
}

export interface PlanOptions {
  readonly prune: boolean;
  /** Objects that stay as they are, whatever the source says. */
  readonly held?: ReadonlySet<string>;
  readonly conflicts?: readonly Conflict[];
}

export function createPlan(current: Entries, desired: Entries, { prune, held = new Set(), conflicts = [] }: PlanOptions): Plan {
  const steps: PlanStep[] = [];
  const kept: string[] = [];
  const result = new Map(desired);
  const untouched = new Set([...held, ...conflicts.map(({ key }) => key)]);
  for (const key of untouched) {
    const before = current.get(key);
    if (before === undefined) result.delete(key);
    else result.set(key, before);
  }
  for (const [key, after] of desired) {
    if (untouched.has(key)) continue;
    const before = current.get(key);
    if (before === undefined) steps.push({ action: 'add', key, before, after });
    else if (!isSame(before, after)) steps.push({ action: 'change', key, before, after });
  }
  for (const [key, before] of current) {
    if (desired.has(key) || untouched.has(key)) continue;
    if (prune) {
      steps.push({ action: 'remove', key, before, after: undefined });
    } else {
      kept.push(key);
      result.set(key, before);
    }
  }
  return { steps: steps.sort((a, b) => (a.key < b.key ? -1 : 1)), result, kept: kept.sort(), conflicts };
}

/** How objects of a target are shown. */
export interface PlanWords {
  readonly meaning: (key: string, value: unknown) => string;
  /** The form whose fields are compared. */
  readonly view?: (key: string, value: unknown) => unknown;
}

/** Flat records are most of what is compared, and need no text for it. */
function isSame(before: unknown, after: unknown): boolean {
  if (!isTree(before) || !isTree(after)) return canonicalJson(before) === canonicalJson(after);
  const names = Object.keys(before);
  if (names.length === Object.keys(after).length && names.every((name) => before[name] === after[name] && before[name] !== undefined))
    return true;
  return canonicalJson(before) === canonicalJson(after);
}

const SIGNS = { add: '+', change: '~', remove: '-' } as const;

/** The plan for people: a line an object, and below a changed one a line for every field that differs. */
export function formatPlan(plan: Plan, { meaning, view = (_, value) => value }: PlanWords): string {
  const lines: string[] = [];
  for (const { action, key, before, after } of plan.steps) {
    lines.push(`${SIGNS[action]} ${key}  ${meaning(key, after ?? before)}`.trimEnd());
    if (action !== 'change') continue;
    const changes = fieldChanges(view(key, before), view(key, after));
    for (const { path, old, now } of changes) lines.push(`    ${path}: ${old} → ${now}`);
    if (changes.length === 0) lines.push('    only its spelling, or a secret');
  }
  for (const { key, message } of plan.conflicts) lines.push(`! ${key}  ${message}`);
  const count = (action: PlanStep['action']): number => plan.steps.filter((step) => step.action === action).length;
  lines.push(
    plan.steps.length === 0 ? 'Nothing to do.' : `${count('add')} to add, ${count('change')} to change, ${count('remove')} to remove.`,
  );
  if (plan.conflicts.length > 0) lines.push(`${plan.conflicts.length} in conflict; --take-over makes them ours`);
  if (plan.kept.length > 0)
    lines.push(`${plan.kept.length} left the source and stay; --prune removes them: ${shorten(plan.kept.join(', '))}`);
  return `${lines.join('\n')}\n`;
}

interface FieldChange {
  readonly path: string;
  readonly old: string;
  readonly now: string;
}

/** Leaves that differ; lists are leaves. Secrets show as `***`. */
export function fieldChanges(before: unknown, after: unknown, path: readonly string[] = []): FieldChange[] {
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
  if (isTree(before) && isTree(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => fieldChanges(before[key], after[key], [...path, key]));
  }
  return [{ path: path.join('.'), old: show(before), now: show(after) }];
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return shorten(JSON.stringify(value, (_, item) => (isSealed(item) ? '***' : item)));
}

const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)} …` : text);
