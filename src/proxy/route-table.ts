import { type Constraint, hostKey, httpConstraints, tcpConstraints } from '../config/rule/constraint.ts';
import { wildcardRest } from '../config/rule/host-expression.ts';
import type { IndexedView, RoutingView } from '../config/rule/routing-view.ts';
import { type CompiledRule, compileHttpRule, compileTcpRule, type RuleSyntax, ruleSyntax } from '../config/rule/rule.ts';
import type { TcpView } from '../config/rule/tcp-matchers.ts';
import { changeLayeredMap, createLayeredMap, type LayeredMap, layeredEntries } from './layered-map.ts';
import {
  type Bucket,
  type BucketChange,
  bucketCandidates,
  changeBucket,
  isBefore,
  matchBucket,
  Route,
  type RouteEntry,
} from './route-bucket.ts';

export type { RouteEntry };

/**
 * The routers of an entry point, found as a linear scan in Traefik's order would: priority, provider, name. Never changes; a
 * changed table shares with the one before what is the same.
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
  /** The same in slices: yields after at most some ten microseconds of work. */
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
  emptyTable<Entry, RoutingView>({ constraints: httpConstraints, compile: compileHttpRule }).update({ added: routers });

export const createTcpRouteTable = <Entry extends RouteEntry>(routers: Iterable<Entry>): RouteTable<Entry, TcpView> =>
  emptyTable<Entry, TcpView>({ constraints: tcpConstraints, compile: compileTcpRule }).update({ added: routers });

interface Language<View> {
  readonly constraints: (rule: string, syntax: RuleSyntax) => readonly Constraint[];
  readonly compile: (rule: string, syntax: RuleSyntax) => CompiledRule<View>;
}

interface State<Entry extends RouteEntry, View> {
  readonly language: Language<View>;
  readonly names: LayeredMap<string, Route<Entry, View>>;
  readonly broken: ReadonlyMap<string, { readonly entry: Entry; readonly error: Error }>;
  /** By the kind of the host's constraint, then by its key; `any` has one bucket with an empty key. */
  readonly buckets: Readonly<Record<Constraint['hostKind'], LayeredMap<string, Bucket<Entry, View>>>>;
}

function emptyTable<Entry extends RouteEntry, View extends IndexedView>(language: Language<View>): RouteTable<Entry, View> {
  const buckets = { any: createLayeredMap(new Map()), exact: createLayeredMap(new Map()), wildcard: createLayeredMap(new Map()) };
  return tableOf({ language, names: createLayeredMap(new Map()), broken: new Map(), buckets });
}

function tableOf<Entry extends RouteEntry, View extends IndexedView>(state: State<Entry, View>): RouteTable<Entry, View> {
  const { exact, wildcard, any } = state.buckets;
  const open = any.get('');

  function match(view: View): Entry | undefined {
    const { host, flattenedHost } = view;
    const trust = host !== '' && !host.endsWith('.') && !flattenedHost.endsWith('.');
    let best: Route<Entry, View> | undefined;
    best = matchHost(hostKey(host), view, trust, best);
    if (flattenedHost !== '') best = matchHost(hostKey(flattenedHost.toLowerCase()), view, trust, best);
    if (open !== undefined) best = matchBucket(open, view, trust, best);
    return best?.entry;
  }

  function matchHost(key: string, view: View, trust: boolean, best: Route<Entry, View> | undefined): Route<Entry, View> | undefined {
    const bucket = exact.get(key);
    const found = bucket === undefined ? best : matchBucket(bucket, view, trust, best);
    if (wildcard.size === 0) return found;
    const shared = wildcard.get(wildcardRest(key));
    return shared === undefined ? found : matchBucket(shared, view, trust, found);
  }

  return {
    size: state.names.size,
    broken: [...state.broken.values()],
    match,
    explain: (view, { all = false } = {}) => explain(state, all ? everyRoute(state) : routesOfHost(state, view), view),
    update: (change) => drain(updateSteps(state, change)),
    updateInSlices: (change) => updateSteps(state, change),
  };
}

function drain<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const everyRoute = <Entry extends RouteEntry, View>(state: State<Entry, View>): Route<Entry, View>[] =>
  [...layeredEntries(state.names)].map(([, route]) => route);

function routesOfHost<Entry extends RouteEntry, View extends IndexedView>(state: State<Entry, View>, view: View): Route<Entry, View>[] {
  const { exact, wildcard, any } = state.buckets;
  const routes = new Set<Route<Entry, View>>();
  const add = (bucket: Bucket<Entry, View> | undefined): void => {
    if (bucket !== undefined) for (const { route } of bucketCandidates(bucket)) routes.add(route);
  };
  for (const host of view.flattenedHost === '' ? [view.host] : [view.host, view.flattenedHost.toLowerCase()]) {
    const key = hostKey(host);
    add(exact.get(key));
    add(wildcard.get(wildcardRest(key)));
  }
  add(any.get(''));
  return [...routes];
}

