import { hasStrayBytes, toByteString } from '../../base/byte-string.ts';
import { printable } from './lexer.ts';
import { compilePattern } from './matcher.ts';

/** Texts of syntax v2 with `{name}` and `{name:expression}` (Traefik uses gorilla/mux). */
export type TemplateKind = 'host' | 'path' | 'prefix' | 'query';

const DEFAULT_EXPRESSION: Record<TemplateKind, string> = { host: '[^.]+', path: '[^/]+', prefix: '[^/]+', query: '.*' };

export interface Template {
  /** The names between braces, in order. */
  readonly names: readonly string[];
  /** Sees byte strings. */
  readonly test: (bytes: string) => boolean;
}

/** Throws an Error that says what is wrong with the template. */
export function compileTemplate(template: string, kind: TemplateKind): Template {
  const names: string[] = [];
  let pattern = kind === 'host' ? '(?i)^' : '^';
  let end = 0;
  for (const [open, close] of bracePairs(template)) {
    const inner = template.slice(open + 1, close);
    const colon = inner.indexOf(':');
    const name = colon === -1 ? inner : inner.slice(0, colon);
    const expression = colon === -1 ? DEFAULT_EXPRESSION[kind] : inner.slice(colon + 1);
    if (name === '' || expression === '') throw new Error(`'{${printable(inner)}}' needs a name and an expression, as {id:[0-9]+}`);
    // The expression must stand on its own, or its parentheses could close the group around it.
    compilePattern(`^${expression}$`);
    pattern += `${quoteMeta(template.slice(end, open))}(?P<v${names.length}>${expression})`;
    names.push(name);
    end = close + 1;
  }
  const literal = names.length === 0 && (kind === 'path' || kind === 'prefix') ? literalTest(template, kind) : undefined;
  if (literal !== undefined) return { names, test: literal };
  pattern += quoteMeta(template.slice(end));
  if (kind === 'query' && template.slice(template.indexOf('=') + 1) === '') pattern += DEFAULT_EXPRESSION.query;
  if (kind !== 'prefix') pattern += '$';
  return { names, test: compilePattern(pattern) };
}

/** Undefined where an expression sees more than its bytes: U+FFFD also takes a byte that is not UTF-8. */
function literalTest(template: string, kind: 'path' | 'prefix'): ((bytes: string) => boolean) | undefined {
  if (hasStrayBytes(template) || template.includes('\ufffd')) return undefined;
  const literal = toByteString(template);
  return kind === 'path' ? (bytes) => bytes === literal : (bytes) => bytes.startsWith(literal);
}

/** Opening and closing braces of the first level. */
function bracePairs(template: string): [number, number][] {
  const pairs: [number, number][] = [];
  let level = 0;
  let open = 0;
  for (let i = 0; i < template.length; i++) {
    if (template[i] === '{' && ++level === 1) open = i;
    if (template[i] === '}' && --level === 0) pairs.push([open, i]);
    if (level < 0) break;
  }
  if (level !== 0) throw new Error(`the braces of '${printable(template)}' do not match`);
  return pairs;
}

const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
