import { toByteString } from '../../base/byte-string.ts';
import { hostWithoutPort } from './canonical-host.ts';
import { compileClientIp, type HttpTest, headerTest } from './http-matchers.ts';
import { printable } from './lexer.ts';
import { compilePattern, type MatcherDefinition, requireAscii } from './matcher.ts';
import type { RoutingView } from './routing-view.ts';
import { compileTemplate, type TemplateKind } from './template.ts';

/** The matchers of syntax v2. Values arrive non-empty, at least one. */
export const HTTP_MATCHERS_V2: Readonly<Record<string, MatcherDefinition<HttpTest>>> = {
  Host: { build: compileHosts },
  HostHeader: { build: compileHosts },
  HostRegexp: {
    build: (templates) => {
      for (const template of templates) requireAscii(template, 'HostRegexp');
      return anyTemplate(templates, 'host', (view) => hostWithoutPort(view.rawHost));
    },
  },
  ClientIP: { build: compileClientIp },
  Path: { build: (paths) => compilePaths(paths, 'path') },
  PathPrefix: { build: (paths) => compilePaths(paths, 'prefix') },
  Method: {
    build: (values) => {
      const methods = values.map((value) => value.toUpperCase());
      return (view) => methods.includes(view.method);
    },
  },
  Headers: {
    build: (values) =>
      headerPairs(values, (text) => {
        const wanted = toByteString(text);
        return (line) => line === wanted;
      }),
  },
  HeadersRegexp: { build: (values) => headerPairs(values, compilePattern) },
  Query: { build: compileQueries },
};

function compileHosts(values: readonly string[]): HttpTest {
  for (const value of values) requireAscii(value, 'Host');
  const hosts = values.map((value) => value.toLowerCase());
  return ({ host, flattenedHost }) => {
    if (host === '') return false;
    if (flattenedHost !== '') return hosts.includes(host) || hosts.includes(flattenedHost.toLowerCase());
    return hosts.some((name) => name === host || name === `${host}.` || host === `${name}.`);
  };
}

function compilePaths(templates: readonly string[], kind: TemplateKind): HttpTest {
  for (const template of templates) {
    if (!template.startsWith('/')) throw new Error(`the path '${printable(template)}' does not begin with /`);
  }
  return anyTemplate(templates, kind, (view) => view.path);
}

function anyTemplate(templates: readonly string[], kind: TemplateKind, text: (view: RoutingView) => string): HttpTest {
  const tests = templates.map((template) => compileTemplate(template, kind).test);
  return (view) => {
    const seen = text(view);
    return tests.some((test) => test(seen));
  };
}

/** All keys must pass; of a key written twice in the same letters the last value counts. */
function headerPairs(values: readonly string[], compile: (value: string) => (line: string) => boolean): HttpTest {
  if (values.length % 2 !== 0) throw new Error('names and values come in pairs, as Headers(`name`, `value`)');
  const tests = new Map<string, HttpTest>();
  for (let i = 0; i < values.length; i += 2) tests.set(values[i]!, headerTest(values[i]!, compile(values[i + 1]!)));
  const all = [...tests.values()];
  return (view) => all.every((test) => test(view));
}

function compileQueries(values: readonly string[]): HttpTest {
  // Traefik splits each value at its first `=` and pairs up all parts: a value without `=` takes the next as its own.
  const parts = values.flatMap((value) => {
    const equals = value.indexOf('=');
    return equals === -1 ? [value] : [value.slice(0, equals), value.slice(equals + 1)];
  });
  if (parts.length % 2 !== 0) throw new Error('a value has no =; write Query(`key=value`)');
  const names = new Set<string>();
  const tests: HttpTest[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const text = `${parts[i]}=${parts[i + 1]}`;
    const template = compileTemplate(text, 'query');
    for (const name of template.names) {
      if (names.has(name)) throw new Error(`the name '${printable(name)}' stands in two values`);
    }
    for (const name of template.names) names.add(name);
    const key = toByteString(text.slice(0, text.indexOf('=')));
    tests.push((view) => {
      const value = view.query(key)?.[0];
      return template.test(value === undefined ? '' : `${key}=${value}`);
    });
  }
  return (view) => tests.every((test) => test(view));
}
