import { flatten } from '../base/flat-string.ts';
import type { Constraint } from '../config/rule/constraint.ts';
import type { IndexedView } from '../config/rule/routing-view.ts';
import { isBefore, type Placement, priorityCeiling, type Route, type RouteEntry } from './route-list.ts';

/**
 * Routers by literal host, packed into two arrays of numbers. With a million routers a match is as slow as the memory it touches:
 * here one line for the slot, one or two for the record, one for the router.
 *
 * slots: hash, offset of the record (0: empty), open addressing. records: length of the host | number of candidates << 16, the
 * host as bytes, and for each candidate in order: flags | path << 3, router.
 */
export interface CompactHosts<Entry extends RouteEntry, View> {
  readonly hosts: number;
  /** The place of the first candidate under `host.slice(from)` that matches, or -1. `trust`: what fits a complete constraint matches. */
  find(host: string, from: number, view: View, trust: boolean): number;
  entryAt(place: number): Entry;
  /** All that stands under a host, in order. */
  placements(host: string): Placement<Entry>[];
}

/** Hosts beyond it (no DNS name is longer than 253) are not kept here. */
const MAX_COMPACT_HOST = 255;

const KINDS = ['any', 'prefix', 'exact'] as const;
const PREFIX = 1;
const KIND_BITS = 3;
const COMPLETE = 4;
const PATH_SHIFT = 3;
const CANDIDATE_WORDS = 2;

/** The bytes of the host that was hashed last; hashing and comparing share it, as both want whole words. */
const scratch = new Int32Array((MAX_COMPACT_HOST + 4) >> 2);

/** Of `host.slice(from)`. Fills `scratch`; -1 (which no hash is) for a host that is not ASCII or too long. */
function hashHost(host: string, from: number, seed: number): number {
  const length = host.length - from;
  if (length > MAX_COMPACT_HOST) return -1;
  let hash = seed;
  let seen = 0;
  let word = 0;
  for (let i = 0; i < length; i++) {
    const code = host.charCodeAt(from + i);
    seen |= code;
    word |= code << ((i & 3) << 3);
    if ((i & 3) !== 3 && i !== length - 1) continue;
    scratch[i >> 2] = word;
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
    word = 0;
  }
  return seen > 0x7f ? -1 : hash & 0x7fffffff;
}

function isScratch(words: Int32Array, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (words[at + i] !== scratch[i]) return false;
  return true;
}

const wordsOf = (length: number): number => (length + 3) >> 2;

interface Packed {
  readonly slots: Int32Array;
  readonly records: Int32Array;
  readonly paths: readonly string[];
  readonly hosts: number;
  readonly seed: number;
}

function createCompactHosts<Entry extends RouteEntry, View extends IndexedView>(
  { slots, records, paths, hosts, seed }: Packed,
  entries: readonly Entry[],
  createRoute: (entry: Entry) => Route<Entry, View>,
): CompactHosts<Entry, View> {
  const mask = (slots.length >> 1) - 1;
  /** Only of routers whose rule says more than the constraint, and was asked. */
  const routes = new Map<number, Route<Entry, View>>();

  function locate(host: string, from: number): number {
    const hash = hashHost(host, from, seed);
    if (hash === -1) return 0;
    const length = host.length - from;
    const words = wordsOf(length);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const offset = slots[2 * slot + 1]!;
      if (offset === 0) return 0;
      if (slots[2 * slot] === hash && (records[offset]! & 0xffff) === length && isScratch(records, offset + 1, words)) return offset;
    }
  }

  function find(host: string, from: number, view: View, trust: boolean): number {
    const offset = locate(host, from);
    if (offset === 0) return -1;
    const header = records[offset]!;
    const first = offset + 1 + wordsOf(header & 0xffff);
    const end = first + (header >> 16) * CANDIDATE_WORDS;
    const { path } = view;
    for (let place = first; place < end; place += CANDIDATE_WORDS) {
      const flags = records[place]!;
      if (fits(flags, path) && ((trust && (flags & COMPLETE) !== 0) || test(records[place + 1]!, view))) return place;
    }
    return -1;
  }

  function fits(flags: number, path: string): boolean {
    const kind = flags & KIND_BITS;
    if (kind === 0) return true;
    const wanted = paths[flags >>> PATH_SHIFT]!;
    return kind === PREFIX ? path.startsWith(wanted) : path === wanted;
  }

  function test(index: number, view: View): boolean {
    let route = routes.get(index);
    if (route === undefined) routes.set(index, (route = createRoute(entries[index]!)));
    return route.test(view);
  }

  function placements(host: string): Placement<Entry>[] {
    const offset = locate(host, 0);
    if (offset === 0) return [];
    const header = records[offset]!;
    const first = offset + 1 + wordsOf(header & 0xffff);
    return Array.from({ length: header >> 16 }, (_, i) => placementAt(host, first + i * CANDIDATE_WORDS));
  }

  function placementAt(host: string, place: number): Placement<Entry> {
    const flags = records[place]!;
    const pathKind = KINDS[flags & KIND_BITS]!;
    const constraint: Constraint = {
      hostKind: 'exact',
      host,
      pathKind,
      path: pathKind === 'any' ? '' : paths[flags >>> PATH_SHIFT]!,
      complete: (flags & COMPLETE) !== 0,
    };
    return { entry: entries[records[place + 1]!]!, constraint };
  }

  return {
    hosts,
    find,
    entryAt: (place) => entries[records[place + 1]!]!,
    placements,
  };
}

