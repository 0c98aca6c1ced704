import { ConfigError } from '../../base/errors.ts';
import type { Pair } from '../../config/keys.ts';

export interface ReadPairs {
  readonly pairs: readonly Pair[];
  /** 1-based line of each pair. */
  readonly lines: readonly number[];
  /** Line of a key; of one that stands there twice, the one that counts. */
  readonly lineOf: (key: string) => number | undefined;
  /** Lines that cannot be understood: what they meant is unknown. */
  readonly problems: readonly ConfigError[];
  /** Keys that stand there twice. */
  readonly warnings: readonly ConfigError[];
}

/** A quoted text may go on over lines, as a certificate does; further than this its closing quote was forgotten. */
const MAX_LINES = 1_000;

/**
 * Lines of `key,value`, `key=value` or `key value`: what comes first divides, so values may have commas. Key and value may stand in
 * double quotes, in which a quote is written twice and lines may end, or in single ones. Empty lines and those that begin with `#`
 * say nothing.
 */
export function parsePairs(text: string, source: string): ReadPairs {
  const pairs: Pair[] = [];
  const lines: number[] = [];
  const places = new Map<string, number>();
  const problems: ConfigError[] = [];
  const warnings: ConfigError[] = [];
  const rows = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let index = 0; index < rows.length; ) {
    const line = index + 1;
    const read = readLine(rows, index);
    index = read.next;
    if (read.problem !== undefined) problems.push(new ConfigError('config.syntax', read.problem, { source, line }));
    if (read.pair === undefined) continue;
    const [key] = read.pair;
    const place = places.get(key) ?? pairs.length;
    if (place < pairs.length)
      warnings.push(
        new ConfigError('config.conflict', `The key ${key} stands in line ${lines[place]} too; the last one counts`, { source, line }),
      );
    places.set(key, place);
    pairs[place] = read.pair;
    lines[place] = line;
  }
  return { pairs, lines, lineOf: (key) => lines[places.get(key) ?? -1], problems, warnings };
}

interface Line {
  readonly next: number;
  readonly pair?: Pair;
  readonly problem?: string;
}

function readLine(rows: readonly string[], index: number): Line {
  const row = rows[index]!.trim();
  const next = index + 1;
  if (row === '' || row.startsWith('#')) return { next };
  // Nearly all lines are a key and a comma.
  const end = row.search(/[\s,="]/);
  const begin = row[end + 1];
  if (end > 0 && row[end] === ',' && (begin === undefined || !/[\s"']/.test(begin)))
    return { next, pair: [row.slice(0, end), row.slice(end + 1)] };
  const key = row.startsWith('"') ? /^"((?:[^"]|"")*)"/.exec(row) : /^([^\s,="]+)/.exec(row);
  if (key === null) return { next, problem: `'${shorten(row)}' begins with no key; write key,value` };
  const divider = /^\s*[,=]\s*|^\s+/.exec(row.slice(key[0].length));
  if (divider === null) return { next, problem: `'${shorten(row)}' has no value; write key,value (an empty one as key,)` };
  const name = key[1]!.replaceAll('""', '"');
  const rest = row.slice(key[0].length + divider[0].length);
  if (!rest.startsWith('"')) return { next, pair: [name, /^'(.*)'$/.exec(rest)?.[1] ?? rest] };
  return readQuoted(rows, index, name, rest);
}

function readQuoted(rows: readonly string[], index: number, name: string, start: string): Line {
  const parts: string[] = [];
  for (let next = index, row = start.slice(1); next < Math.min(rows.length, index + MAX_LINES); row = rows[++next]!) {
    const [inside, behind] = splitAtQuote(row);
    parts.push(inside);
    if (behind === undefined) continue;
    if (behind.trim() === '') return { next: next + 1, pair: [name, parts.join('\n')] };
    return { next: next + 1, problem: `Behind the closing quote of ${name} stands more; write a quote inside of quotes twice` };
  }
  return { next: index + 1, problem: `The quote of ${name} is never closed` };
}

/** What stands before the closing quote with doubled quotes made one, and what behind; undefined when it does not close here. */
function splitAtQuote(row: string): [inside: string, behind: string | undefined] {
  const [all, inside] = /^((?:[^"]|"")*)/.exec(row)!;
  const behind = all.length < row.length ? row.slice(all.length + 1) : undefined;
  return [inside!.replaceAll('""', '"'), behind];
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)} …` : text);

/** The lines that `parsePairs` reads as these pairs, in their order. */
export const formatPairs = (pairs: Iterable<Pair>): string =>
  Array.from(pairs, ([key, value]) => `${quoteKey(key)},${quoteValue(value)}\n`).join('');

const quoteKey = (key: string): string => (/[\s,="]|^#|^$/.test(key) ? `"${key.replaceAll('"', '""')}"` : key);
const quoteValue = (value: string): string => (/^["']|^\s|\s$|[\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
