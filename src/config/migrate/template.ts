/** Expression of `{name}` alone, by what is matched. */
const DEFAULTS = { host: '[^.]+', path: '[^/]+', prefix: '[^/]+', query: '.*' } as const;
export type TemplateKind = keyof typeof DEFAULTS;

/** A text of syntax v2 with `{name}` or `{name:expression}` as an anchored expression; undefined without braces. Throws an Error. */
export function templateExpression(template: string, kind: TemplateKind): string | undefined {
  if (!template.includes('{')) return undefined;
  let source = '';
  let level = 0;
  let from = 0;
  for (let i = 0; i < template.length; i++) {
    if (template[i] === '{' && ++level === 1) {
      source += quote(template.slice(from, i));
      from = i + 1;
    } else if (template[i] === '}' && --level === 0) {
      source += group(template.slice(from, i), kind);
      from = i + 1;
    }
    if (level < 0) break;
  }
  if (level !== 0) throw new Error(`the braces of '${template}' do not match`);
  source += quote(template.slice(from));
  // v2 does not tell letter case apart in hosts; v3 sees them in small letters.
  const insensitive = kind === 'host' && /[A-Z]/.test(source) ? '(?i)' : '';
  return `${insensitive}^${source}${kind === 'prefix' ? '' : '$'}`;
}

function group(inner: string, kind: TemplateKind): string {
  const colon = inner.indexOf(':');
  const expression = colon === -1 ? DEFAULTS[kind] : inner.slice(colon + 1);
  // An alternative must not reach beyond its place.
  return expression.includes('|') && !/^\([^()]*\)$/.test(expression) ? `(${expression})` : expression;
}

const quote = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