/** Takes routers host by host; `finish` packs them. */
export interface CompactHostsBuilder<Entry extends RouteEntry, View> {
  /** False when the host cannot be kept here. */
  add(entry: Entry, constraint: Constraint): boolean;
  /** No router so far has a priority above this. */
  ceiling(): number;
  /** In slices. Hosts with at least `large` candidates are left out and given to `onLarge`. */
  finish(large: number, onLarge: (host: string, placements: Placement<Entry>[]) => void): Generator<void, CompactHosts<Entry, View>>;
}

/** Groups packed between two yields. */
const SLICE = 512;

export function createCompactHostsBuilder<Entry extends RouteEntry, View extends IndexedView>(
  createRoute: (entry: Entry) => Route<Entry, View>,
): CompactHostsBuilder<Entry, View> {
  // Unknown outside, so that nobody can choose hosts that share their slots.
  const seed = crypto.getRandomValues(new Int32Array(1))[0]!;
  const entries: Entry[] = [];
  const paths: string[] = [''];
  const pathNumbers = new Map<string, number>([['', 0]]);
  /** Slot: group + 1. */
  let slots = new Int32Array(64);
  /** Of a group: hash, length of the host, where its words begin, first candidate, number of candidates. */
  const groups = createNumbers();
  const hostWords = createNumbers();
  /** Of a candidate: flags and path, entry, next candidate of the group (-1: none). */
  const candidates = createNumbers();
  const GROUP = 5;
  let ceiling = Number.NEGATIVE_INFINITY;

  const groupCount = (): number => groups.length / GROUP;

  function groupOf(host: string): number {
    const hash = hashHost(host, 0, seed);
    if (hash === -1) return -1;
    if (groupCount() * 2 >= slots.length) grow();
    let slot = hash & (slots.length - 1);
    for (; slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const group = (slots[slot]! - 1) * GROUP;
      const { values } = groups;
      if (
        values[group] === hash &&
        values[group + 1] === host.length &&
        isScratch(hostWords.values, values[group + 2]!, wordsOf(host.length))
      ) {
        return group;
      }
    }
    slots[slot] = groupCount() + 1;
    const start = hostWords.length;
    for (let i = 0; i < wordsOf(host.length); i++) hostWords.push(scratch[i]!);
    for (const value of [hash, host.length, start, -1, 0]) groups.push(value);
    return groups.length - GROUP;
  }

  function grow(): void {
    slots = new Int32Array(slots.length * 2);
    for (let group = 0; group < groupCount(); group++) {
      let slot = groups.values[group * GROUP]! & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = group + 1;
    }
  }

  function pathNumber(path: string): number {
    let number = pathNumbers.get(path);
    if (number === undefined) {
      const flat = flatten(path);
      number = paths.push(flat) - 1;
      pathNumbers.set(flat, number);
    }
    return number;
  }

  function add(entry: Entry, { host, pathKind, path, complete }: Constraint): boolean {
    const group = groupOf(host);
    if (group === -1) return false;
    if (entries.at(-1) !== entry) entries.push(entry);
    const { values } = groups;
    const candidate = candidates.length;
    candidates.push(KINDS.indexOf(pathKind) | (complete ? COMPLETE : 0) | (pathNumber(path) << PATH_SHIFT));
    candidates.push(entries.length - 1);
    candidates.push(values[group + 3]!);
    values[group + 3] = candidate;
    values[group + 4]!++;
    ceiling = Math.max(ceiling, priorityCeiling(entry.priority));
    return true;
  }

  function* finish(
    large: number,
    onLarge: (host: string, placements: Placement<Entry>[]) => void,
  ): Generator<void, CompactHosts<Entry, View>> {
    let size = 1;
    for (let group = 0; group < groups.length; group += GROUP) size += recordWords(group);
    const records = new Int32Array(size);
    let hosts = 0;
    for (let group = 0; group < groups.length; group += GROUP) if (groups.values[group + 4]! < large) hosts++;
    const packed = new Int32Array(2 * powerOfTwo(2 * hosts));
    let offset = 1;
    for (let group = 0; group < groups.length; group += GROUP) {
      if (groups.values[group + 4]! < large) {
        writeSlot(packed, groups.values[group]!, offset);
        offset = writeRecord(records, offset, group);
      } else {
        const host = hostOf(group);
        onLarge(
          host,
          ordered(group).map((candidate) => placementOf(host, candidate)),
        );
      }
      if ((group / GROUP) % SLICE === SLICE - 1) yield;
    }
    const compact: Packed = { slots: packed, records: records.subarray(0, offset), paths, hosts, seed };
    return createCompactHosts(compact, entries, createRoute);
  }

  function recordWords(group: number): number {
    return 1 + wordsOf(groups.values[group + 1]!) + groups.values[group + 4]! * CANDIDATE_WORDS;
  }

  function writeRecord(records: Int32Array, offset: number, group: number): number {
    const { values } = groups;
    const words = wordsOf(values[group + 1]!);
    records[offset] = values[group + 1]! | (values[group + 4]! << 16);
    records.set(hostWords.values.subarray(values[group + 2]!, values[group + 2]! + words), offset + 1);
    let place = offset + 1 + words;
    for (const candidate of ordered(group)) {
      records[place] = candidates.values[candidate]!;
      records[place + 1] = candidates.values[candidate + 1]!;
      place += CANDIDATE_WORDS;
    }
    return place;
  }

  /** The candidates of a group, first the one that is asked first. */
  function ordered(group: number): number[] {
    const list: number[] = [];
    for (let candidate = groups.values[group + 3]!; candidate !== -1; candidate = candidates.values[candidate + 2]!) list.push(candidate);
    if (list.length < 2) return list;
    const entry = (candidate: number): Entry => entries[candidates.values[candidate + 1]!]!;
    return list.sort((a, b) => (isBefore(entry(a), entry(b)) ? -1 : isBefore(entry(b), entry(a)) ? 1 : 0));
  }

  function hostOf(group: number): string {
    const { values } = groups;
    let host = '';
    for (let i = 0; i < values[group + 1]!; i++)
      host += String.fromCharCode((hostWords.values[values[group + 2]! + (i >> 2)]! >>> ((i & 3) << 3)) & 0x7f);
    return host;
  }

  function placementOf(host: string, candidate: number): Placement<Entry> {
    const flags = candidates.values[candidate]!;
    const constraint: Constraint = {
      hostKind: 'exact',
      host,
      pathKind: KINDS[flags & KIND_BITS]!,
      path: paths[flags >>> PATH_SHIFT]!,
      complete: (flags & COMPLETE) !== 0,
    };
    return { entry: entries[candidates.values[candidate + 1]!]!, constraint };
  }

  return { add, finish, ceiling: () => ceiling };
}

function writeSlot(slots: Int32Array, hash: number, offset: number): void {
  const mask = (slots.length >> 1) - 1;
  let slot = hash & mask;
  while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
  slots[2 * slot] = hash;
  slots[2 * slot + 1] = offset;
}

const powerOfTwo = (least: number): number => 2 ** Math.max(3, Math.ceil(Math.log2(least + 1)));

/** Numbers of 32 bits in an array that grows. */
interface Numbers {
  values: Int32Array;
  length: number;
  push(value: number): void;
}

function createNumbers(): Numbers {
  const numbers: Numbers = {
    values: new Int32Array(256),
    length: 0,
    push(value) {
      if (numbers.length === numbers.values.length) {
        const values = new Int32Array(numbers.length * 2);
        values.set(numbers.values);
        numbers.values = values;
      }
      numbers.values[numbers.length++] = value;
    },
  };
  return numbers;
}
