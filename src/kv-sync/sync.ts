import { describe } from '../base/errors.ts';
import { createPlan, formatPlan } from './plan.ts';
import type { SourceMessage } from './sources/read.ts';
import type { Target } from './targets/target.ts';

export interface SyncOptions {
  readonly source: AsyncIterable<SourceMessage>;
  readonly target: Target;
  readonly apply: boolean;
  readonly prune: boolean;
  /** What is sound is applied though something else is not: while files are watched, what was sound before stays in force. */
  readonly keepGoing: boolean;
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** Source → prove → plan → apply, for every message of the source. False when the last one had a problem or could not be applied. */
export async function sync({ source, target, apply, prune, keepGoing, say, complain }: SyncOptions): Promise<boolean> {
  let isWell = true;
  for await (const { runtime, problems } of source) {
    for (const problem of problems) complain(describe(problem));
    isWell = problems.length === 0;
    try {
      if (apply) await target.prepare();
      const { entries, notes } = await target.translate(runtime);
      for (const { object, message } of notes) complain(`${object}: not published: ${message}`);
      const plan = createPlan(await target.read(), entries, { prune });
      say(formatPlan(plan, target.meaning));
      if (!apply || plan.steps.length === 0) continue;
      if (!isWell && !keepGoing) {
        complain('Nothing was applied because of the problems above; mend them, or give --keep-going to apply the rest');
        continue;
      }
      for (const line of await target.apply(plan)) say(`${line}\n`);
    } catch (error) {
      complain(describe(error));
      isWell = false;
    }
  }
  return isWell;
}
