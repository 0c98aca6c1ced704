import type { IndexedView } from '../config/rule/routing-view.ts';
import {
  ANY_PATH,
  COMPLETE_BIT,
  hashHost,
  isHashedHost,
  PATH_KIND_BITS,
  PATH_PREFIX,
  PATH_SHIFT,
  unpackConstraint,
  unpackPriority,
  wordsOf,
} from './packed-host.ts';
import type { Placement, Route, RouteEntry } from './route-list.ts';

/**
 * Routers by host, packed into two arrays of numbers. With a million routers a match is as slow as the memory it touches: here
 * one line for the slot, one or two for the record, one for the router.
 */
export interface CompactHosts<Entry extends RouteEntry, View> {
  readonly hosts: number;
  /** The place of the first candidate under `host.slice(from)` that matches, or -1. `trust`: what fits a complete constraint matches. */
  find(host: string, from: number, view: View, trust: boolean): number;
  entryAt(place: number): Entry;
  /** Not above the priority of that router; exact for most. */
  priorityAt(place: number): number;
  /** All that stands under a host, in order. */
  placements(host: string): Placement<Entry>[];
}

export interface PackedHosts {
  /** Pairs: hash of the host, offset of its record (0: empty). Open addressing, a power of two of them. */
  readonly slots: Int32Array;
  /** From 1 on: length of the host | number of candidates << 16, the host's bytes, and three words for each candidate in order. */
  readonly records: Int32Array;
  readonly paths: readonly string[];
  readonly hosts: number;
  readonly seed: number;
}

/** The packed constraint, the number of the router, and its packed priority. */
export const CANDIDATE_WORDS = 3;

export function createCompactHosts<Entry extends RouteEntry, View extends IndexedView>(
  { slots, records, paths, hosts, seed }: PackedHosts,
  entries: readonly Entry[],
  createRoute: (entry: Entry) => Route<Entry, View>,
): CompactHosts<Entry, View> {
  const mask = (slots.length >> 1) - 1;
  /** Only of routers whose rule says more than the constraint, and was asked. */
  const routes = new Map<number, Route<Entry, View>>();

  /** Offset of the record, or 0. */
  function locate(host: string, from: number): number {
    if (hosts === 0) return 0;
    const hash = hashHost(host, from, seed);
    if (hash === -1) return 0;
    const length = host.length - from;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const offset = slots[2 * slot + 1]!;
      if (offset === 0) return 0;
      if (slots[2 * slot] === hash && (records[offset]! & 0xffff) === length && isHashedHost(records, offset + 1, length)) return offset;
    }
  }

  function find(host: string, from: number, view: View, trust: boolean): number {
    const offset = locate(host, from);
    if (offset === 0) return -1;
    const { path } = view;
    const end = endOf(offset);
    for (let place = firstOf(offset); place < end; place += CANDIDATE_WORDS) {
      const word = records[place]!;
      if (fitsPath(word, path) && ((trust && (word & COMPLETE_BIT) !== 0) || test(records[place + 1]!, view))) return place;
    }
    return -1;
  }

  const firstOf = (offset: number): number => offset + 1 + wordsOf(records[offset]! & 0xffff);
  const endOf = (offset: number): number => firstOf(offset) + (records[offset]! >> 16) * CANDIDATE_WORDS;

  function fitsPath(word: number, path: string): boolean {
    const kind = word & PATH_KIND_BITS;
    if (kind === ANY_PATH) return true;
    const wanted = paths[word >>> PATH_SHIFT]!;
    return kind === PATH_PREFIX ? path.startsWith(wanted) : path === wanted;
  }

  function test(number: number, view: View): boolean {
    let route = routes.get(number);
    if (route === undefined) routes.set(number, (route = createRoute(entries[number]!)));
    return route.test(view);
  }

  function placements(host: string): Placement<Entry>[] {
    const offset = locate(host, 0);
    if (offset === 0) return [];
    const found: Placement<Entry>[] = [];
    for (let place = firstOf(offset); place < endOf(offset); place += CANDIDATE_WORDS) {
      found.push({ entry: entryAt(place), constraint: unpackConstraint(records[place]!, paths, host) });
    }
    return found;
  }

  const entryAt = (place: number): Entry => entries[records[place + 1]!]!;

  return { hosts, find, entryAt, priorityAt: (place) => unpackPriority(records[place + 2]!), placements };
}
