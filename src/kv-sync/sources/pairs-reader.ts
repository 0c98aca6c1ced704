import { flatten } from '../../base/flat-string.ts';
import type { Pair } from '../../config/keys.ts';
import { parsePairs, type ReadPairs } from './pairs.ts';

/** What `parsePairs` says, for somebody who reads a text again and again: of one without quotes only the changed lines are read. */
export type PairsReader = (text: string, source: string) => ReadPairs;

interface Known {
  readonly text: string;
  readonly read: ReadPairs;
}

export function createPairsReader(): PairsReader {
  let known: Known | undefined;
  return (text, source) => {
    const read = (known && readChanged(known, text, source)) ?? parsePairs(text, source);
    // Without quotes, which may go on over lines, every line stands for itself.
    known = isClean(read) && !text.includes('"') ? { text, read } : undefined;
    return read;
  };
}

const isClean = ({ problems, warnings }: ReadPairs): boolean => problems.length + warnings.length === 0;

/** More new keys are faster looked for in a map of all. */
const MAX_NEW = 100;

function readChanged({ text: before, read: { pairs, lines } }: Known, text: string, source: string): ReadPairs | undefined {
  const start = text.lastIndexOf('\n', sameAtStart(before, text) - 1) + 1;
  const shared = sameAtEnd(before, text, Math.min(before.length, text.length) - start);
  const rest = text.indexOf('\n', text.length - shared) + 1 || text.length;
  const changed = text.slice(start, rest);
  const gone = before.slice(start, before.length - (text.length - rest));
  // The end of one of them may be no end of a line.
  if (changed.includes('"') || (rest === text.length && start > 0 && !before.startsWith('\n', start - 1))) return undefined;
  const read = parsePairs(changed, source);
  if (!isClean(read)) return undefined;
  const above = countLines(text, start);
  const [goneLines, newLines] = [countLines(gone, gone.length), countLines(changed, changed.length)];
  const first = placeOf(lines, above + 1);
  const last = rest === text.length ? pairs.length : placeOf(lines, above + goneLines + 1);
  const own = read.pairs.map(([key, value]): Pair => [flatten(key), flatten(value)]);
  const old = new Set(pairs.slice(first, last).map(([key]) => key));
  const young = new Set(own.map(([key]) => key).filter((key) => !old.has(key)));
  const others = [...pairs.slice(0, first), ...pairs.slice(last)];
  if (young.size > MAX_NEW || (young.size > 0 && others.some(([key]) => young.has(key)))) return undefined;
  const all = [...pairs.slice(0, first), ...own, ...pairs.slice(last)];
  const shift = newLines - goneLines;
  const numbers = [...lines.slice(0, first), ...read.lines.map((line) => line + above), ...lines.slice(last).map((line) => line + shift)];
  return { pairs: all, lines: numbers, lineOf: (key) => numbers[all.findIndex(([name]) => name === key)], problems: [], warnings: [] };
}

const STEP = 4_096;

function sameAtStart(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at + STEP <= length && a.slice(at, at + STEP) === b.slice(at, at + STEP)) at += STEP;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}

function sameAtEnd(a: string, b: string, limit: number): number {
  let count = 0;
  const step = (text: string): string => text.slice(text.length - count - STEP, text.length - count);
  while (count + STEP <= limit && step(a) === step(b)) count += STEP;
  while (count < limit && a.charCodeAt(a.length - 1 - count) === b.charCodeAt(b.length - 1 - count)) count++;
  return count;
}

function countLines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** The first pair in this line or below it. */
function placeOf(lines: readonly number[], line: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]! < line) low = middle + 1;
    else high = middle;
  }
  return low;
}
