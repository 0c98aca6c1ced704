import { type Constraint, hostKey, httpConstraints, tcpConstraints } from '../config/rule/constraint.ts';
import { wildcardRest } from '../config/rule/host-expression.ts';
import type { IndexedView, RoutingView } from '../config/rule/routing-view.ts';
import { type CompiledRule, compileHttpRule, compileTcpRule, type RuleSyntax, ruleSyntax } from '../config/rule/rule.ts';
import type { TcpView } from '../config/rule/tcp-matchers.ts';
import { createCompactHostsBuilder } from './compact-hosts-builder.ts';
import { changeHostTable, changeOf, createHostTable, entriesOf, type HostTable, matchHosts } from './host-table.ts';
import { changeLayeredMap, createLayeredMap, drain, type LayeredMap, layeredEntries } from './layered-map.ts';
import { createNameIndex, type NameIndex } from './name-index.ts';
import type { BucketChange } from './route-bucket.ts';
import { isBefore, Route, type RouteEntry } from './route-list.ts';

export type { RouteEntry };

/**
 * The routers of an entry point, found as a linear scan in Traefik's order would: priority, provider, name. Never changes; a
 * changed table shares with the one before what is the same. Names must be unique.
 */
export interface RouteTable<Entry extends RouteEntry, View> {
  readonly size: number;
  /** Routers whose rules cannot be parsed; they take nothing. */
  readonly broken: readonly { readonly entry: Entry; readonly error: Error }[];
  /** The router that takes the request. */
  match(view: View): Entry | undefined;
  /** All routers that the index could not rule out by their host (`all`: really all), in order. */
  explain(view: View, options?: { all?: boolean }): Explanation<Entry>[];
  /** The table with the changes; an added router replaces the one of its name. */
  update(change: RouteChange<Entry>): RouteTable<Entry, View>;
  /** The same in slices: yields after at most some hundred microseconds of work. */
  updateInSlices(change: RouteChange<Entry>): Generator<void, RouteTable<Entry, View>>;
}

export interface RouteChange<Entry> {
  /** Names. */
  readonly removed?: Iterable<string>;
  readonly added?: Iterable<Entry>;
}

export interface Explanation<Entry> {
  readonly entry: Entry;
  readonly matches: boolean;
  /** The conditions that failed, as they stand in the rule; empty when it matches. */
  readonly failures: readonly string[];
}

export const createRouteTable = <Entry extends RouteEntry>(routers: Iterable<Entry>): RouteTable<Entry, RoutingView> =>
  drain(buildRouteTable(routers));

/** The same in slices. */
export const buildRouteTable = <Entry extends RouteEntry>(routers: Iterable<Entry>): Generator<void, RouteTable<Entry, RoutingView>> =>
  build<Entry, RoutingView>({ constraints: httpConstraints, compile: compileHttpRule }, routers);

export const createTcpRouteTable = <Entry extends RouteEntry>(routers: Iterable<Entry>): RouteTable<Entry, TcpView> =>
  drain(build<Entry, TcpView>({ constraints: tcpConstraints, compile: compileTcpRule }, routers));

interface Language<View> {
  readonly constraints: (rule: string, syntax: RuleSyntax) => readonly Constraint[];
  readonly compile: (rule: string, syntax: RuleSyntax) => CompiledRule<View>;
}

interface State<Entry extends RouteEntry, View> {
  readonly language: Language<View>;
  /** As they were when all was packed; the index is made when a table is changed for the first time. */
  readonly names: () => Generator<void, NameIndex<Entry>>;
  /** Those that changed since; REMOVED for a removed one. */
  readonly changedNames: LayeredMap<string, Entry | typeof REMOVED>;
  readonly size: number;
  readonly broken: ReadonlyMap<string, { readonly entry: Entry; readonly error: Error }>;
  /** By the kind of the host's constraint: literal hosts, what follows the `*`, and under the empty host what has none. */
  readonly hosts: Readonly<Record<Constraint['hostKind'], HostTable<Entry, View>>>;
}

const REMOVED = Symbol('the router was removed');

