import { TemplateError } from './error.ts';

/** Steps of one rendering: loop passes and calls. */
const MAX_STEPS = 1_000_000;
/** Characters that one rendering may make altogether; a list item counts as ITEM_SIZE. */
const MAX_SIZE = 64 * 1024 * 1024;
/** What an item of a list costs in memory, measured against a character. */
export const ITEM_SIZE = 8;

/** What one rendering may still cost; a template from outside must end in bounded time and memory. */
export interface Budget {
  step(offset: number): void;
  /** To be called before something of this size is made or looked at. */
  make(size: number): void;
}

/** The part of a budget that printing and comparing need: values may be shared, so that a small one prints without end. */
export type Meter = Pick<Budget, 'make'>;

export function createBudget(): Budget {
  let steps = 0;
  let size = 0;
  return {
    step(offset) {
      if (++steps > MAX_STEPS) throw new TemplateError(`The template takes more than ${MAX_STEPS} steps`, offset, true);
    },
    make(added) {
      size += added;
      if (size > MAX_SIZE) throw new TemplateError(`The template makes more than ${MAX_SIZE} characters`, undefined, true);
    },
  };
}
