import { createBackoff } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { describe } from '../base/errors.ts';
import { createPlan, formatPlan, type Plan } from './plan.ts';
import { follow } from './rounds.ts';
import type { SourceMessage } from './sources/read.ts';
import type { Target, TargetState, Translation } from './targets/target.ts';

export interface SyncOptions {
  readonly source: AsyncIterable<SourceMessage>;
  readonly target: Target;
  readonly apply: boolean;
  readonly prune: boolean;
  /** Also when the sources say nothing at all, which is rather a file that could not be made. */
  readonly allowEmpty?: boolean;
  /** What is sound is applied though something else is not: while files are watched, what was sound before stays in force. */
  readonly keepGoing: boolean;
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
  /** Given when the source does not end: then the target is watched too, and what failed is tried again. */
  readonly watch?: { readonly clock: Clock; readonly signal: AbortSignal };
}

export interface SyncResult {
  /** False when something was wrong, in the end. */
  readonly isWell: boolean;
  /** Steps of the last plan that were not carried out. */
  readonly pending: number;
}

interface Proven {
  readonly translation: Translation;
  readonly state: TargetState;
  readonly plan: Plan;
}

/** Source → prove → plan → apply, for every message of the source. */
export async function sync({
  source,
  target,
  apply,
  prune,
  allowEmpty = false,
  keepGoing,
  say,
  complain,
  watch,
}: SyncOptions): Promise<SyncResult> {
  const once = createTeller(complain);

  async function prove(translation: Translation, before?: Proven): Promise<Proven> {
    const { entries, held, isPartial = false } = translation;
    const removes = prune && !isPartial && (allowEmpty || entries.size > 0);
    const doubted = before?.plan.steps.map(({ key }) => key);
    const state = await target.read(entries, { prune: removes, ...(doubted && { doubted }) });
    if (state === before?.state) return before;
    return { translation, state, plan: createPlan(state.entries, entries, { prune: removes, held, conflicts: state.conflicts }) };
  }

  /** `isRepeat`: nothing new was said by the source. */
  async function round(message: SourceMessage, isRepeat: boolean): Promise<SyncResult> {
    const complaints = [...message.warnings, ...message.problems].map(describe);
    if (apply) await target.prepare();
    const first = await prove(await target.translate(message));
    const { notes, problems = [], isPartial = false } = first.translation;
    const isSound = message.problems.length === 0 && problems.length === 0;
    complaints.push(...problems.map(describe));
    complaints.push(...notes.map(({ object, message }) => `${object}: ${message}`));
    complaints.push(...(first.state.notes ?? []).map(({ object, message }) => `${object} ${message}`));
    if (prune && isPartial) complaints.push('Nothing is removed, because not everything could be read');
    else if (prune && !allowEmpty && first.translation.entries.size === 0 && first.plan.kept.length > 0)
      complaints.push('Nothing is removed, because the sources are empty; --allow-empty removes all');
    once.tell(complaints);

    const result = ({ plan }: Proven, isApplied: boolean): SyncResult => ({
      isWell: isSound && plan.conflicts.length === 0,
      pending: isApplied ? 0 : plan.steps.length,
    });
    const isIdle = first.plan.steps.length === 0 && !first.state.isUnfinished;
    if (!apply || isIdle) {
      const text = formatPlan(first.plan, target);
      if (!isRepeat || !isIdle || first.plan.conflicts.length > 0) once.say(text, isRepeat, say);
      return result(first, false);
    }
    const exclusively = target.exclusively ?? ((work) => work());
    return exclusively(async () => {
      // Somebody else may have written while we waited for our turn.
      const now = target.exclusively === undefined ? first : await prove(first.translation, first);
      once.say(formatPlan(now.plan, target), false, say);
      if (!result(now, false).isWell && !keepGoing) {
        complain('Nothing was applied because of what is wrong above; mend it, or give --keep-going to apply the rest');
        return result(now, false);
      }
      if (now.plan.steps.length > 0 || now.state.isUnfinished) for (const line of await target.apply(now.plan)) say(`${line}\n`);
      return result(now, true);
    });
  }

  let last: SyncResult = { isWell: true, pending: 0 };
  const backoff = createBackoff({ limitMs: 5_000 });
  for await (const { message, isRepeat, again } of follow(
    source,
    watch && target.changes && ((signal) => target.changes!(signal)),
    watch,
  )) {
    try {
      last = await round(message, isRepeat);
      backoff.reset();
    } catch (error) {
      once.tell([describe(error)]);
      last = { isWell: false, pending: last.pending };
      if (watch !== undefined) void sleep(watch.clock, backoff.next(), watch.signal).then((isOver) => isOver && again());
    }
  }
  return last;
}

/** What was said last is not said again by itself. */
function createTeller(complain: (text: string) => void) {
  let complaints = '';
  let plan = '';
  return {
    tell(texts: readonly string[]): void {
      const all = texts.join('\n');
      if (all !== complaints) for (const text of texts) complain(text);
      complaints = all;
    },
    say(text: string, isRepeat: boolean, say: (text: string) => void): void {
      if (!isRepeat || text !== plan) say(text);
      plan = text;
    },
  };
}
