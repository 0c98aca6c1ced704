import { toByteString } from '../../base/byte-string.ts';
import type { HeaderList } from '../../base/message.ts';
import { isHostExpression } from './host-expression.ts';
import { printable } from './lexer.ts';
import { compileIpMatcher, compilePattern, type MatcherDefinition, requireAscii } from './matcher.ts';
import type { RoutingView } from './routing-view.ts';

export type HttpTest = (view: RoutingView) => boolean;

/** The matchers of syntax v3. Values arrive non-empty and in the right number. */
export const HTTP_MATCHERS: Readonly<Record<string, MatcherDefinition<HttpTest>>> = {
  ClientIP: { arity: [1], build: ([range]) => compileClientIp([range!]) },
  Method: {
    arity: [1],
    build: ([value]) => {
      const method = value!.toUpperCase();
      return (view) => view.method === method;
    },
  },
  Host: { arity: [1], build: ([host]) => compileHost(host!) },
  HostRegexp: {
    arity: [1],
    build: ([source]) => {
      requireAscii(source!, 'HostRegexp');
      const test = compilePattern(source!);
      const takesEmpty = test('');
      return ({ host, flattenedHost }) => test(host) || (flattenedHost === '' ? takesEmpty : test(flattenedHost));
    },
  },
  Path: {
    arity: [1],
    build: ([value]) => {
      const path = toPath(value!);
      return (view) => view.path === path;
    },
  },
  PathPrefix: {
    arity: [1],
    build: ([value]) => {
      const prefix = toPath(value!);
      return (view) => view.path.startsWith(prefix);
    },
  },
  PathRegexp: {
    arity: [1],
    build: ([source]) => {
      const test = compilePattern(source!);
      return (view) => test(view.path);
    },
  },
  Header: {
    arity: [2],
    build: ([name, text]) => {
      const value = toByteString(text!);
      return headerTest(name!, (line) => line === value);
    },
  },
  HeaderRegexp: { arity: [2], build: ([name, source]) => headerTest(name!, compilePattern(source!)) },
  Query: { arity: [1, 2], build: ([key, value = '']) => compileQuery(key!, value) },
  QueryRegexp: {
    arity: [1, 2],
    build: ([key, source]) => {
      // Traefik: one argument asks for an empty value, as Query does.
      if (source === undefined) return compileQuery(key!, '');
      const test = compilePattern(source);
      const name = toByteString(key!);
      return (view) => view.query(name)?.some(test) ?? false;
    },
  },
};

export function compileClientIp(ranges: readonly string[]): HttpTest {
  const test = compileIpMatcher(ranges);
  return (view) => {
    const ip = view.ip();
    return ip !== undefined && test(ip);
  };
}

function compileHost(value: string): HttpTest {
  if (value === '*') return () => true;
  requireAscii(value, 'Host');
  const expression = value.toLowerCase();
  const undotted = expression.endsWith('.') ? expression.slice(0, -1) : undefined;
  return ({ host, flattenedHost }) => {
    if (host === '') return false;
    if (isHostExpression(expression, host)) return true;
    if (flattenedHost !== '') return isHostExpression(expression, flattenedHost.toLowerCase());
    if (undotted !== undefined && isHostExpression(undotted, host)) return true;
    return host.endsWith('.') && isHostExpression(expression, host.slice(0, -1));
  };
}

function toPath(value: string): string {
  if (!value.startsWith('/')) throw new Error(`the path '${printable(value)}' does not begin with /`);
  return toByteString(value);
}

/** Go's server keeps these out of the header, so no rule ever sees them. */
const UNSEEN_HEADERS = ['host', 'transfer-encoding'];

/** True when one of the lines of the field passes. */
export function headerTest(name: string, test: (value: string) => boolean): HttpTest {
  const lower = name.toLowerCase();
  if (UNSEEN_HEADERS.includes(lower)) return () => false;
  return (view) => anyHeader(view.headers, lower, test);
}

function anyHeader({ raw }: HeaderList, lowerName: string, test: (value: string) => boolean): boolean {
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if (name.length === lowerName.length && (name === lowerName || name.toLowerCase() === lowerName) && test(raw[i + 1]!)) return true;
  }
  return false;
}

function compileQuery(key: string, value: string): HttpTest {
  const name = toByteString(key);
  const wanted = toByteString(value);
  return (view) => view.query(name)?.includes(wanted) ?? false;
}
