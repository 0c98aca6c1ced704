import { flatten } from '../base/flat-string.ts';
import type { Constraint } from '../config/rule/constraint.ts';
import type { IndexedView } from '../config/rule/routing-view.ts';
import { CANDIDATE_WORDS, type CompactHosts, createCompactHosts } from './compact-hosts.ts';
import { hashedWords, hashHost, isHashedHost, packConstraint, packPriority, readHost, unpackConstraint, wordsOf } from './packed-host.ts';
import { isBefore, type Placement, priorityCeiling, type Route, type RouteEntry } from './route-list.ts';

/** Takes routers host by host; `finish` packs them. No object is made for a router on the way. */
export interface CompactHostsBuilder<Entry extends RouteEntry, View> {
  /** False when the host cannot be packed. All constraints of a router come one after the other. */
  add(entry: Entry, constraint: Constraint): boolean;
  /** No router so far has a priority above this. */
  ceiling(): number;
  /** In slices. Hosts with at least `large` candidates are left out and given to `onLarge`. */
  finish(large: number, onLarge: (host: string, placements: Placement<Entry>[]) => void): Generator<void, CompactHosts<Entry, View>>;
}

/** Hosts packed between two yields. */
const SLICE = 512;
/** Words of a group (all of a host): hash, length of the host, place of its words, first candidate (-1: none), number of them. */
const GROUP = 5;
const HASH = 0;
const LENGTH = 1;
const WORDS = 2;
const FIRST = 3;
const COUNT = 4;
/** Words of a candidate: packed constraint, number of the router, next candidate of the host (-1: none). */
const CONSTRAINT = 0;
const ROUTER = 1;
const NEXT = 2;

