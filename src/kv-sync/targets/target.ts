import type { FoldNote } from '../../config/fold.ts';
import type { RuntimeConfiguration } from '../../config/runtime.ts';
import type { Entries, Plan } from '../plan.ts';

/** Somewhere that configuration is published: the edge, a store. */
export interface Target {
  /** As `--to` names it. */
  readonly name: string;
  /** Called before all else when plans will be carried out: signs on, takes a lock. */
  prepare(): Promise<void>;
  /** What the configuration means there, and what of it cannot be said there. */
  translate(runtime: RuntimeConfiguration): Promise<{ readonly entries: Entries; readonly notes: readonly FoldNote[] }>;
  /** What is there now. */
  read(): Promise<Entries>;
  /** One object for people. */
  meaning(key: string, value: unknown): string;
  /** Carries the plan out; gives what there is to tell. Only this changes anything. */
  apply(plan: Plan): Promise<readonly string[]>;
}
