/** What is known of the path of one request or connection; JSON as it stands. */
export interface Explained {
  readonly asked: string;
  readonly entryPoints: readonly ExplainedEntryPoint[];
}

export interface ExplainedEntryPoint {
  readonly entryPoint: string;
  readonly address: string | undefined;
  /** The entry point answers by itself: a status and why. */
  readonly refusal?: string;
  /** Root routers first, then those below the one that took it. */
  readonly levels: readonly Level[];
  /** The router that takes it in the end. */
  readonly router: string | undefined;
  readonly chain: readonly ChainStep[];
  /** Where the chain runs, and why. */
  readonly place: string | undefined;
  readonly service: ExplainedService | undefined;
}

export interface Level {
  readonly parent: string | undefined;
  readonly candidates: readonly CandidateRouter[];
  /** Routers that rules of other hosts left out of `candidates`. */
  readonly others: number;
}

export interface CandidateRouter {
  readonly router: string;
  readonly rule: string;
  readonly priority: string;
  /** `taken`; `later`: it would match too; `no`; `disabled`: it would match. */
  readonly verdict: 'taken' | 'later' | 'no' | 'disabled';
  /** The conditions that failed, or why it is disabled. */
  readonly reasons: readonly string[];
}

export interface ChainStep {
  readonly name: string;
  readonly kind: string;
  /** Whose middleware it is. */
  readonly of: string;
  /** True, or why it cannot run at the edge. */
  readonly edge: true | string;
}

export interface ExplainedService {
  readonly name: string;
  readonly kind: string;
  readonly problem?: string;
  readonly servers: readonly string[];
  readonly children: readonly ExplainedService[];
}
