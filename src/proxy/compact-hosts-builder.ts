import { flatten } from '../base/flat-string.ts';
import type { Constraint } from '../config/rule/constraint.ts';
import type { IndexedView } from '../config/rule/routing-view.ts';
import { type CompactHosts, createCompactHosts } from './compact-hosts.ts';
import {
  CANDIDATE_WORDS,
  ELSEWHERE,
  ENTRIES,
  fitsLine,
  hashedWords,
  hashHost,
  headerOf,
  isHashedHost,
  LINE,
  packConstraint,
  packPriority,
  readHost,
  unpackConstraint,
  withCount,
  wordsOf,
} from './packed-host.ts';
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
    let size = 0;
    for (let group = 0; group < groups.length; group += GROUP) {
      const [length, count] = [values[group + LENGTH]!, values[group + COUNT]!];
      if (count >= large) continue;
      hosts++;
      if (!fitsLine(length, count)) size += 2 + wordsOf(length) + count * CANDIDATE_WORDS;
    }
    const slots = 2 ** Math.ceil(Math.log2(1.5 * hosts + 2));
    const lines = new Int32Array(slots * LINE);
    const records = createNumbers(size);
    const placed = new Array<Entry | undefined>(slots * ENTRIES).fill(undefined);
    for (let group = 0; group < groups.length; group += GROUP) {
      if (values[group + COUNT]! >= large) onLarge(...placementsOf(group));
      else write(lines, records, placed, group);
      if ((group / GROUP) % SLICE === SLICE - 1) yield;
    }
    return createCompactHosts({ lines, records: records.values, entries: placed, paths, hosts, seed: seed ?? 0 }, createRoute);
  }

  function write(lines: Int32Array, records: Numbers, placed: (Entry | undefined)[], group: number): void {
    const [hash, length, start] = groups.values.subarray(group, group + 3) as unknown as [number, number, number];
    const mask = lines.length / LINE - 1;
    let slot = hash & mask;
    while (lines[slot * LINE] !== 0) slot = (slot + 1) & mask;
    const candidates = inOrder(group);
    const host = hostWords.values.subarray(start, start + wordsOf(length));
    const words = candidates.flatMap((candidate) => [packedConstraint(candidate), packPriority(entryOf(candidate).priority)]);
    const line = slot * LINE;
    if (fitsLine(length, candidates.length)) {
      lines[line] = withCount(headerOf(hash, length), candidates.length);
      lines.set(host, line + 1);
      lines.set(words, line + 1 + host.length);
      candidates.forEach((candidate, i) => {
        placed[slot * ENTRIES + i] = entryOf(candidate);
      });
    } else {
      lines[line] = withCount(headerOf(hash, length), ELSEWHERE);
      lines[line + 1] = records.length;
      records.push(candidates.length, placed.length, ...host, ...words);
      for (const candidate of candidates) placed.push(entryOf(candidate));
    }
  }

  const packedConstraint = (candidate: number): number => candidates.values[candidate + CONSTRAINT]!;
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
      constraint: unpackConstraint(packedConstraint(candidate), paths, host),
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

/** Numbers of 32 bits in an array that grows. */
interface Numbers {
  values: Int32Array;
  length: number;
  push(...values: number[]): void;
}

function createNumbers(room = 256): Numbers {
  const numbers: Numbers = {
    values: new Int32Array(room),
    length: 0,
    push(...values) {
      if (numbers.length + values.length > numbers.values.length) {
        const larger = new Int32Array(Math.max(numbers.values.length * 2, numbers.length + values.length));
        larger.set(numbers.values);
        numbers.values = larger;
      }
      for (const value of values) numbers.values[numbers.length++] = value;
    },
  };
  return numbers;
}
