import type { IndexedView } from '../config/rule/routing-view.ts';
import { changeLayeredMap, createLayeredMap, drain, type LayeredMap, layeredEntries } from './layered-map.ts';
import {
  Candidate,
  candidatesOf,
  changeList,
  constraintOf,
  matchList,
  type Placement,
  type RouteEntry,
  type RoutePlacement,
} from './route-list.ts';

/**
 * Candidates that share a host, or have none: a list while they are few, then with an index of their paths. Both kinds know by
 * `large` what they are.
 */
export type Bucket<Entry extends RouteEntry, View> = Candidate<Entry, View> | LargeBucket<Entry, View>;

interface LargeBucket<Entry extends RouteEntry, View> {
  readonly large: true;
  /** Those without a path. */
  readonly plain: Candidate<Entry, View> | undefined;
  readonly exact: LayeredMap<string, Candidate<Entry, View>>;
  /** By the hash of the prefix, or of its first MAX_PREFIX characters. */
  readonly prefixes: LayeredMap<number, Candidate<Entry, View>>;
  /** How many prefixes there are of each length. */
  readonly lengths: Uint32Array;
  /** Candidates, all together. */
  readonly size: number;
}

/** From this number on a bucket has an index of its paths; it loses it at half of it. */
export const LARGE = 16;
const MAX_PREFIX = 255;

/** The first of `best` and the candidates of the bucket that match. `trust`: what fits a complete constraint matches. */
export function matchBucket<Entry extends RouteEntry, View extends IndexedView>(
  bucket: Bucket<Entry, View>,
  view: View,
  trust: boolean,
  best: Entry | undefined,
): Entry | undefined {
  return bucket.large ? matchLarge(bucket, view, trust, best) : matchList(bucket, view, trust, best);
}

function matchLarge<Entry extends RouteEntry, View extends IndexedView>(
  { plain, exact, prefixes, lengths }: LargeBucket<Entry, View>,
  view: View,
  trust: boolean,
  best: Entry | undefined,
): Entry | undefined {
  const { path } = view;
  let found = matchList(plain, view, trust, best);
  if (exact.size > 0) found = matchList(exact.get(path), view, trust, found);
  const end = Math.min(path.length, lengths.length - 1);
  let hash = HASH_START;
  for (let length = 1; length <= end; length++) {
    hash = addToHash(hash, path.charCodeAt(length - 1));
    if (lengths[length] !== 0) found = matchList(prefixes.get(finishHash(hash)), view, trust, found);
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

const indexedLength = (path: string): number => Math.min(path.length, MAX_PREFIX);

/** All candidates of a bucket, whatever their paths. */
export function* bucketCandidates<Entry extends RouteEntry, View>(bucket: Bucket<Entry, View>): Generator<Candidate<Entry, View>> {
  if (!bucket.large) return yield* candidatesOf(bucket);
  yield* candidatesOf(bucket.plain);
  for (const [, list] of layeredEntries(bucket.exact)) yield* candidatesOf(list);
  for (const [, list] of layeredEntries(bucket.prefixes)) yield* candidatesOf(list);
}

/** What happens to one bucket. */
export interface BucketChange<Entry extends RouteEntry, View> {
  readonly removed: Placement<Entry>[];
  readonly added: RoutePlacement<Entry, View>[];
}

/** The bucket with the change; undefined when nothing is left. */
export function changeBucket<Entry extends RouteEntry, View>(
  bucket: Bucket<Entry, View> | undefined,
  { removed, added }: BucketChange<Entry, View>,
): Bucket<Entry, View> | undefined {
  if (bucket?.large) return changeLarge(bucket, removed, added);
  if (bucket === undefined && added.length === 1) return new Candidate(added[0]!.route, added[0]!.constraint, undefined);
  const list = changeList(bucket, removed, added);
  const size = [...candidatesOf(list)].length;
  return size < LARGE ? list : changeLarge(emptyBucket(), [], placementsOf(candidatesOf(list)));
}

const placementsOf = <Entry extends RouteEntry, View>(candidates: Iterable<Candidate<Entry, View>>): RoutePlacement<Entry, View>[] =>
  Array.from(candidates, (candidate) => ({ route: candidate.route, constraint: constraintOf(candidate) }));

const emptyBucket = <Entry extends RouteEntry, View>(): LargeBucket<Entry, View> => ({
  large: true,
  plain: undefined,
  exact: createLayeredMap(new Map()),
  prefixes: createLayeredMap(new Map()),
  lengths: new Uint32Array(0),
  size: 0,
});

function changeLarge<Entry extends RouteEntry, View>(
  bucket: LargeBucket<Entry, View>,
  removed: readonly Placement<Entry>[],
  added: readonly RoutePlacement<Entry, View>[],
): Bucket<Entry, View> | undefined {
  const removedBy = Object.groupBy(removed, ({ constraint }) => constraint.pathKind);
  const addedBy = Object.groupBy(added, ({ constraint }) => constraint.pathKind);
  const changed: LargeBucket<Entry, View> = {
    large: true,
    plain: changeList(bucket.plain, removedBy.any ?? [], addedBy.any ?? []),
    exact: changeLists(bucket.exact, removedBy.exact ?? [], addedBy.exact ?? [], (path) => path),
    prefixes: changeLists(bucket.prefixes, removedBy.prefix ?? [], addedBy.prefix ?? [], hashPrefix),
    lengths: changeLengths(bucket.lengths, removedBy.prefix ?? [], addedBy.prefix ?? []),
    size: bucket.size + added.length - removed.length,
  };
  if (changed.size > LARGE / 2) return changed;
  return changeList<Entry, View>(undefined, [], placementsOf(bucketCandidates(changed)));
}

function changeLengths(
  lengths: Uint32Array,
  removed: readonly Pick<Placement<never>, 'constraint'>[],
  added: readonly Pick<Placement<never>, 'constraint'>[],
): Uint32Array {
  const longest = added.reduce((length, { constraint }) => Math.max(length, indexedLength(constraint.path)), 0);
  const changed = new Uint32Array(Math.max(lengths.length, longest + 1));
  changed.set(lengths);
  for (const { constraint } of removed) changed[indexedLength(constraint.path)]!--;
  for (const { constraint } of added) changed[indexedLength(constraint.path)]!++;
  return changed;
}

function changeLists<Entry extends RouteEntry, View, Key>(
  map: LayeredMap<Key, Candidate<Entry, View>>,
  removed: readonly Placement<Entry>[],
  added: readonly RoutePlacement<Entry, View>[],
  keyOf: (path: string) => Key,
): LayeredMap<Key, Candidate<Entry, View>> {
  const removals = Map.groupBy(removed, ({ constraint }) => keyOf(constraint.path));
  const additions = Map.groupBy(added, ({ constraint }) => keyOf(constraint.path));
  const changes = new Map<Key, Candidate<Entry, View> | undefined>();
  for (const key of new Set([...removals.keys(), ...additions.keys()])) {
    changes.set(key, changeList(map.get(key), removals.get(key) ?? [], additions.get(key) ?? []));
  }
  return drain(changeLayeredMap(map, changes));
}
