import type { Constraint } from '../config/rule/constraint.ts';
import type { IndexedView } from '../config/rule/routing-view.ts';
import { type RuleSyntax, ruleSyntax } from '../config/rule/rule.ts';
import { changeLayeredMap, createLayeredMap, type LayeredMap, layeredEntries } from './layered-map.ts';

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

/** A router in the table; a class, as there may be a million of them. */
export class Route<Entry extends RouteEntry, View> {
  readonly entry: Entry;
  /** Rounded to a double, which is quick to compare. */
  readonly priority: number;
  readonly #compile: Compile<View>;
  #test: ((view: View) => boolean) | undefined;

  constructor(entry: Entry, compile: Compile<View>) {
    this.entry = entry;
    this.priority = Number(entry.priority);
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

/** A route under one of its constraints. */
export interface Candidate<Entry extends RouteEntry, View> {
  readonly route: Route<Entry, View>;
  readonly pathKind: Constraint['pathKind'];
  readonly path: string;
  readonly complete: boolean;
}

type Ordered = Pick<Route<RouteEntry, never>, 'entry' | 'priority'>;

/** True when `a` is asked before `b`: higher priority, earlier provider, name. */
export function isBefore(a: Ordered, b: Ordered): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  const left = a.entry;
  const right = b.entry;
  if (left.priority > right.priority) return true;
  if (left.priority < right.priority) return false;
  if (left.providerRank !== right.providerRank) return left.providerRank < right.providerRank;
  return left.name < right.name;
}

/** Candidates that share a host, or have none. */
export interface Bucket<Entry extends RouteEntry, View> {
  /** In order. All of a small bucket; those without a path of a large one. */
  readonly candidates: readonly Candidate<Entry, View>[];
  readonly paths: PathIndex<Entry, View> | undefined;
}

/** Lists are in order. */
interface PathIndex<Entry extends RouteEntry, View> {
  readonly exact: LayeredMap<string, readonly Candidate<Entry, View>[]>;
  /** By the hash of the prefix, or of its first MAX_PREFIX characters. */
  readonly prefixes: LayeredMap<number, readonly Candidate<Entry, View>[]>;
  /** How many prefixes there are of each length. */
  readonly lengths: Uint32Array;
  /** Candidates in both maps. */
  readonly size: number;
}

/** From this number on a bucket has an index of its paths. */
const LARGE = 16;
const MAX_PREFIX = 255;

/**
 * The first of `best` and the candidates of the bucket that match. `trust`: what fits a complete constraint matches.
 */
export function matchBucket<Entry extends RouteEntry, View extends IndexedView>(
  bucket: Bucket<Entry, View>,
  view: View,
  trust: boolean,
  best: Route<Entry, View> | undefined,
): Route<Entry, View> | undefined {
  const found = matchList(bucket.candidates, view, trust, best);
  return bucket.paths === undefined ? found : matchPaths(bucket.paths, view, trust, found);
}

function matchList<Entry extends RouteEntry, View extends IndexedView>(
  candidates: readonly Candidate<Entry, View>[],
  view: View,
  trust: boolean,
  best: Route<Entry, View> | undefined,
): Route<Entry, View> | undefined {
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]!;
    const { route } = candidate;
    if (best !== undefined && !isBefore(route, best)) return best;
    if (fitsPath(candidate, view.path) && ((trust && candidate.complete) || route.test(view))) return route;
  }
  return best;
}

type Path = Pick<Candidate<RouteEntry, never>, 'pathKind' | 'path'>;

const fitsPath = ({ pathKind, path }: Path, seen: string): boolean =>
  pathKind === 'prefix' ? seen.startsWith(path) : pathKind === 'any' || seen === path;

function matchPaths<Entry extends RouteEntry, View extends IndexedView>(
  { exact, prefixes, lengths }: PathIndex<Entry, View>,
  view: View,
  trust: boolean,
  best: Route<Entry, View> | undefined,
): Route<Entry, View> | undefined {
  const { path } = view;
  let found = best;
  if (exact.size > 0) {
    const candidates = exact.get(path);
    if (candidates !== undefined) found = matchList(candidates, view, trust, found);
  }
  const end = Math.min(path.length, lengths.length - 1);
  let hash = HASH_START;
  for (let length = 1; length <= end; length++) {
    hash = addToHash(hash, path.charCodeAt(length - 1));
    if (lengths[length] === 0) continue;
    const candidates = prefixes.get(finishHash(hash));
    if (candidates !== undefined) found = matchList(candidates, view, trust, found);
  }
  return found;
}

/** FNV-1a; finished to 30 bits, which engines keep without a box. */
const HASH_START = 0x811c9dc5 | 0;
const addToHash = (hash: number, code: number): number => Math.imul(hash ^ code, 0x01000193);
const finishHash = (hash: number): number => (hash ^ (hash >>> 15)) & 0x3fffffff;

function hashPrefix(prefix: string): number {
  let hash = HASH_START;
  for (let i = 0; i < Math.min(prefix.length, MAX_PREFIX); i++) hash = addToHash(hash, prefix.charCodeAt(i));
  return finishHash(hash);
}

const indexedLength = ({ path }: Path): number => Math.min(path.length, MAX_PREFIX);

/** The candidates that could match if their rules do, whatever their paths. */
export function* bucketCandidates<Entry extends RouteEntry, View>(bucket: Bucket<Entry, View>): Generator<Candidate<Entry, View>> {
  yield* bucket.candidates;
  if (bucket.paths === undefined) return;
  for (const [, list] of layeredEntries(bucket.paths.exact)) yield* list;
  for (const [, list] of layeredEntries(bucket.paths.prefixes)) yield* list;
}

