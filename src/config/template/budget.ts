import { TemplateError } from './error.ts';

/** Steps of one rendering: loop passes and calls. */
const MAX_STEPS = 1_000_000;
/** Characters and list items that one rendering may make altogether. */
const MAX_SIZE = 64 * 1024 * 1024;

/** What one rendering may still cost; a template from outside must end in bounded time and memory. */
export interface Budget {
  step(offset: number): void;
  /** To be called before something of this size is made. */
  make(size: number): void;
}

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
