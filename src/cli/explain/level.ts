import { providerOf, providerRank } from '../../config/names.ts';
import type { RuntimeObject } from '../../config/runtime.ts';
import type { RouteEntry, RouteTable } from '../../proxy/route-table.ts';
import type { CandidateRouter, Level } from './model.ts';

interface RouterOptions {
  readonly rule?: string | undefined;
  readonly ruleSyntax?: string | undefined;
  readonly priority: number | bigint;
}

/** What asking one table comes down to; HTTP and TCP differ in `createTable` and `wouldMatch` alone. */
export interface LevelQuestion<Options extends RouterOptions, View> {
  readonly parent: string | undefined;
  readonly members: readonly (readonly [name: string, router: RuntimeObject<Options>])[];
  readonly view: View;
  readonly precedence: readonly string[] | undefined;
  /** Really all routers, not only those that hosts leave. */
  readonly all: boolean;
  readonly createTable: (entries: RouteEntry[]) => RouteTable<RouteEntry, View>;
  /** Whether a disabled router would take it; false for a rule that cannot be read. */
  readonly wouldMatch: (config: Options) => boolean;
}

/** Who takes it among routers that stand side by side, and why each other one does not. */
export function explainLevel<Options extends RouterOptions, View>(question: LevelQuestion<Options, View>): Level {
  const { parent, members, view, precedence, all, createTable } = question;
  const live = members.filter(([, { status }]) => status !== 'disabled');
  const table = createTable(
    live.map(([name, { config }]) => ({
      name,
      rule: config.rule ?? '',
      ruleSyntax: config.ruleSyntax,
      priority: config.priority as never,
      providerRank: providerRank(providerOf(name), precedence),
    })),
  );
  let isTaken = false;
  const candidates = table.explain(view, { all }).map(({ entry, matches, failures }): CandidateRouter => {
    const verdict = !matches ? 'no' : isTaken ? 'later' : 'taken';
    isTaken ||= matches;
    return { router: entry.name, rule: entry.rule, priority: String(entry.priority), verdict, reasons: failures };
  });
  const disabled = members
    .filter(([, { status, config }]) => status === 'disabled' && matchesDisabled(question, config))
    .map(
      ([name, { config, errors }]): CandidateRouter => ({
        router: name,
        rule: config.rule ?? '',
        priority: String(config.priority),
        verdict: 'disabled',
        reasons: errors,
      }),
    );
  return { parent, candidates: [...candidates, ...disabled], others: live.length - candidates.length };
}

function matchesDisabled<Options extends RouterOptions, View>({ wouldMatch }: LevelQuestion<Options, View>, config: Options): boolean {
  try {
    return wouldMatch(config);
  } catch {
    return false;
  }
}