function tableOf<Entry extends RouteEntry, View extends IndexedView>(state: State<Entry, View>): RouteTable<Entry, View> {
  const { exact, wildcard, any } = state.hosts;

  const packedOnly = exact.apart.size === 0;
  const highestOther = Math.max(wildcard.ceiling, any.ceiling);

  function match(view: View): Entry | undefined {
    const { host, flattenedHost } = view;
    const trust = host !== '' && !host.endsWith('.') && !flattenedHost.endsWith('.');
    const key = hostKey(host);
    if (!packedOnly || flattenedHost !== '') return matchAll(key, view, trust);
    // Most requests end here, having touched nothing but the packed hosts.
    const entry = exact.compact.find(key, 0, view, trust);
    return entry !== undefined && exact.compact.foundPriority() > highestOther ? entry : matchOthers(key, view, trust, entry);
  }

  function matchAll(key: string, view: View, trust: boolean): Entry | undefined {
    const best = matchHosts(exact, key, 0, view, trust, undefined);
    if (view.flattenedHost === '') return matchOthers(key, view, trust, best);
    const flattened = hostKey(view.flattenedHost.toLowerCase());
    return matchOthers(key, view, trust, matchWildcard(flattened, view, trust, matchHosts(exact, flattened, 0, view, trust, best)));
  }

  const matchOthers = (key: string, view: View, trust: boolean, best: Entry | undefined): Entry | undefined =>
    matchOpen(view, trust, matchWildcard(key, view, trust, best));

  function matchWildcard(key: string, view: View, trust: boolean, best: Entry | undefined): Entry | undefined {
    if (isAbove(best, wildcard.ceiling)) return best;
    const dot = key.indexOf('.');
    return matchHosts(wildcard, key, dot === -1 ? key.length : dot, view, trust, best);
  }

  const matchOpen = (view: View, trust: boolean, best: Entry | undefined): Entry | undefined =>
    isAbove(best, any.ceiling) ? best : matchHosts(any, '', 0, view, trust, best);

  return {
    size: state.size,
    broken: [...state.broken.values()],
    match,
    explain: (view, { all = false } = {}) => explain(state, all ? [...everyEntry(state)] : entriesOfHost(state, view), view),
    update: (change) => drain(updateSteps(state, change)),
    updateInSlices: (change) => updateSteps(state, change),
  };
}

/** Nobody below the ceiling is asked before it. With nobody there the ceiling is −∞. */
const isAbove = (best: RouteEntry | undefined, ceiling: number): boolean =>
  best === undefined ? ceiling === Number.NEGATIVE_INFINITY : best.priority > ceiling;

function* everyEntry<Entry extends RouteEntry, View>({ names, changedNames }: State<Entry, View>): Generator<Entry> {
  for (const entry of drain(names()).entries) if (changedNames.get(entry.name) === undefined) yield entry;
  for (const [, entry] of layeredEntries(changedNames)) if (entry !== REMOVED) yield entry;
}

function entriesOfHost<Entry extends RouteEntry, View extends IndexedView>({ hosts }: State<Entry, View>, view: View): Entry[] {
  const entries = new Set(entriesOf(hosts.any, ''));
  for (const host of view.flattenedHost === '' ? [view.host] : [view.host, view.flattenedHost.toLowerCase()]) {
    const key = hostKey(host);
    for (const entry of entriesOf(hosts.exact, key)) entries.add(entry);
    for (const entry of entriesOf(hosts.wildcard, wildcardRest(key))) entries.add(entry);
  }
  return [...entries];
}

function explain<Entry extends RouteEntry, View>({ language }: State<Entry, View>, entries: Entry[], view: View): Explanation<Entry>[] {
  entries.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  return entries.map((entry) => {
    const failures = failuresOf(language, entry, view);
    return { entry, matches: failures.length === 0, failures };
  });
}

