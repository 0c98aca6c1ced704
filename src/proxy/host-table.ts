import type { Constraint } from '../config/rule/constraint.ts';
import type { IndexedView } from '../config/rule/routing-view.ts';
import type { CompactHosts } from './compact-hosts.ts';
import type { CompactHostsBuilder } from './compact-hosts-builder.ts';
import { changeLayeredMap, createLayeredMap, type LayeredMap } from './layered-map.ts';
import { type Bucket, type BucketChange, bucketCandidates, changeBucket, LARGE, matchBucket } from './route-bucket.ts';
import { isBefore, priorityCeiling, type Route, type RouteEntry } from './route-list.ts';

/** Routers by host: most hosts packed, some in buckets of their own. */
export interface HostTable<Entry extends RouteEntry, View> {
  readonly compact: CompactHosts<Entry, View>;
  /** Hosts with many routers, and those that changed since `compact` was made; GONE when nothing of a host is left. */
  readonly apart: LayeredMap<string, Bucket<Entry, View> | typeof GONE>;
  /** How many of `apart` there were when `compact` was made. */
  readonly settled: number;
  /** No router has a priority above this. */
  readonly ceiling: number;
}

const GONE = Symbol('nothing of this host is left');

/** The first of `best` and the routers under `host.slice(from)` that match. */
export function matchHosts<Entry extends RouteEntry, View extends IndexedView>(
  { compact, apart }: HostTable<Entry, View>,
  host: string,
  from: number,
  view: View,
  trust: boolean,
  best: Entry | undefined,
): Entry | undefined {
  if (apart.size > 0) {
    const bucket = apart.get(host.slice(from));
    if (bucket !== undefined) return bucket === GONE ? best : matchBucket(bucket, view, trust, best);
  }
  const entry = compact.find(host, from, view, trust);
  return entry !== undefined && (best === undefined || isBefore(entry, best)) ? entry : best;
}

/** All routers of a host, whatever else their rules say. */
export function* entriesOf<Entry extends RouteEntry, View>({ compact, apart }: HostTable<Entry, View>, host: string): Generator<Entry> {
  const bucket = apart.get(host);
  if (bucket === undefined) for (const { entry } of compact.placements(host)) yield entry;
  else if (bucket !== GONE) for (const { entry } of bucketCandidates(bucket)) yield entry;
}

/** Changes by host. */
export type HostChanges<Entry extends RouteEntry, View> = ReadonlyMap<string, BucketChange<Entry, View>>;

/** Makes the rule of a router ready to be asked. */
export type CreateRoute<Entry extends RouteEntry, View> = (entry: Entry) => Route<Entry, View>;

/** What `builder` took, and `changes`, which it could not take. In slices. */
export function* createHostTable<Entry extends RouteEntry, View extends IndexedView>(
  builder: CompactHostsBuilder<Entry, View>,
  changes: Map<string, BucketChange<Entry, View>>,
  createRoute: CreateRoute<Entry, View>,
): Generator<void, HostTable<Entry, View>> {
  const compact = yield* builder.finish(LARGE, (host, placements) => {
    const added = placements.map(({ entry, constraint }) => ({ route: createRoute(entry), constraint }));
    changes.set(host, { removed: [], added });
  });
  const table = { compact, apart: createLayeredMap(new Map()), settled: 0, ceiling: builder.ceiling() };
  const changed = yield* changeHostTable(table, changes, createRoute);
  return { ...changed, settled: changed.apart.size };
}

/** Buckets made between two yields. */
const SLICE = 64;

/** The table with the changes, in slices. */
export function* changeHostTable<Entry extends RouteEntry, View extends IndexedView>(
  table: HostTable<Entry, View>,
  changes: HostChanges<Entry, View>,
  createRoute: CreateRoute<Entry, View>,
): Generator<void, HostTable<Entry, View>> {
  let { ceiling } = table;
  const buckets = new Map<string, Bucket<Entry, View> | typeof GONE>();
  for (const [host, change] of changes) {
    buckets.set(host, changeBucket(bucketOf(table, host, createRoute), change) ?? GONE);
    for (const { route } of change.added) ceiling = Math.max(ceiling, priorityCeiling(route.entry.priority));
    if (buckets.size % SLICE === 0) yield;
  }
  return { ...table, ceiling, apart: yield* changeLayeredMap(table.apart, buckets) };
}

function bucketOf<Entry extends RouteEntry, View>(
  { compact, apart }: HostTable<Entry, View>,
  host: string,
  createRoute: CreateRoute<Entry, View>,
): Bucket<Entry, View> | undefined {
  const bucket = apart.get(host);
  if (bucket !== undefined) return bucket === GONE ? undefined : bucket;
  const added = compact.placements(host).map(({ entry, constraint }) => ({ route: createRoute(entry), constraint }));
  return added.length === 0 ? undefined : changeBucket(undefined, { removed: [], added });
}

/** Where the change of a constraint's host is noted. */
export function changeOf<Entry extends RouteEntry, View>(
  changes: Map<string, BucketChange<Entry, View>>,
  { host }: Constraint,
): BucketChange<Entry, View> {
  let change = changes.get(host);
  if (change === undefined) changes.set(host, (change = { removed: [], added: [] }));
  return change;
}
