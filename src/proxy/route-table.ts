import { flatten } from '../base/flat-string.ts';
import { type Constraint, hostKey, httpConstraints, tcpConstraints } from '../config/rule/constraint.ts';
import { wildcardRest } from '../config/rule/host-expression.ts';
import type { IndexedView, RoutingView } from '../config/rule/routing-view.ts';
import { type CompiledRule, compileHttpRule, compileTcpRule, type RuleSyntax, ruleSyntax } from '../config/rule/rule.ts';
import type { TcpView } from '../config/rule/tcp-matchers.ts';
import { type CompactHosts, createCompactHostsBuilder, cutPriority } from './compact-hosts.ts';
import { changeLayeredMap, createLayeredMap, drain, type LayeredMap, layeredEntries } from './layered-map.ts';
import { createNameIndex, type NameIndex } from './name-index.ts';
import { type Bucket, type BucketChange, bucketCandidates, changeBucket, LARGE, matchBucket } from './route-bucket.ts';
import { type Best, isBefore, Route, type RouteEntry } from './route-list.ts';

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
  /** As they were when `compact` was made; the index is made when a table is changed for the first time. */
  readonly names: () => Generator<void, NameIndex<Entry>>;
  /** Those that changed since; NOTHING for a removed one. */
  readonly changedNames: LayeredMap<string, Entry | typeof NOTHING>;
  readonly size: number;
  readonly broken: ReadonlyMap<string, { readonly entry: Entry; readonly error: Error }>;
  /** Most literal hosts. */
  readonly compact: CompactHosts<Entry, View>;
  /** Literal hosts with many routers, and those that changed since `compact` was made; NOTHING when all of a host is gone. */
  readonly hosts: LayeredMap<string, Bucket<Entry, View> | typeof NOTHING>;
  /** How many there were in `hosts` when `compact` was made. */
  readonly settledHosts: number;
  /** By what follows the `*`. */
  readonly wildcards: LayeredMap<string, Bucket<Entry, View>>;
  /** Routers without a host, under the empty key. */
  readonly open: LayeredMap<string, Bucket<Entry, View>>;
  /** No router in `wildcards` and `open` has a priority above this. */
  readonly ceiling: number;
}

const NOTHING = Symbol('nothing is left');

function tableOf<Entry extends RouteEntry, View extends IndexedView>(state: State<Entry, View>): RouteTable<Entry, View> {
  const { compact, hosts, wildcards, ceiling } = state;
  const open = state.open.get('');
  const simple = hosts.size === 0;

  function match(view: View): Entry | undefined {
    const { host, flattenedHost } = view;
    const trust = host !== '' && !host.endsWith('.') && !flattenedHost.endsWith('.');
    const key = hostKey(host);
    let best: Best<Entry>;
    if (simple) {
      const place = compact.find(key, view, trust);
      if (place !== -1) {
        const entry = compact.entryAt(place);
        if (flattenedHost === '' && compact.priorityAt(place) > ceiling) return entry;
        best = { entry, priority: Number(entry.priority) };
      }
    } else {
      best = matchHost(key, view, trust, undefined);
    }
    if (wildcards.size > 0) best = matchWildcard(key, view, trust, best);
    if (flattenedHost !== '') best = matchFlattened(hostKey(flattenedHost.toLowerCase()), view, trust, best);
    if (open !== undefined) best = matchBucket(open, view, trust, best);
    return best?.entry;
  }

  function matchHost(key: string, view: View, trust: boolean, best: Best<Entry>): Best<Entry> {
    const bucket = hosts.get(key);
    if (bucket === NOTHING) return best;
    if (bucket !== undefined) return matchBucket(bucket, view, trust, best);
    const place = compact.find(key, view, trust);
    if (place === -1) return best;
    const entry = compact.entryAt(place);
    return best !== undefined && isBefore(best.entry, entry) ? best : { entry, priority: Number(entry.priority) };
  }

  function matchWildcard(key: string, view: View, trust: boolean, best: Best<Entry>): Best<Entry> {
    const bucket = wildcards.get(wildcardRest(key));
    return bucket === undefined ? best : matchBucket(bucket, view, trust, best);
  }

  const matchFlattened = (key: string, view: View, trust: boolean, best: Best<Entry>): Best<Entry> =>
    matchWildcard(key, view, trust, matchHost(key, view, trust, best));

  return {
    size: state.size,
    broken: [...state.broken.values()],
    match,
    explain: (view, { all = false } = {}) => explain(state, all ? [...everyEntry(state)] : entriesOfHost(state, view), view),
    update: (change) => drain(updateSteps(state, change)),
    updateInSlices: (change) => updateSteps(state, change),
  };
}

