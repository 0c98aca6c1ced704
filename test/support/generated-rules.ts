import fc from 'fast-check';
import { createRequest, HeaderList } from '../../src/base/message.ts';
import { createRoutingView, type RoutingView } from '../../src/config/rule/routing-view.ts';
import { createTcpView, type TcpView } from '../../src/config/rule/tcp-matchers.ts';
import type { RouteEntry } from '../../src/proxy/route-table.ts';

/** Few hosts and paths that begin alike, so that generated routers compete. */
const HOSTS = ['a.test', 'b.test', 'x.a.test', 'y.a.test', 'x.y.a.test', 'a.test.', 'A.Test', 'test', 'localhost'];
const PATHS = ['/', '/a', '/a/', '/a/b', '/ab', '/a/b/c', '/b', '/b/', '/é', '/a%2Fb', `/${'long/'.repeat(60)}`];

const call = (name: string, ...values: string[]): string => `${name}(${values.map((value) => `\`${value}\``).join(', ')})`;
const host = fc.constantFrom(...HOSTS);
const path = fc.constantFrom(...PATHS);
const wildcard = fc.constantFrom('*.a.test', '*.test', '*', '*.y.a.test', '*.', '*.a.test.');

const other = fc.constantFrom(
  'Method(`GET`)',
  'Header(`X-Color`, `red`)',
  'HeaderRegexp(`X-Color`, `^r`)',
  'Query(`q`, `1`)',
  'ClientIP(`10.0.0.0/8`)',
  'HostRegexp(`^[xy]\\.`)',
  'PathRegexp(`^/a`)',
);
const v3Leaf = fc.oneof(
  { weight: 4, arbitrary: host.map((value) => call('Host', value)) },
  { weight: 1, arbitrary: wildcard.map((value) => call('Host', value)) },
  { weight: 3, arbitrary: path.map((value) => call('PathPrefix', value)) },
  { weight: 2, arbitrary: path.map((value) => call('Path', value)) },
  { weight: 1, arbitrary: other },
);
const v2Leaf = fc.oneof(
  { weight: 4, arbitrary: fc.array(host, { minLength: 1, maxLength: 3 }).map((values) => call('Host', ...values)) },
  { weight: 3, arbitrary: fc.array(path, { minLength: 1, maxLength: 2 }).map((values) => call('PathPrefix', ...values)) },
  { weight: 2, arbitrary: path.map((value) => call('Path', value)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'PathPrefix(`/a/{id}`)',
      'HostRegexp(`{sub:[xy]}.a.test`)',
      'Method(`GET`, `PUT`)',
      'Headers(`X-Color`, `red`)',
    ),
  },
);
const tcpLeaf = fc.oneof(
  { weight: 4, arbitrary: host.map((value) => call('HostSNI', value)) },
  { weight: 1, arbitrary: fc.constantFrom('*.a.test', '*.test', '*').map((value) => call('HostSNI', value)) },
  { weight: 1, arbitrary: fc.constantFrom('ALPN(`h2`)', 'ClientIP(`10.0.0.0/8`)', 'HostSNIRegexp(`^x`)') },
);

function ruleOf(leaf: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const { rule } = fc.letrec<{ rule: string }>((tie) => ({
    rule: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 5, arbitrary: leaf },
      { weight: 4, arbitrary: fc.tuple(tie('rule'), tie('rule')).map(([left, right]) => `(${left}) && (${right})`) },
      { weight: 2, arbitrary: fc.tuple(tie('rule'), tie('rule')).map(([left, right]) => `(${left}) || (${right})`) },
      { weight: 1, arbitrary: tie('rule').map((inner) => `!(${inner})`) },
    ),
  }));
  return rule;
}

const priority = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(-3, 2 ** 53, 9007199254740993n, 9223372036854774807n, 9223372036854775806n) },
);

function routersOf(rules: fc.Arbitrary<{ rule: string; ruleSyntax: string }>, maxLength: number): fc.Arbitrary<RouteEntry[]> {
  const router = fc.record({ rule: rules, priority, providerRank: fc.integer({ min: 0, max: 2 }) });
  return fc
    .array(router, { maxLength })
    .map((routers) => routers.map(({ rule, ...facts }, i) => ({ ...facts, ...rule, name: `r${(i * 7919) % 1000}@p` })));
}

/** Valid HTTP routers of both syntaxes with unique names. */
export const httpRouters = (maxLength: number): fc.Arbitrary<RouteEntry[]> =>
  routersOf(
    fc.oneof(
      { weight: 3, arbitrary: ruleOf(v3Leaf).map((rule) => ({ rule, ruleSyntax: 'v3' })) },
      { weight: 1, arbitrary: ruleOf(v2Leaf).map((rule) => ({ rule, ruleSyntax: 'v2' })) },
    ),
    maxLength,
  );

export const tcpRouters = (maxLength: number): fc.Arbitrary<RouteEntry[]> =>
  routersOf(
    ruleOf(tcpLeaf).map((rule) => ({ rule, ruleSyntax: 'v3' })),
    maxLength,
  );

export const routingView: fc.Arbitrary<RoutingView> = fc
  .record({
    host: fc.constantFrom(...HOSTS, 'a.test:8080', 'a.test..', 'unknown.test', 'z.z.z', '', '.', '[::1]:80'),
    path: fc.constantFrom(...PATHS, '/a/b/c/d', '/%C3%A9', '/nothing', '*', `/${'long/'.repeat(80)}`),
    query: fc.constantFrom(undefined, 'q=1', 'q=2'),
    method: fc.constantFrom('GET', 'PUT'),
    color: fc.constantFrom('red', 'rose', 'blue'),
    clientAddress: fc.constantFrom('10.1.2.3', '192.0.2.1', '::1'),
    flattened: fc.constantFrom('', '', '', 'b.test', 'x.a.test', 'b.test.', 'B.test'),
  })
  .map(({ color, flattened, ...facts }) =>
    createRoutingView(createRequest({ ...facts, headers: new HeaderList(['X-Color', color]) }), flattened),
  );

export const tcpView: fc.Arbitrary<TcpView> = fc
  .record({
    serverName: fc.constantFrom(...HOSTS, 'unknown.test', '', 'a.test..'),
    clientAddress: fc.constantFrom('10.1.2.3', '192.0.2.1'),
    protocols: fc.constantFrom<string[]>([], ['h2', 'http/1.1']),
  })
  .map(createTcpView);
