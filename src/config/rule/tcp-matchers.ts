import type { IpBytes } from '../../base/cidr.ts';
import { isHostExpression } from './host-expression.ts';
import { printable } from './lexer.ts';
import { compileIpMatcher, compilePattern, type MatcherDefinition, requireAscii } from './matcher.ts';
import { type IndexedView, parsePeer } from './routing-view.ts';
import { compileTemplate } from './template.ts';

/** What TCP matchers see of a connection. */
export interface TcpView extends IndexedView {
  /** The server name of the TLS hello, in small letters; empty without. */
  readonly host: string;
  /** Protocols that the client offers (ALPN). */
  readonly protocols: readonly string[];
  /** Of the peer; undefined when it cannot be read. */
  ip(): IpBytes | undefined;
}

export type TcpTest = (view: TcpView) => boolean;

export function createTcpView(connection: { serverName: string; clientAddress: string; protocols: readonly string[] }): TcpView {
  let ip: IpBytes | undefined | null = null;
  return {
    host: connection.serverName.trim().toLowerCase(),
    flattenedHost: '',
    path: '',
    protocols: connection.protocols,
    ip: () => (ip === null ? (ip = parsePeer(connection.clientAddress)) : ip),
  };
}

/** What HostSNI takes besides `*`. */
export const TCP_HOST = /^(\*\.)?[\w.\-:]+$/;
export const TCP_HOST_V2 = /^[\w.\-:]+$/;

export const TCP_MATCHERS: Readonly<Record<string, MatcherDefinition<TcpTest>>> = {
  ALPN: { arity: [1], build: compileAlpn },
  ClientIP: { arity: [1], build: compileClientIp },
  HostSNI: {
    arity: [1],
    build: ([value]) => {
      if (value === '*') return () => true;
      requireHost(value!, TCP_HOST);
      const expression = value!.toLowerCase().replace(/\.$/, '');
      return ({ host }) => host !== '' && isHostExpression(expression, host);
    },
  },
  HostSNIRegexp: {
    arity: [1],
    build: ([source]) => {
      requireAscii(source!, 'HostSNIRegexp');
      const test = compilePattern(source!);
      return (view) => test(view.host);
    },
  },
};

export const TCP_MATCHERS_V2: Readonly<Record<string, MatcherDefinition<TcpTest>>> = {
  ALPN: { build: compileAlpn },
  ClientIP: { build: compileClientIp },
  HostSNI: {
    build: (values) => {
      for (const value of values) if (value !== '*') requireHost(value, TCP_HOST_V2);
      if (values.includes('*')) return anyName(values);
      const hosts = values.flatMap((value) => [value.toLowerCase(), value.toLowerCase().replace(/\.$/, '')]);
      return ({ host }) => host !== '' && hosts.includes(host);
    },
  },
  HostSNIRegexp: {
    build: (templates) => {
      const tests = templates.map((template) => compileTemplate(template, 'host').test);
      return (view) => tests.some((test) => test(view.host));
    },
  },
};

/** `*` in the first place also takes connections without a name; further behind it takes every name. */
const anyName =
  (values: readonly string[]): TcpTest =>
  ({ host }) =>
    values[0] === '*' || host !== '';

function requireHost(value: string, pattern: RegExp): void {
  if (!pattern.test(value)) throw new Error(`'${printable(value)}' is no host name`);
}

function compileAlpn(protocols: readonly string[]): TcpTest {
  if (protocols.includes('acme-tls/1')) throw new Error("'acme-tls/1' belongs to certificate challenges and is not allowed here");
  return (view) => view.protocols.some((protocol) => protocols.includes(protocol));
}

function compileClientIp(ranges: readonly string[]): TcpTest {
  const test = compileIpMatcher(ranges);
  return (view) => {
    const ip = view.ip();
    return ip !== undefined && test(ip);
  };
}
