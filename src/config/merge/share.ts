import type { DynamicConfiguration } from '../dynamic.ts';

type Objects = Record<string, unknown>;

/**
 * `next`, with every object that is the same as in `before` replaced by the one of `before`: what follows can then tell by
 * reference what did not change.
 */
export function shareObjects(before: DynamicConfiguration | undefined, next: DynamicConfiguration): DynamicConfiguration {
  if (before === undefined || before === next) return next;
  const result: Objects = {};
  for (const [section, kinds] of Object.entries(next) as [string, Record<string, Objects> | undefined][]) {
    if (kinds === undefined) continue;
    const oldKinds = (before as Record<string, Record<string, Objects> | undefined>)[section] ?? {};
    result[section] = Object.fromEntries(Object.entries(kinds).map(([kind, objects]) => [kind, shareNamed(oldKinds[kind], objects)]));
  }
  return result as DynamicConfiguration;
}

function shareNamed(before: Objects | undefined, next: Objects | undefined): unknown {
  if (before === undefined || next === undefined) return next;
  if (Array.isArray(next)) return equal(before, next) ? before : next;
  const result: Objects = {};
  for (const name in next) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    const value = equal(old, next[name]) ? old : next[name];
    if (name === '__proto__') Object.defineProperty(result, name, { value, enumerable: true, writable: true, configurable: true });
    else result[name] = value;
  }
  return result;
}

/** Plain data, keys in any order; undefined is as good as absent. */
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equal(a[i], b[i])) return false;
    return true;
  }
  const left = a as Objects;
  const right = b as Objects;
  for (const key in left) if (!equal(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}