/** What happens to one bucket. */
export interface BucketChange<Entry extends RouteEntry, View> {
  readonly removed: Candidate<Entry, View>[];
  readonly added: Candidate<Entry, View>[];
}

/** The bucket with the change; undefined when nothing is left. Removed candidates are known by their route. */
export function changeBucket<Entry extends RouteEntry, View>(
  bucket: Bucket<Entry, View> | undefined,
  { removed, added }: BucketChange<Entry, View>,
): Bucket<Entry, View> | undefined {
  if (bucket === undefined && added.length === 1) return { candidates: added, paths: undefined };
  const routes = new Set(removed.map(({ route }) => route));
  if (bucket?.paths !== undefined) return changeLarge(bucket.candidates, bucket.paths, removed, added, routes);
  const candidates = changeList(bucket?.candidates ?? [], routes, added);
  if (candidates.length === 0) return undefined;
  if (candidates.length < LARGE) return { candidates, paths: undefined };
  return changeLarge([], emptyPaths(), [], candidates, NO_ROUTES);
}

const emptyPaths = <Entry extends RouteEntry, View>(): PathIndex<Entry, View> => ({
  exact: createLayeredMap(new Map()),
  prefixes: createLayeredMap(new Map()),
  lengths: new Uint32Array(0),
  size: 0,
});
const NO_ROUTES: ReadonlySet<never> = new Set();

function changeLarge<Entry extends RouteEntry, View>(
  plain: readonly Candidate<Entry, View>[],
  paths: PathIndex<Entry, View>,
  removed: readonly Candidate<Entry, View>[],
  added: readonly Candidate<Entry, View>[],
  routes: ReadonlySet<Route<Entry, View>>,
): Bucket<Entry, View> | undefined {
  const changed: Bucket<Entry, View> = {
    candidates: changeList(
      plain,
      routes,
      added.filter(({ pathKind }) => pathKind === 'any'),
    ),
    paths: changePaths(paths, removed, added, routes),
  };
  if (changed.candidates.length + changed.paths!.size > LARGE / 2) return changed;
  const left = changeList([], NO_ROUTES, [...bucketCandidates(changed)]);
  return left.length === 0 ? undefined : { candidates: left, paths: undefined };
}

function changePaths<Entry extends RouteEntry, View>(
  paths: PathIndex<Entry, View>,
  removed: readonly Candidate<Entry, View>[],
  added: readonly Candidate<Entry, View>[],
  routes: ReadonlySet<Route<Entry, View>>,
): PathIndex<Entry, View> {
  const longest = added.reduce((length, candidate) => Math.max(length, candidate.pathKind === 'prefix' ? indexedLength(candidate) : 0), 0);
  const lengths = new Uint32Array(Math.max(paths.lengths.length, longest + 1));
  lengths.set(paths.lengths);
  const isPrefix = ({ pathKind }: Candidate<Entry, View>): boolean => pathKind === 'prefix';
  const isExact = ({ pathKind }: Candidate<Entry, View>): boolean => pathKind === 'exact';
  for (const candidate of removed) if (isPrefix(candidate)) lengths[indexedLength(candidate)]!--;
  for (const candidate of added) if (isPrefix(candidate)) lengths[indexedLength(candidate)]!++;
  const changeMap = <Key>(map: LayeredMap<Key, readonly Candidate<Entry, View>[]>, applies: typeof isPrefix, key: (path: string) => Key) =>
    changeLists(map, removed.filter(applies), added.filter(applies), routes, (candidate) => key(candidate.path));
  const exact = changeMap(paths.exact, isExact, (path) => path);
  const prefixes = changeMap(paths.prefixes, isPrefix, hashPrefix);
  const counted = (list: readonly Candidate<Entry, View>[]): number => list.filter(({ pathKind }) => pathKind !== 'any').length;
  return { exact, prefixes, lengths, size: paths.size + counted(added) - counted(removed) };
}

function changeLists<Entry extends RouteEntry, View, Key>(
  map: LayeredMap<Key, readonly Candidate<Entry, View>[]>,
  removed: readonly Candidate<Entry, View>[],
  added: readonly Candidate<Entry, View>[],
  routes: ReadonlySet<Route<Entry, View>>,
  keyOf: (candidate: Candidate<Entry, View>) => Key,
): LayeredMap<Key, readonly Candidate<Entry, View>[]> {
  const additions = Map.groupBy(added, keyOf);
  const changes = new Map<Key, readonly Candidate<Entry, View>[] | undefined>();
  for (const key of new Set([...removed.map(keyOf), ...additions.keys()])) {
    const list = changeList(map.get(key) ?? [], routes, additions.get(key) ?? []);
    changes.set(key, list.length === 0 ? undefined : list);
  }
  const steps = changeLayeredMap(map, changes);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function changeList<Entry extends RouteEntry, View>(
  list: readonly Candidate<Entry, View>[],
  removed: ReadonlySet<Route<Entry, View>>,
  added: readonly Candidate<Entry, View>[],
): readonly Candidate<Entry, View>[] {
  const kept = removed.size === 0 ? list : list.filter(({ route }) => !removed.has(route));
  if (added.length === 0) return kept;
  return [...kept, ...added].sort((a, b) => (isBefore(a.route, b.route) ? -1 : isBefore(b.route, a.route) ? 1 : 0));
}