function explain<Entry extends RouteEntry, View>(
  { language }: State<Entry, View>,
  routes: Route<Entry, View>[],
  view: View,
): Explanation<Entry>[] {
  routes.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  return routes.map(({ entry }) => {
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
const SLICE = 16;

function* updateSteps<Entry extends RouteEntry, View extends IndexedView>(
  state: State<Entry, View>,
  { removed = [], added = [] }: RouteChange<Entry>,
): Generator<void, RouteTable<Entry, View>> {
  const changes = createChanges<Entry, View>();
  const names = new Map<string, Route<Entry, View> | undefined>();
  const broken = new Map(state.broken);
  let count = 0;
  for (const name of removed) {
    take(state, changes, names, name);
    broken.delete(name);
    if (++count % SLICE === 0) yield;
  }
  for (const entry of added) {
    take(state, changes, names, entry.name);
    broken.delete(entry.name);
    const route = put(state.language, changes, entry);
    if (route instanceof Error) broken.set(entry.name, { entry, error: route });
    else names.set(entry.name, route);
    if (++count % SLICE === 0) yield;
  }
  const buckets = {
    any: yield* changeBuckets(state.buckets.any, changes.any),
    exact: yield* changeBuckets(state.buckets.exact, changes.exact),
    wildcard: yield* changeBuckets(state.buckets.wildcard, changes.wildcard),
  };
  return tableOf({ language: state.language, names: yield* changeLayeredMap(state.names, names), broken, buckets });
}

type Changes<Entry extends RouteEntry, View> = Record<Constraint['hostKind'], Map<string, BucketChange<Entry, View>>>;

const createChanges = <Entry extends RouteEntry, View>(): Changes<Entry, View> => ({
  any: new Map(),
  exact: new Map(),
  wildcard: new Map(),
});

/** Notes the removal of the router of that name, if there is one. */
function take<Entry extends RouteEntry, View>(
  state: State<Entry, View>,
  changes: Changes<Entry, View>,
  names: Map<string, Route<Entry, View> | undefined>,
  name: string,
): void {
  const route = names.has(name) ? names.get(name) : state.names.get(name);
  if (route === undefined) return;
  for (const constraint of constraintsOf(state.language, route.entry)) {
    const change = changeOf(changes, constraint);
    const pending = change.added.findIndex((candidate) => candidate.route === route);
    if (pending !== -1) change.added.splice(pending, 1);
    else change.removed.push({ route, pathKind: constraint.pathKind, path: constraint.path, complete: constraint.complete });
  }
  names.set(name, undefined);
}

function put<Entry extends RouteEntry, View>(
  language: Language<View>,
  changes: Changes<Entry, View>,
  entry: Entry,
): Route<Entry, View> | Error {
  let constraints: readonly Constraint[];
  try {
    constraints = constraintsOf(language, entry);
  } catch (error) {
    return error as Error;
  }
  const route = new Route<Entry, View>(entry, language.compile);
  for (const constraint of constraints) {
    const { pathKind, path, complete } = constraint;
    changeOf(changes, constraint).added.push({ route, pathKind, path, complete });
  }
  return route;
}

const constraintsOf = <View>(language: Language<View>, entry: RouteEntry): readonly Constraint[] =>
  language.constraints(entry.rule, ruleSyntax(entry.ruleSyntax));

function changeOf<Entry extends RouteEntry, View>(
  changes: Changes<Entry, View>,
  { hostKind, host }: Constraint,
): BucketChange<Entry, View> {
  let change = changes[hostKind].get(host);
  if (change === undefined) changes[hostKind].set(host, (change = { removed: [], added: [] }));
  return change;
}

/** Buckets made between two yields. */
const BUCKET_SLICE = 64;

function* changeBuckets<Entry extends RouteEntry, View>(
  map: LayeredMap<string, Bucket<Entry, View>>,
  changes: ReadonlyMap<string, BucketChange<Entry, View>>,
): Generator<void, LayeredMap<string, Bucket<Entry, View>>> {
  const buckets = new Map<string, Bucket<Entry, View> | undefined>();
  for (const [key, change] of changes) {
    buckets.set(key, changeBucket(map.get(key), change));
    if (buckets.size % BUCKET_SLICE === 0) yield;
  }
  return yield* changeLayeredMap(map, buckets);
}