function* everyEntry<Entry extends RouteEntry, View>({ names, changedNames }: State<Entry, View>): Generator<Entry> {
  for (const entry of drain(names()).entries) if (changedNames.get(entry.name) === undefined) yield entry;
  for (const [, entry] of layeredEntries(changedNames)) if (entry !== NOTHING) yield entry;
}

function entriesOfHost<Entry extends RouteEntry, View extends IndexedView>(state: State<Entry, View>, view: View): Entry[] {
  const entries = new Set<Entry>();
  const add = (bucket: Bucket<Entry, View> | typeof NOTHING | undefined): void => {
    if (bucket !== undefined && bucket !== NOTHING) for (const { entry } of bucketCandidates(bucket)) entries.add(entry);
  };
  for (const host of view.flattenedHost === '' ? [view.host] : [view.host, view.flattenedHost.toLowerCase()]) {
    const key = hostKey(host);
    const bucket = state.hosts.get(key);
    if (bucket === undefined) for (const { entry } of state.compact.placements(key)) entries.add(entry);
    else add(bucket);
    add(state.wildcards.get(wildcardRest(key)));
  }
  add(state.open.get(''));
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
/** Buckets made between two yields. */
const BUCKET_SLICE = 64;

function* build<Entry extends RouteEntry, View extends IndexedView>(
  language: Language<View>,
  routers: Iterable<Entry>,
): Generator<void, RouteTable<Entry, View>> {
  const entries: Entry[] = [];
  const broken = new Map<string, { entry: Entry; error: Error }>();
  const changes = createChanges<Entry, View>();
  const builder = createCompactHostsBuilder((entry: Entry) => new Route<Entry, View>(entry, language.compile));
  let count = 0;
  for (const entry of routers) {
    const constraints = constraintsOf(language, entry);
    if (constraints instanceof Error) broken.set(entry.name, { entry, error: constraints });
    else {
      entries.push(entry);
      const route = once(() => new Route<Entry, View>(entry, language.compile));
      for (const constraint of constraints) {
        const packed = constraint.hostKind === 'exact' && builder.add(entry, constraint);
        if (!packed) changeOf(changes, constraint).added.push({ route: route(), constraint });
      }
    }
    if (++count % SLICE === 0) yield;
  }
  const compact = yield* builder.finish(LARGE, (_, placements) => {
    for (const { entry, constraint } of placements) {
      changeOf(changes, constraint).added.push({ route: new Route(entry, language.compile), constraint });
    }
  });
  const empty: State<Entry, View> = {
    language,
    names: indexLater(entries),
    changedNames: createLayeredMap(new Map()),
    size: entries.length,
    broken,
    compact,
    hosts: createLayeredMap(new Map()),
    wildcards: createLayeredMap(new Map()),
    open: createLayeredMap(new Map()),
    settledHosts: 0,
    ceiling: Number.NEGATIVE_INFINITY,
  };
  const state = yield* applyChanges(empty, changes);
  return tableOf({ ...state, settledHosts: state.hosts.size });
}

function indexLater<Entry extends RouteEntry>(entries: readonly Entry[]): () => Generator<void, NameIndex<Entry>> {
  let made: NameIndex<Entry> | undefined;
  return function* () {
    return (made ??= yield* createNameIndex(entries));
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function* updateSteps<Entry extends RouteEntry, View extends IndexedView>(
  state: State<Entry, View>,
  { removed = [], added = [] }: RouteChange<Entry>,
): Generator<void, RouteTable<Entry, View>> {
  const index = yield* state.names();
  const names = new Map<string, Entry | typeof NOTHING>();
  const broken = new Map(state.broken);
  const changes = createChanges<Entry, View>();
  let { size } = state;
  let count = 0;

  const take = (name: string): void => {
    broken.delete(name);
    const entry = names.get(name) ?? state.changedNames.get(name) ?? index.get(name);
    if (entry === undefined || entry === NOTHING) return;
    noteRemoval(changes, entry, constraintsOf(state.language, entry));
    names.set(name, NOTHING);
    size--;
  };

  for (const name of removed) {
    take(name);
    if (++count % SLICE === 0) yield;
  }
  for (const entry of added) {
    take(entry.name);
    const constraints = constraintsOf(state.language, entry);
    if (constraints instanceof Error) broken.set(entry.name, { entry, error: constraints });
    else {
      const route = new Route<Entry, View>(entry, state.language.compile);
      for (const constraint of constraints) changeOf(changes, constraint).added.push({ route, constraint });
      names.set(entry.name, entry);
      size++;
    }
    if (++count % SLICE === 0) yield;
  }
  const changedNames = yield* changeLayeredMap(state.changedNames, names);
  return yield* settle(yield* applyChanges({ ...state, size, broken, changedNames }, changes));
}

/** When so many changed since the last time, everything is packed anew: a quarter, and enough to be worth it. */
const MIN_LOOSE = 4096;

function* settle<Entry extends RouteEntry, View extends IndexedView>(state: State<Entry, View>): Generator<void, RouteTable<Entry, View>> {
  const { hosts, settledHosts, compact, changedNames } = state;
  const isSettled = (changed: number, all: number): boolean => changed <= Math.max(MIN_LOOSE, all / 4);
  if (isSettled(hosts.size - settledHosts, compact.hosts + settledHosts) && isSettled(changedNames.size, state.size)) return tableOf(state);
  return yield* build(state.language, everyEntry(state));
}

type Changes<Entry extends RouteEntry, View> = Record<Constraint['hostKind'], Map<string, BucketChange<Entry, View>>>;

const createChanges = <Entry extends RouteEntry, View>(): Changes<Entry, View> => ({
  any: new Map(),
  exact: new Map(),
  wildcard: new Map(),
});

function changeOf<Entry extends RouteEntry, View>(
  changes: Changes<Entry, View>,
  { hostKind, host }: Constraint,
): BucketChange<Entry, View> {
  let change = changes[hostKind].get(host);
  if (change === undefined) changes[hostKind].set(flatten(host), (change = { removed: [], added: [] }));
  return change;
}

function noteRemoval<Entry extends RouteEntry, View>(
  changes: Changes<Entry, View>,
  entry: Entry,
  constraints: readonly Constraint[] | Error,
): void {
  if (constraints instanceof Error) return;
  for (const constraint of constraints) {
    const change = changeOf(changes, constraint);
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

function* applyChanges<Entry extends RouteEntry, View extends IndexedView>(
  state: State<Entry, View>,
  changes: Changes<Entry, View>,
): Generator<void, State<Entry, View>> {
  const { language, compact } = state;
  let { ceiling } = state;
  for (const kind of ['wildcard', 'any'] as const) {
    for (const { added } of changes[kind].values()) {
      for (const { route } of added) ceiling = Math.max(ceiling, cutPriority(route.entry.priority));
    }
  }
  const before = (host: string): Bucket<Entry, View> | undefined => {
    const bucket = state.hosts.get(host);
    if (bucket !== undefined) return bucket === NOTHING ? undefined : bucket;
    const added = compact
      .placements(host)
      .map(({ entry, constraint }) => ({ route: new Route<Entry, View>(entry, language.compile), constraint }));
    return added.length === 0 ? undefined : changeBucket(undefined, { removed: [], added });
  };
  const hosts = new Map<string, Bucket<Entry, View> | typeof NOTHING>();
  for (const [host, change] of changes.exact) {
    hosts.set(host, changeBucket(before(host), change) ?? NOTHING);
    if (hosts.size % BUCKET_SLICE === 0) yield;
  }
  return {
    ...state,
    ceiling,
    hosts: yield* changeLayeredMap(state.hosts, hosts),
    wildcards: yield* changeBuckets(state.wildcards, changes.wildcard),
    open: yield* changeBuckets(state.open, changes.any),
  };
}

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
