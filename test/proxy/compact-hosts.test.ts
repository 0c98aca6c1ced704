import { expect, test } from 'vitest';
import { createRequest } from '../../src/base/message.ts';
import { type Constraint, httpConstraints } from '../../src/config/rule/constraint.ts';
import { createRoutingView, type RoutingView } from '../../src/config/rule/routing-view.ts';
import { compileHttpRule } from '../../src/config/rule/rule.ts';
import { createCompactHostsBuilder } from '../../src/proxy/compact-hosts-builder.ts';
import { drain } from '../../src/proxy/layered-map.ts';
import { Route, type RouteEntry } from '../../src/proxy/route-list.ts';

const entry = (name: string, rule: string, priority = rule.length): RouteEntry => ({ name, rule, priority, providerRank: 0 });
const createRoute = (router: RouteEntry): Route<RouteEntry, RoutingView> => new Route(router, compileHttpRule);

function pack(routers: RouteEntry[], large = 16) {
  const builder = createCompactHostsBuilder<RouteEntry, RoutingView>(createRoute);
  for (const router of routers)
    for (const constraint of httpConstraints(router.rule, 'v3')) expect(builder.add(router, constraint)).toBe(true);
  const left: [string, string[]][] = [];
  const compact = drain(builder.finish(large, (host, placements) => left.push([host, placements.map(({ entry: { name } }) => name)])));
  const find = (host: string, path = '/', from = 0): string | undefined =>
    compact.find(host, from, createRoutingView(createRequest({ host, path })), true)?.name;
  return { compact, find, left, ceiling: builder.ceiling() };
}

test('hosts of every length are found, and none that is not there', () => {
  const hosts = Array.from({ length: 255 }, (_, i) => 'x'.repeat(i + 1));
  const { find, compact } = pack(hosts.map((host) => entry(host, `Host(\`${host}\`)`)));
  expect(hosts.map((host) => find(host))).toEqual(hosts);
  expect([find('y'), find(''), find(`${'x'.repeat(9)}y`), find('x'.repeat(256)), find('é'), compact.hosts]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    255,
  ]);
});

test('the candidates of a host are asked in order', () => {
  const { find, compact, ceiling } = pack([
    entry('all', 'Host(`a.test`)'),
    entry('api', 'Host(`a.test`) && PathPrefix(`/api`)'),
    entry('exact', 'Host(`a.test`) && Path(`/api`)', 99),
    entry('put', 'Host(`a.test`) && Method(`PUT`)', 200),
  ]);
  expect([find('a.test'), find('a.test', '/api'), find('a.test', '/api/x'), ceiling]).toEqual(['all', 'exact', 'api', 200]);
  expect(
    compact
      .placements('a.test')
      .map(({ entry: { name }, constraint }) => [name, constraint.pathKind, constraint.path, constraint.complete]),
  ).toEqual([
    ['put', 'any', '', false],
    ['exact', 'exact', '/api', true],
    ['api', 'prefix', '/api', true],
    ['all', 'any', '', true],
  ]);
  expect(compact.placements('b.test')).toEqual([]);
});

test('what follows a place of the host is looked up', () => {
  const { find } = pack([entry('wild', 'Host(`*.a.test`)')]);
  expect([find('x.a.test', '/', 1), find('x.y.a.test', '/', 1), find('.a.test')]).toEqual(['wild', undefined, 'wild']);
});

test('a host with many routers is left to others', () => {
  const routers = Array.from({ length: 3 }, (_, i) => entry(`r${i}`, `Host(\`a.test\`) && Path(\`/${i}\`)`));
  const { find, left, compact } = pack([...routers, entry('b', 'Host(`b.test`)')], 3);
  expect([left, find('a.test', '/0'), find('b.test'), compact.hosts]).toEqual([[['a.test', ['r0', 'r1', 'r2']]], undefined, 'b', 1]);
});

test('a host that cannot be packed is refused', () => {
  const builder = createCompactHostsBuilder<RouteEntry, RoutingView>(createRoute);
  const constraint = (host: string): Constraint => ({ hostKind: 'exact', host, pathKind: 'any', path: '', complete: true });
  expect(['x'.repeat(256), 'é'].map((host) => builder.add(entry('a', ''), constraint(host)))).toEqual([false, false]);
});

test('a host whose candidates do not fit into its slot is found all the same', () => {
  const long = `${'x'.repeat(60)}.test`;
  const many = Array.from({ length: 6 }, (_, i) => entry(`m${i}`, `Host(\`m.test\`) && Path(\`/${i}\`)`, 10 - i));
  const { find, compact } = pack([...many, entry('long', `Host(\`${long}\`)`), entry('api', `Host(\`${long}\`) && PathPrefix(\`/api\`)`)]);
  expect([0, 1, 2, 3, 4, 5, 6].map((i) => find('m.test', `/${i}`))).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5', undefined]);
  expect([find(long), find(long, '/api'), find(`y${long.slice(1)}`), compact.foundPriority()]).toEqual([
    'long',
    'api',
    undefined,
    `Host(\`${long}\`) && PathPrefix(\`/api\`)`.length,
  ]);
  expect(compact.placements('m.test').map(({ entry: { name } }) => name)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
});
