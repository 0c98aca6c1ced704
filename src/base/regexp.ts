import { RE2JS } from 're2js';
import { ConfigError } from './errors.ts';

/** A Go (RE2) expression: linear time on any input, unanchored unless it says so. */
export interface Regexp {
  readonly source: string;
  /** True when it is found anywhere in the text. */
  test(text: string): boolean;
  /** The leftmost match with its groups (undefined for a group that took no part), or null. */
  find(text: string): (string | undefined)[] | null;
  /** Every match replaced by a template with `$1`, `${1}`, `${name}`, `$$` (Go's Expand). */
  replaceAll(text: string, template: string): string;
}

/** Throws ConfigError; the message says what RE2 does not have (look-around, back-references). */
export function compileRegexp(source: string): Regexp {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source);
  } catch (error) {
    const hint = /\(\?[=!<]|\\[1-9]/.test(source) ? ' (RE2 has no look-around and no back-references)' : '';
    throw new ConfigError('config.bad-value', `The expression '${source}' is not valid RE2: ${(error as Error).message}${hint}`);
  }
  const groupNames = compiled.namedGroups();
  const find = (text: string): (string | undefined)[] | null => {
    const matcher = compiled.matcher(text);
    if (!matcher.find()) return null;
    return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined);
  };
  return {
    source,
    test: (text) => compiled.matcher(text).find(),
    find,
    replaceAll(text, template) {
      const matcher = compiled.matcher(text);
      let result = '';
      let end = 0;
      while (matcher.find()) {
        result += text.slice(end, matcher.start());
        // Go passes over an empty match right behind another: `.*` replaces once.
        if (matcher.end() > end || matcher.start() === 0) {
          result += expandTemplate(
            template,
            (name) => matcher.group(/^\d+$/.test(name) ? Number(name) : (groupNames[name] ?? -1)),
            matcher.groupCount(),
            groupNames,
          );
        }
        end = matcher.end();
      }
      return result + text.slice(end);
    },
  };
}

/** Go's Expand: `$name` takes the longest run of letters, digits and `_`; an unknown name or number is empty. */
function expandTemplate(template: string, group: (name: string) => string | null, count: number, names: Record<string, number>): string {
  return template.replace(
    /\$(?:(\$)|(\w+)|\{(\w+)\})/g,
    (_, dollar: string | undefined, bare: string | undefined, braced: string | undefined) => {
      if (dollar !== undefined) return '$';
      const name = bare ?? braced!;
      const known = /^\d+$/.test(name) ? Number(name) <= count : name in names;
      return known ? (group(name) ?? '') : '';
    },
  );
}
