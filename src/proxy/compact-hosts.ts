import type { IndexedView } from '../config/rule/routing-view.ts';
import {
  ANY_PATH,
  CANDIDATE_WORDS,
  COMPLETE_BIT,
  countOf,
  ELSEWHERE,
  ENTRIES,
  hashHost,
  headerOf,
  isHashedHost,
  KEY_BITS,
  LINE,
  PATH_KIND_BITS,
  PATH_PREFIX,
  PATH_SHIFT,
  unpackConstraint,
  unpackPriority,
  wordsOf,
} from './packed-host.ts';
import type { Placement, Route, RouteEntry } from './route-list.ts';

/**
 * Routers by host, packed into arrays. With a million routers a match is as slow as the memory it fetches, piece after piece: here
 * the host's hash alone says where its line and its router lie, so that both are fetched at once.
 */
export interface CompactHosts<Entry extends RouteEntry, View> {
  readonly hosts: number;
  /** The first router under `host.slice(from)` that matches. `trust`: what fits a complete constraint matches. */
  find(host: string, from: number, view: View, trust: boolean): Entry | undefined;
  /** Not above the priority of the router found last; exact for most. */
  foundPriority(): number;
  /** All that stands under a host, in order. */
  placements(host: string): Placement<Entry>[];
}

export interface PackedHosts<Entry> {
  /**
   * LINE words for each slot of an open addressing by the host's hash, a power of two of them. The first is 0 in an empty slot,
   * else `headerOf` with the number of candidates; the host's bytes and CANDIDATE_WORDS for each candidate in order follow. Where
   * that is too much the number is ELSEWHERE, and the offset of a record follows.
   */
  readonly lines: Int32Array;
  /** Number of candidates, place of the first router among `entries`, the host's bytes, candidates. */
  readonly records: Int32Array;
  /** ENTRIES for each slot, then those of the records. */
  readonly entries: readonly (Entry | undefined)[];
  readonly paths: readonly string[];
  readonly hosts: number;
  readonly seed: number;
}

export function createCompactHosts<Entry extends RouteEntry, View extends IndexedView>(
  { lines, records, entries, paths, hosts, seed }: PackedHosts<Entry>,
  createRoute: (entry: Entry) => Route<Entry, View>,
): CompactHosts<Entry, View> {
  const mask = lines.length / LINE - 1;
  /** Only of routers whose rule says more than the constraint, and was asked. */
  const routes = new Map<Entry, Route<Entry, View>>();
  let found = 0;
  /** In the slot that was looked at last. */
  let first: Entry | undefined;

  /** The slot of `host.slice(from)`, or -1. */
  function locate(host: string, from: number): number {
    const hash = hosts === 0 ? -1 : hashHost(host, from, seed);
    if (hash === -1) return -1;
    const length = host.length - from;
    const key = headerOf(hash, length);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const line = slot * LINE;
      // Read before it is known to be right, so that memory is fetched for both at once.
      first = entries[slot * ENTRIES];
      const header = lines[line]!;
      if (header === 0) return -1;
      if ((header & KEY_BITS) !== key) continue;
      if (countOf(header) === ELSEWHERE ? isHashedHost(records, lines[line + 1]! + 2, length) : isHashedHost(lines, line + 1, length))
        return slot;
    }
  }

  function find(host: string, from: number, view: View, trust: boolean): Entry | undefined {
    const slot = locate(host, from);
    if (slot === -1) return undefined;
    const line = slot * LINE;
    const words = wordsOf(host.length - from);
    const count = countOf(lines[line]!);
    if (count !== ELSEWHERE) return firstMatch(lines, line + 1 + words, count, first!, slot * ENTRIES, view, trust);
    const record = lines[line + 1]!;
    const place = records[record + 1]!;
    return firstMatch(records, record + 2 + words, records[record]!, entries[place]!, place, view, trust);
  }

  /** `own`: the first candidate's router; `place`: where it stands. */
  function firstMatch(
    words: Int32Array,
    at: number,
    count: number,
    own: Entry,
    place: number,
    view: View,
    trust: boolean,
  ): Entry | undefined {
    const { path } = view;
    for (let i = 0; i < count; i++) {
      const word = words[at + i * CANDIDATE_WORDS]!;
      if (!fitsPath(word, path)) continue;
      const entry = i === 0 ? own : entries[place + i]!;
      if (!(trust && (word & COMPLETE_BIT) !== 0) && !test(entry, view)) continue;
      found = words[at + i * CANDIDATE_WORDS + 1]!;
      return entry;
    }
    return undefined;
  }

  function fitsPath(word: number, path: string): boolean {
    const kind = word & PATH_KIND_BITS;
    if (kind === ANY_PATH) return true;
    const wanted = paths[word >>> PATH_SHIFT]!;
    return kind === PATH_PREFIX ? path.startsWith(wanted) : path === wanted;
  }

  function test(entry: Entry, view: View): boolean {
    let route = routes.get(entry);
    if (route === undefined) routes.set(entry, (route = createRoute(entry)));
    return route.test(view);
  }

  function placements(host: string): Placement<Entry>[] {
    const slot = locate(host, 0);
    if (slot === -1) return [];
    const line = slot * LINE;
    const count = countOf(lines[line]!);
    const record = lines[line + 1]!;
    const [words, start, size, place] =
      count === ELSEWHERE
        ? ([records, record + 2, records[record]!, records[record + 1]!] as const)
        : ([lines, line + 1, count, slot * ENTRIES] as const);
    const at = start + wordsOf(host.length);
    return Array.from({ length: size }, (_, i) => ({
      entry: entries[place + i]!,
      constraint: unpackConstraint(words[at + i * CANDIDATE_WORDS]!, paths, host),
    }));
  }

  return { hosts, find, foundPriority: () => unpackPriority(found), placements };
}
