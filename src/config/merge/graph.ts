import type { Slot } from './registry.ts';
import { NONE } from './verdict.ts';

/** Errors of objects that refer to each other; circles and abysses end in an error instead of a crash. */
export interface Graph<S extends Slot> {
  /** What is wrong with the object itself or with what it refers to; empty when it works. */
  readonly errorsOf: (slot: S) => readonly string[];
  /** The same as sentences for what refers to it; an object that does not exist is an error here. */
  readonly errorsOfUse: (name: string) => readonly string[];
}

export interface GraphOptions<S extends Slot> {
  /** `service`, as sentences say it. */
  readonly noun: string;
  readonly slots: ReadonlyMap<string, S>;
  /** What is wrong with an object that its provider did not refuse; `use` tells of those that it refers to. */
  readonly judge: (slot: S, use: (name: string) => readonly string[]) => readonly string[];
  /** What to say of a name that does not exist. */
  readonly missing: (name: string) => string;
}

/** As deep as objects may refer to objects. */
const MAX_DEPTH = 100;
/** An object that refers to a broken one names so many of its errors. */
const MAX_CAUSES = 3;
const NAMED = /^The \w+ '[^']*@/;

/** A graph holds for one merge; slots forget their errors before the next. */
export function createGraph<S extends Slot>({ noun, slots, judge, missing }: GraphOptions<S>): Graph<S> {
  const path: string[] = [];

  function errorsOf(slot: S): readonly string[] {
    if (slot.errors !== undefined) return slot.errors;
    const { key } = slot;
    if (path.includes(key)) return [`The ${noun} '${key}' contains itself: ${[...path.slice(path.indexOf(key)), key].join(' → ')}`];
    if (path.length >= MAX_DEPTH) return [`The ${noun} '${key}' stands more than ${MAX_DEPTH} deep within others`];
    path.push(key);
    const errors = slot.rejected ?? judge(slot, errorsOfUse);
    path.pop();
    slot.errors = errors.length < 2 ? errors : [...new Set(errors)];
    return slot.errors;
  }

  function errorsOfUse(name: string): readonly string[] {
    const slot = slots.get(name);
    if (slot === undefined) return [missing(name)];
    const errors = errorsOf(slot);
    if (errors.length === 0) return NONE;
    // What is broken further down has said so itself.
    return errors.slice(0, MAX_CAUSES).map((error) => (NAMED.test(error) ? error : `The ${noun} '${name}' is broken: ${error}`));
  }

  return { errorsOf, errorsOfUse };
}