function failuresOf<Entry extends RouteEntry, View>(language: Language<View>, entry: Entry, view: View): string[] {
  try {
    return language.compile(entry.rule, ruleSyntax(entry.ruleSyntax)).failures(view);
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Routers read between two yields. */
const SLICE = 32;

function* build<Entry extends RouteEntry, View extends IndexedView>(
  language: Language<View>,
  routers: Iterable<Entry>,
): Generator<void, RouteTable<Entry, View>> {
  const createRoute = (entry: Entry): Route<Entry, View> => new Route<Entry, View>(entry, language.compile);
  const entries: Entry[] = [];
  const broken = new Map<string, { entry: Entry; error: Error }>();
  const builders = byKind(() => createCompactHostsBuilder(createRoute));
  const changes = createChanges<Entry, View>();
  let count = 0;
  for (const entry of routers) {
    const constraints = constraintsOf(language, entry);
    if (constraints instanceof Error) broken.set(entry.name, { entry, error: constraints });
    else {
      entries.push(entry);
      for (const constraint of constraints) {
        const { hostKind } = constraint;
        if (builders[hostKind].add(entry, constraint)) continue;
        changeOf(changes[hostKind], constraint).added.push({ route: createRoute(entry), constraint });
      }
    }
    if (++count % SLICE === 0) yield;
  }
  const hosts = {
    exact: yield* createHostTable(builders.exact, changes.exact, createRoute),
    wildcard: yield* createHostTable(builders.wildcard, changes.wildcard, createRoute),
    any: yield* createHostTable(builders.any, changes.any, createRoute),
  };
  return tableOf({ language, names: indexLater(entries), changedNames: createLayeredMap(new Map()), size: entries.length, broken, hosts });
}

type Changes<Entry extends RouteEntry, View> = Record<Constraint['hostKind'], Map<string, BucketChange<Entry, View>>>;

const byKind = <T>(make: () => T): Record<Constraint['hostKind'], T> => ({ any: make(), exact: make(), wildcard: make() });
const createChanges = <Entry extends RouteEntry, View>(): Changes<Entry, View> => byKind(() => new Map());

function indexLater<Entry extends RouteEntry>(entries: readonly Entry[]): () => Generator<void, NameIndex<Entry>> {
  let made: NameIndex<Entry> | undefined;
  return function* () {
    return (made ??= yield* createNameIndex(entries));
  };
}

function* updateSteps<Entry extends RouteEntry, View extends IndexedView>(
  state: State<Entry, View>,
  { removed = [], added = [] }: RouteChange<Entry>,
): Generator<void, RouteTable<Entry, View>> {
  const { language } = state;
  if (state.size === 0 && state.broken.size === 0) return yield* build(language, added);
  const createRoute = (entry: Entry): Route<Entry, View> => new Route<Entry, View>(entry, language.compile);
  const index = yield* state.names();
  const names = new Map<string, Entry | typeof REMOVED>();
  const broken = new Map(state.broken);
  const changes = createChanges<Entry, View>();
  let { size } = state;
  let count = 0;

  const take = (name: string): void => {
    broken.delete(name);
    const entry = names.get(name) ?? state.changedNames.get(name) ?? index.get(name);
    if (entry === undefined || entry === REMOVED) return;
    noteRemoval(changes, entry, constraintsOf(language, entry));
    names.set(name, REMOVED);
    size--;
  };

  for (const name of removed) {
    take(name);
    if (++count % SLICE === 0) yield;
  }
  for (const entry of added) {
    take(entry.name);
    const constraints = constraintsOf(language, entry);
    if (constraints instanceof Error) broken.set(entry.name, { entry, error: constraints });
    else {
      const route = createRoute(entry);
      for (const constraint of constraints) changeOf(changes[constraint.hostKind], constraint).added.push({ route, constraint });
      names.set(entry.name, entry);
      size++;
    }
    if (++count % SLICE === 0) yield;
  }
  const hosts = {
    exact: yield* changeHostTable(state.hosts.exact, changes.exact, createRoute),
    wildcard: yield* changeHostTable(state.hosts.wildcard, changes.wildcard, createRoute),
    any: yield* changeHostTable(state.hosts.any, changes.any, createRoute),
  };
  const changedNames = yield* changeLayeredMap(state.changedNames, names);
  return yield* settle({ ...state, size, broken, changedNames, hosts });
}

function noteRemoval<Entry extends RouteEntry, View>(
  changes: Changes<Entry, View>,
  entry: Entry,
  constraints: readonly Constraint[] | Error,
): void {
  if (constraints instanceof Error) return;
  for (const constraint of constraints) {
    const change = changeOf(changes[constraint.hostKind], constraint);
    // It may have come with the same change.
    const pending = change.added.findIndex(({ route }) => route.entry === entry);
    if (pending !== -1) change.added.splice(pending, 1);
    else change.removed.push({ entry, constraint });
  }
}

function constraintsOf<View>(language: Language<View>, { rule, ruleSyntax: syntax }: RouteEntry): readonly Constraint[] | Error {
  try {
    return language.constraints(rule, ruleSyntax(syntax));
  } catch (error) {
    return error as Error;
  }
}

/** When so many changed since the last time, everything is packed anew: a quarter, and enough to be worth it. */
const MIN_LOOSE = 4096;

function* settle<Entry extends RouteEntry, View extends IndexedView>(state: State<Entry, View>): Generator<void, RouteTable<Entry, View>> {
  const isSettled = (changed: number, all: number): boolean => changed <= Math.max(MIN_LOOSE, all / 4);
  const tables = Object.values(state.hosts);
  const settled =
    isSettled(state.changedNames.size, state.size) &&
    tables.every(({ apart, settled, compact }) => isSettled(apart.size - settled, compact.hosts + settled));
  return settled ? tableOf(state) : yield* build(state.language, everyEntry(state));
}
