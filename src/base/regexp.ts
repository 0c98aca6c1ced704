import { RE2JS } from 're2js';
import { isAscii } from './byte-string.ts';
import { ConfigError } from './errors.ts';
import { toNative } from './regexp-native.ts';
import { toRe2Source } from './regexp-source.ts';

/** A Go (RE2) expression: linear time on any input, unanchored unless it says so. */
export interface Regexp {
  readonly source: string;
  /** True when it is found anywhere in the text. */
  test(text: string): boolean;
  /** The leftmost match with its groups (undefined for a group that took no part), or null. */
  find(text: string): (string | undefined)[] | null;
  /** The matches one after the other, at most so many when `limit` is not negative. */
  findAll(text: string, limit: number): readonly Match[];
  /** Every match replaced by a template with `$1`, `${1}`, `${name}`, `$$` (Go's Expand). */
  replaceAll(text: string, template: string): string;
}

/** re2js needs up to a second to read expressions of this length that were made to be slow. */
const MAX_LENGTH = 16 * 1024;

export interface Match {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Throws ConfigError; the message says what RE2 does not have (look-around, back-references). */
export function compileRegexp(source: string): Regexp {
  if (source.length > MAX_LENGTH) {
    throw new ConfigError('config.limit', `The expression has ${source.length} characters; at most ${MAX_LENGTH} are allowed`);
  }
  const native = toNative(source);
  if (native === undefined) return compileRe2(source);
  let re2: Regexp | undefined;
  const full = (): Regexp => (re2 ??= compileRe2(source));
  return {
    source,
    test: (text) => (isAscii(text) ? native.test(text) : full().test(text)),
    find: (text) => full().find(text),
    findAll: (text, limit) => full().findAll(text, limit),
    replaceAll: (text, template) => full().replaceAll(text, template),
  };
}

function compileRe2(source: string): Regexp {
  const { pattern, groupNames } = toRe2Source(source);
  const compiled = compile(source, pattern);
  const groups = groupsByName(groupNames, compiled.namedGroups());
  const find = (text: string): (string | undefined)[] | null => {
    const matcher = compiled.matcher(text);
    if (!matcher.find()) return null;
    return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined);
  };
  return {
    source,
    test: (text) => compiled.test(text),
    find,
    findAll(text, limit) {
      const found: Match[] = [];
      const matcher = compiled.matcher(text);
      while (found.length !== limit && matcher.find()) {
        // Go: an empty match right behind another match is none.
        if (matcher.start() === matcher.end() && matcher.start() === found.at(-1)?.end) continue;
        found.push({ start: matcher.start(), end: matcher.end(), text: matcher.group() ?? '' });
      }
      return found;
    },
    replaceAll(text, template) {
      const matcher = compiled.matcher(text);
      let result = '';
      let end = 0;
      let matched = false;
      while (matcher.find()) {
        // Go: an empty match right behind another match is none.
        if (matched && matcher.start() === matcher.end() && matcher.start() === end) continue;
        const group = (number: number): string | null => (number <= matcher.groupCount() ? matcher.group(number) : null);
        const named = (name: string): string | null =>
          group(groups.get(name)?.find((number) => group(number) !== null) ?? Number.POSITIVE_INFINITY);
        result +=
          text.slice(end, matcher.start()) +
          expandTemplate(template, (name) => (/^[0-9]+$/.test(name) ? group(Number(name)) : named(name)));
        end = matcher.end();
        matched = true;
      }
      return result + text.slice(end);
    },
  };
}

function compile(source: string, pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const hint = /\(\?<?[=!]|\\[1-9]/.test(source) ? ' (RE2 has no look-around and no back-references)' : '';
    throw new ConfigError(
      'config.bad-value',
      `The expression '${source.length > 200 ? `${source.slice(0, 200)}…` : source}' is not valid RE2: ${(error as Error).message}${hint}`,
    );
  }
}

/** Numbers of the groups of each written name. */
function groupsByName(written: ReadonlyMap<string, string>, numbers: Record<string, number>): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [unique, name] of written) groups.set(name, [...(groups.get(name) ?? []), numbers[unique]!]);
  return groups;
}

/** Go's Expand: `$name` takes the longest run of letters, digits and `_`; an unknown name or number is empty. */
const expandTemplate = (template: string, group: (name: string) => string | null): string =>
  template.replace(/\$(?:(\$)|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu, (_, dollar?: string, bare?: string, braced?: string) =>
    dollar === undefined ? (group(bare ?? braced!) ?? '') : '$',
  );
