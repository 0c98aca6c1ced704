import type { Constraint } from '../config/rule/constraint.ts';

/** How hosts and candidates are written in numbers; shared by those who pack them and those who look them up. */

/** Longer hosts (no DNS name has more than 253 characters) are not packed. */
const MAX_HOST = 255;

/** The bytes of the host that was hashed last: hashing and comparing share them, as both want whole words. */
const scratch = new Int32Array((MAX_HOST + 4) >> 2);

/** Of `host.slice(from)`, whose bytes then stand in `scratch`; -1 (which no hash is) where it is not ASCII or too long. */
export function hashHost(host: string, from: number, seed: number): number {
  const length = host.length - from;
  if (length > MAX_HOST) return -1;
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

/** Words of a slot: of as many bytes as memory is fetched in. */
export const LINE = 16;
/** The constraint, and the router's priority. */
export const CANDIDATE_WORDS = 2;
/** Routers of a slot. */
export const ENTRIES = 4;

/** What a slot begins with, but for the number of candidates: length of the host, and upper bits of its hash, as the lower ones choose the slot. */
export const headerOf = (hash: number, length: number): number => ((hash << 1) & 0xffff0000) | length;
/** The bits of `headerOf`. */
export const KEY_BITS = 0xffff00ff | 0;
export const withCount = (header: number, count: number): number => header | (count << 8);
export const countOf = (header: number): number => (header >> 8) & 0xff;
/** Instead of a number: the candidates of the host do not fit into its slot. */
export const ELSEWHERE = 0xff;
export const fitsLine = (length: number, candidates: number): boolean =>
  candidates <= ENTRIES && 1 + wordsOf(length) + candidates * CANDIDATE_WORDS <= LINE;

/** True when the host that was hashed last stands at this place. */
export function isHashedHost(words: Int32Array, at: number, length: number): boolean {
  for (let i = 0; i < wordsOf(length); i++) if (words[at + i] !== scratch[i]) return false;
  return true;
}

/** Words of the host that was hashed last. */
export const hashedWords = (length: number): Int32Array => scratch.subarray(0, wordsOf(length));

/** Words that so many bytes take. */
export const wordsOf = (length: number): number => (length + 3) >> 2;

export function readHost(words: Int32Array, at: number, length: number): string {
  let host = '';
  for (let i = 0; i < length; i++) host += String.fromCharCode((words[at + (i >> 2)]! >>> ((i & 3) << 3)) & 0x7f);
  return host;
}

const PATH_KINDS = ['any', 'prefix', 'exact'] as const;

/** Bits of a candidate's first word; the number of its path lies above them. */
export const PATH_KIND_BITS = 3;
export const ANY_PATH = 0;
export const PATH_PREFIX = 1;
export const COMPLETE_BIT = 4;
export const PATH_SHIFT = 3;

export const packConstraint = ({ pathKind, complete }: Constraint, path: number): number =>
  PATH_KINDS.indexOf(pathKind) | (complete ? COMPLETE_BIT : 0) | (path << PATH_SHIFT);

const LEAST = -0x80000000;

/** A priority in 32 bits, never above it; very low ones become LEAST, which says nothing. */
export const packPriority = (priority: number | bigint): number => Math.floor(Math.max(LEAST, Math.min(0x7fffffff, Number(priority))));
export const unpackPriority = (word: number): number => (word === LEAST ? Number.NEGATIVE_INFINITY : word);

export const unpackConstraint = (word: number, paths: readonly string[], host: string): Constraint => ({
  hostKind: 'exact',
  host,
  pathKind: PATH_KINDS[word & PATH_KIND_BITS]!,
  path: paths[word >>> PATH_SHIFT]!,
  complete: (word & COMPLETE_BIT) !== 0,
});
