import type { ConfigError } from '../../base/errors.ts';
import type { FoldNote } from '../../config/fold.ts';
import type { Conflict, Entries, Plan } from '../plan.ts';
import type { SourceMessage } from '../sources/read.ts';

/** What the sources mean in a target. */
export interface Translation {
  readonly entries: Entries;
  /** What of them stays out, by intent. */
  readonly notes: readonly FoldNote[];
  /** What of them has no form there. */
  readonly problems?: readonly ConfigError[];
  /** Objects that something is wrong with: they stay as they are. */
  readonly held?: ReadonlySet<string>;
  /** Something could not be read, so nobody knows what left the sources: nothing is removed. */
  readonly isPartial?: boolean;
}

export interface TargetState {
  readonly entries: Entries;
  /** Objects that somebody else has changed: they stay as they are. */
  readonly conflicts?: readonly Conflict[];
  /** What people should know and that keeps nothing from being applied. */
  readonly notes?: readonly FoldNote[];
  /** An earlier run was interrupted: there is something to apply even if the plan is empty. */
  readonly isUnfinished?: boolean;
}

/** Somewhere that configuration is published: the edge, a store, a file. */
export interface Target {
  /** As `--to` names it. */
  readonly name: string;
  /** Called before all else when plans will be carried out: signs on. */
  prepare(): Promise<void>;
  /** What the configuration means there, and what of it cannot be said there. */
  translate(message: SourceMessage): Promise<Translation>;
  /**
   * What is there now; `desired` and `prune` tell which of it will be asked for. Of `doubted` objects nothing that was read before
   * is believed. The same reference when asked for the same and nothing changed.
   */
  read(desired: Entries, options: { readonly prune: boolean; readonly doubted?: readonly string[] }): Promise<TargetState>;
  /** One object for people. */
  meaning(key: string, value: unknown): string;
  /** The form in which fields of two versions are compared for people, without secrets. By default the object itself. */
  view?(key: string, value: unknown): unknown;
  /** Runs the work while nobody else may change the target. */
  exclusively?<T>(work: () => Promise<T>): Promise<T>;
  /** Carries the plan out; gives what there is to tell. Only this changes anything. */
  apply(plan: Plan): Promise<readonly string[]>;
  /** Yields when the target may have changed, for those who watch; throws when it cannot be asked. */
  changes?(signal: AbortSignal): AsyncIterable<void>;
}
