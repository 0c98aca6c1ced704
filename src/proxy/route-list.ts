import { flatten } from '../base/flat-string.ts';
import type { Constraint } from '../config/rule/constraint.ts';
import type { IndexedView } from '../config/rule/routing-view.ts';
import { type RuleSyntax, ruleSyntax } from '../config/rule/rule.ts';

/** What the table wants to know of a router. */
export interface RouteEntry {
  /** Qualified: `blog@docker`. */
  readonly name: string;
  readonly rule: string;
  /** `v2`, or v3 for anything else. */
  readonly ruleSyntax?: string | undefined;
  /** The priority in force, computed where none is configured. */
  readonly priority: number | bigint;
  /** Of the provider, 0 first. */
  readonly providerRank: number;
}

/** Throws when the rule is wrong. */
export type Compile<View> = (rule: string, syntax: RuleSyntax) => { readonly test: (view: View) => boolean };

/** A router in the table. A class, as there may be a million of them. */
export class Route<Entry extends RouteEntry, View> {
  readonly entry: Entry;
  readonly #compile: Compile<View>;
  #test: ((view: View) => boolean) | undefined;

  constructor(entry: Entry, compile: Compile<View>) {
    this.entry = entry;
    this.#compile = compile;
  }

  /** Asks the whole rule, which is compiled when it is first asked. */
  test(view: View): boolean {
    this.#test ??= this.#build();
    return this.#test(view);
  }

  #build(): (view: View) => boolean {
    try {
      return this.#compile(this.entry.rule, ruleSyntax(this.entry.ruleSyntax)).test;
    } catch {
      // Such routers were taken out when the configuration was merged; here they only must not match.
      return () => false;
    }
  }
}

/**
 * A route under one of its constraints, and the next in order of those with the same host: what a match touches lies together, as
 * with many routers its time goes into fetching memory. Lists never change; changed ones are made anew.
 */
export class Candidate<Entry extends RouteEntry, View> {
  readonly large = false;
  readonly complete: boolean;
  readonly pathKind: Constraint['pathKind'];
  readonly path: string;
  readonly entry: Entry;
  readonly route: Route<Entry, View>;
  readonly next: Candidate<Entry, View> | undefined;

  constructor(route: Route<Entry, View>, { complete, pathKind, path }: Constraint, next: Candidate<Entry, View> | undefined) {
    this.complete = complete;
    this.pathKind = pathKind;
    this.path = flatten(path);
    this.entry = route.entry;
    this.route = route;
    this.next = next;
  }
}

/** A router under one of the constraints of its rule. */
export interface Placement<Entry extends RouteEntry> {
  readonly entry: Entry;
  readonly constraint: Constraint;
}

/** True when `a` is asked before `b`: higher priority, earlier provider, name. */
export function isBefore(a: RouteEntry, b: RouteEntry): boolean {
  if (a.priority > b.priority) return true;
  if (a.priority < b.priority) return false;
  if (a.providerRank !== b.providerRank) return a.providerRank < b.providerRank;
  return a.name < b.name;
}

/** A double that is not below the priority; comparing it costs less than comparing bigints. */
export function priorityCeiling(priority: number | bigint): number {
  if (typeof priority === 'number') return priority;
  return priority > 0n ? Number.POSITIVE_INFINITY : Number.MIN_SAFE_INTEGER;
}

/** The first of `best` and the list that matches. `trust`: what fits a complete constraint matches. */
export function matchList<Entry extends RouteEntry, View extends IndexedView>(
  list: Candidate<Entry, View> | undefined,
  view: View,
  trust: boolean,
  best: Entry | undefined,
): Entry | undefined {
  const { path } = view;
  for (let candidate = list; candidate !== undefined; candidate = candidate.next) {
    if (best !== undefined && !isBefore(candidate.entry, best)) return best;
    if (fitsPath(candidate, path) && ((trust && candidate.complete) || candidate.route.test(view))) return candidate.entry;
  }
  return best;
}

const fitsPath = ({ pathKind, path }: Pick<Candidate<never, never>, 'pathKind' | 'path'>, seen: string): boolean =>
  pathKind === 'any' || (pathKind === 'prefix' ? seen.startsWith(path) : seen === path);

export function* candidatesOf<Entry extends RouteEntry, View>(list: Candidate<Entry, View> | undefined): Generator<Candidate<Entry, View>> {
  for (let candidate = list; candidate !== undefined; candidate = candidate.next) yield candidate;
}

/** A route and one of its constraints, on their way into a bucket. */
export interface RoutePlacement<Entry extends RouteEntry, View> {
  readonly route: Route<Entry, View>;
  readonly constraint: Constraint;
}

/** The list with the changes, in order. */
export function changeList<Entry extends RouteEntry, View>(
  list: Candidate<Entry, View> | undefined,
  removed: readonly Placement<Entry>[],
  added: readonly RoutePlacement<Entry, View>[],
): Candidate<Entry, View> | undefined {
  const entries = new Set(removed.map(({ entry }) => entry));
  const all = added.map(({ route, constraint }) => new Candidate(route, constraint, undefined));
  for (const candidate of candidatesOf(list)) if (!entries.has(candidate.entry)) all.push(candidate);
  all.sort((a, b) => (isBefore(a.entry, b.entry) ? -1 : 1));
  return all.reduceRight<Candidate<Entry, View> | undefined>(linked, undefined);
}

function linked<Entry extends RouteEntry, View>(
  next: Candidate<Entry, View> | undefined,
  candidate: Candidate<Entry, View>,
): Candidate<Entry, View> {
  return candidate.next === next ? candidate : new Candidate(candidate.route, constraintOf(candidate), next);
}

export const constraintOf = ({
  pathKind,
  path,
  complete,
}: Pick<Candidate<never, never>, 'pathKind' | 'path' | 'complete'>): Constraint => ({
  hostKind: 'any',
  host: '',
  pathKind,
  path,
  complete,
});