export function createCompactHostsBuilder<Entry extends RouteEntry, View extends IndexedView>(
  createRoute: (entry: Entry) => Route<Entry, View>,
): CompactHostsBuilder<Entry, View> {
  const entries: Entry[] = [];
  const paths: string[] = [''];
  const pathNumbers = new Map<string, number>([['', 0]]);
  const groups = createNumbers();
  const hostWords = createNumbers();
  const candidates = createNumbers();
  /** Place of the group + 1. */
  let slots = new Int32Array(64);
  let seed: number | undefined;
  let ceiling = Number.NEGATIVE_INFINITY;

  /** The place of the host's group, or -1. */
  function groupOf(host: string): number {
    // Unknown outside, so that nobody can choose hosts that share their slots. Not before it is needed: no isolate may ask at start.
    seed ??= crypto.getRandomValues(new Int32Array(1))[0]!;
    const hash = hashHost(host, 0, seed);
    if (hash === -1) return -1;
    if ((groups.length / GROUP) * 2 >= slots.length) grow();
    const slot = slotOf(slots, hash, (group) => isGroupOfHashed(group, hash, host.length));
    if (slots[slot] === 0) {
      slots[slot] = groups.length + 1;
      groups.push(hash, host.length, hostWords.length, -1, 0);
      hostWords.push(...hashedWords(host.length));
    }
    return slots[slot]! - 1;
  }

  function isGroupOfHashed(group: number, hash: number, length: number): boolean {
    const { values } = groups;
    return (
      values[group + HASH] === hash && values[group + LENGTH] === length && isHashedHost(hostWords.values, values[group + WORDS]!, length)
    );
  }

  function grow(): void {
    slots = new Int32Array(slots.length * 2);
    for (let group = 0; group < groups.length; group += GROUP) {
      slots[slotOf(slots, groups.values[group + HASH]!, () => false)] = group + 1;
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

  function add(entry: Entry, constraint: Constraint): boolean {
    const group = groupOf(constraint.host);
    if (group === -1) return false;
    if (entries.at(-1) !== entry) entries.push(entry);
    const { values } = groups;
    const candidate = candidates.length;
    candidates.push(packConstraint(constraint, pathNumber(constraint.path)), entries.length - 1, values[group + FIRST]!);
    values[group + FIRST] = candidate;
    values[group + COUNT]!++;
    ceiling = Math.max(ceiling, priorityCeiling(entry.priority));
    return true;
  }

  function* finish(
    large: number,
    onLarge: (host: string, placements: Placement<Entry>[]) => void,
  ): Generator<void, CompactHosts<Entry, View>> {
    const { values } = groups;
    let hosts = 0;
    let size = 1;
    for (let group = 0; group < groups.length; group += GROUP) {
      if (values[group + COUNT]! >= large) continue;
      hosts++;
      size += 1 + wordsOf(values[group + LENGTH]!) + values[group + COUNT]! * CANDIDATE_WORDS;
    }
    const records = new Int32Array(size);
    const packedSlots = new Int32Array(2 * 2 ** Math.ceil(Math.log2(2 * hosts + 2)));
    let offset = 1;
    for (let group = 0; group < groups.length; group += GROUP) {
      if (values[group + COUNT]! >= large) onLarge(...placementsOf(group));
      else {
        putPair(packedSlots, values[group + HASH]!, offset);
        offset = writeRecord(records, offset, group);
      }
      if ((group / GROUP) % SLICE === SLICE - 1) yield;
    }
    return createCompactHosts({ slots: packedSlots, records, paths, hosts, seed: seed ?? 0 }, entries, createRoute);
  }

  /** Returns where the next record begins. */
  function writeRecord(records: Int32Array, offset: number, group: number): number {
    const { values } = groups;
    const words = wordsOf(values[group + LENGTH]!);
    const start = values[group + WORDS]!;
    records[offset] = values[group + LENGTH]! | (values[group + COUNT]! << 16);
    records.set(hostWords.values.subarray(start, start + words), offset + 1);
    let place = offset + 1 + words;
    for (const candidate of inOrder(group)) {
      records[place] = candidates.values[candidate + CONSTRAINT]!;
      records[place + 1] = candidates.values[candidate + ROUTER]!;
      records[place + 2] = packPriority(entryOf(candidate).priority);
      place += CANDIDATE_WORDS;
    }
    return place;
  }

  function inOrder(group: number): number[] {
    const list: number[] = [];
    for (let next = groups.values[group + FIRST]!; next !== -1; next = candidates.values[next + NEXT]!) list.push(next);
    return list.length < 2 ? list : list.sort((a, b) => (isBefore(entryOf(a), entryOf(b)) ? -1 : 1));
  }

  const entryOf = (candidate: number): Entry => entries[candidates.values[candidate + ROUTER]!]!;

  function placementsOf(group: number): [string, Placement<Entry>[]] {
    const host = readHost(hostWords.values, groups.values[group + WORDS]!, groups.values[group + LENGTH]!);
    const placements = inOrder(group).map((candidate) => ({
      entry: entryOf(candidate),
      constraint: unpackConstraint(candidates.values[candidate + CONSTRAINT]!, paths, host),
    }));
    return [host, placements];
  }

  return { add, finish, ceiling: () => ceiling };
}

/** The slot of the place for which `is` says true, or the empty one where it belongs. Slots hold places + 1. */
function slotOf(slots: Int32Array, hash: number, is: (place: number) => boolean): number {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0 && !is(slots[slot]! - 1)) slot = (slot + 1) & mask;
  return slot;
}

function putPair(slots: Int32Array, hash: number, offset: number): void {
  const mask = (slots.length >> 1) - 1;
  let slot = hash & mask;
  while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
  slots[2 * slot] = hash;
  slots[2 * slot + 1] = offset;
}

/** Numbers of 32 bits in an array that grows. */
interface Numbers {
  values: Int32Array;
  length: number;
  push(...values: number[]): void;
}

function createNumbers(): Numbers {
  const numbers: Numbers = {
    values: new Int32Array(256),
    length: 0,
    push(...values) {
      if (numbers.length + values.length > numbers.values.length) {
        const larger = new Int32Array(numbers.values.length * 2);
        larger.set(numbers.values);
        numbers.values = larger;
      }
      for (const value of values) numbers.values[numbers.length++] = value;
    },
  };
  return numbers;
}
