import { matchesOf, type RuleMatch } from '../rule/parser.ts';
import { compileHttpRule, compileTcpRule, parseHttpRule, parseTcpRule } from '../rule/rule.ts';
import { type TemplateKind, templateExpression } from './template.ts';

export interface MigratedRule {
  /** In syntax v3; the text as it was where nothing has to change or nothing can be done. */
  readonly rule: string;
  /** Why it was left, or what a person should look at. */
  readonly note?: string;
}

/** A rule of syntax v2 in syntax v3. What is v3 already stays. */
export function migrateRule(rule: string, protocol: 'http' | 'tcp'): MigratedRule {
  const parse = protocol === 'http' ? parseHttpRule : parseTcpRule;
  const compile = protocol === 'http' ? compileHttpRule : compileTcpRule;
  let matches: RuleMatch[];
  try {
    matches = [...matchesOf(parse(rule, 'v2'))].sort((a, b) => a.start - b.start);
  } catch (error) {
    return works(() => compile(rule, 'v3')) ? { rule } : { rule, note: `is no rule of v2: ${(error as Error).message}` };
  }
  try {
    compile(rule, 'v2');
  } catch (error) {
    return { rule, note: `is no rule of v2: ${(error as Error).message}` };
  }
  let migrated = '';
  let from = 0;
  for (const match of matches) {
    const text = rule.slice(match.start, match.end);
    const negation = /^[!\s]*/.exec(text)![0];
    let calls: Calls;
    try {
      calls = migrateCall(match);
    } catch (error) {
      return { rule, note: (error as Error).message };
    }
    const whole = matches.length === 1 && !rule.slice(0, match.start).includes('!') && negation === '';
    migrated += rule.slice(from, match.start) + negation + write(text.slice(negation.length), match, calls, whole);
    from = match.end;
  }
  migrated += rule.slice(from);
  if (migrated === rule || works(() => compile(migrated, 'v3'))) return { rule: migrated };
  return { rule, note: `cannot be written in v3; the nearest is ${migrated}` };
}

function works(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

interface Calls {
  readonly operator: '||' | '&&';
  readonly calls: readonly { readonly name: string; readonly values: readonly string[] }[];
}

const each = (values: readonly string[], call: (value: string) => { name: string; values: string[] }): Calls => ({
  operator: '||',
  calls: values.map(call),
});

function migrateCall({ matcher, values }: RuleMatch): Calls {
  switch (matcher) {
    case 'Host':
    case 'HostHeader':
    case 'HostSNI':
      for (const value of values)
        if (value.startsWith('*') && !(matcher === 'HostSNI' && value === '*'))
          throw new Error(`${matcher}(\`${value}\`) is plain text in v2, which no host is, and a wildcard in v3: say which you mean`);
      if (matcher !== 'HostHeader') return each(values, (value) => ({ name: matcher, values: [value] }));
      return each(values, (value) => ({ name: 'Host', values: [value] }));
    case 'HostRegexp':
    case 'HostSNIRegexp':
      for (const value of values)
        if (!value.includes('{') && /[\\^$*+?()|[\]]/.test(value))
          throw new Error(`${matcher}(\`${value}\`) has no braces; v2 takes it as plain text, v3 as an expression: say which you mean`);
      return each(values, byTemplate(matcher === 'HostRegexp' ? 'Host' : 'HostSNI', matcher, 'host'));
    case 'Path':
      return each(values, byTemplate('Path', 'PathRegexp', 'path'));
    case 'PathPrefix':
      return each(values, byTemplate('PathPrefix', 'PathRegexp', 'prefix'));
    case 'Headers':
    case 'HeadersRegexp':
      return {
        operator: '&&',
        calls: lastOfEach(pairs(values)).map(([name, value]) => ({ name: matcher.replace('Headers', 'Header'), values: [name, value] })),
      };
    case 'Query':
      return { operator: '&&', calls: queryPairs(values).map(migrateQuery) };
    default:
      return each(values, (value) => ({ name: matcher, values: [value] }));
  }
}

const byTemplate =
  (plain: string, regexp: string, kind: TemplateKind) =>
  (value: string): { name: string; values: string[] } => {
    const expression = templateExpression(value, kind);
    return expression === undefined ? { name: plain, values: [value] } : { name: regexp, values: [expression] };
  };

const pairs = (values: readonly string[]): [string, string][] =>
  Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!]);

/** Of a name written twice in the same letters v2 heeds the last value only. */
const lastOfEach = (all: [string, string][]): [string, string][] => [...new Map(all)];

/** As v2 reads them: each value is split at its first `=`, one without takes the next as its own. */
const queryPairs = (values: readonly string[]): [string, string][] =>
  pairs(
    values.flatMap((value) => {
      const equals = value.indexOf('=');
      return equals === -1 ? [value] : [value.slice(0, equals), value.slice(equals + 1)];
    }),
  );

function migrateQuery([key, value]: [string, string]): { name: string; values: string[] } {
  if (key.includes('{')) throw new Error(`Query has a name with an expression ({…} in '${key}'), which v3 cannot say`);
  if (value === '') return { name: 'QueryRegexp', values: [key, '.*'] };
  const expression = templateExpression(value, 'query');
  return expression === undefined ? { name: 'Query', values: [key, value] } : { name: 'QueryRegexp', values: [key, expression] };
}

function write(text: string, match: RuleMatch, { operator, calls }: Calls, whole: boolean): string {
  const [first] = calls;
  // What does not change keeps its spelling.
  if (calls.length === 1 && first!.values.length === match.values.length && first!.values.every((value, i) => value === match.values[i]))
    return first!.name === match.matcher ? text : text.replace(/^\w+/, first!.name);
  const written = calls.map(({ name, values }) => `${name}(${values.map(literal).join(', ')})`).join(` ${operator} `);
  return calls.length === 1 || whole ? written : `(${written})`;
}

const literal = (value: string): string => (value.includes('`') ? JSON.stringify(value) : `\`${value}\``);
