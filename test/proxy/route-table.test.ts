import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { createRequest } from '../../src/base/message.ts';
import { createRoutingView, type RoutingView } from '../../src/config/rule/routing-view.ts';
import { type CompiledRule, compileHttpRule, compileTcpRule, rulePriority, ruleSyntax } from '../../src/config/rule/rule.ts';
import { createTcpView } from '../../src/config/rule/tcp-matchers.ts';
import { createRouteTable, createTcpRouteTable, type RouteEntry, type RouteTable } from '../../src/proxy/route-table.ts';
import { httpRouters, routingView, tcpRouters, tcpView } from '../support/generated-rules.ts';

type Compile<View> = (rule: string, syntax: 'v2' | 'v3') => CompiledRule<View>;

/** Every rule is asked, in the order of priority, provider and name. */
function linearScan<View>(routers: readonly RouteEntry[], compile: Compile<View>): (view: View) => string | undefined {
  const rules = routers.map((entry) => ({ entry, rule: compile(entry.rule, ruleSyntax(entry.ruleSyntax)) }));
  rules.sort(({ entry: a }, { entry: b }) => {
    if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1;
    return a.providerRank - b.providerRank || (a.name < b.name ? -1 : 1);
  });
  return (view) => rules.find(({ rule }) => rule.test(view))?.entry.name;
}

function expectEqual<View>(
  table: RouteTable<RouteEntry, View>,
  routers: readonly RouteEntry[],
  compile: Compile<View>,
  views: View[],
): void {
  const scan = linearScan(routers, compile);
  for (const view of views) expect(table.match(view)?.name).toBe(scan(view));
}

describe('the index equals the linear scan', () => {
  it('for 100,000 requests to generated routers', () => {
    const views = fc.array(routingView, { minLength: 250, maxLength: 250 });
    fc.assert(
      fc.property(httpRouters(60), views, (routers, seen) => expectEqual(createRouteTable(routers), routers, compileHttpRule, seen)),
      { numRuns: 400 },
    );
  });

  it('for connections to generated TCP routers', () => {
    const views = fc.array(tcpView, { minLength: 50, maxLength: 50 });
    fc.assert(
      fc.property(tcpRouters(40), views, (routers, seen) => expectEqual(createTcpRouteTable(routers), routers, compileTcpRule, seen)),
      { numRuns: 100 },
    );
  });

  it('where many paths share a host, or none has one', () => {
    const path = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 5 }).map((letters) => `/${letters.join('')}`);
    const written = fc.tuple(fc.constantFrom('', 'Host(`a.test`) && '), fc.constantFrom('Path', 'PathPrefix', 'PathPrefix'), path);
    const rules = fc.array(written, { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(rules, rules, fc.array(path, { minLength: 60, maxLength: 60 }), (first, second, paths) => {
        const entries = (rows: typeof first, prefix: string): RouteEntry[] =>
          rows.map(([host, matcher, value], i) => router(`${prefix}${i}`, `${host}${matcher}(\`${value}\`)`, { priority: i % 7 }));
        const views = paths.map((seen) => viewOf('a.test', `${seen}/b`));
        const table = createRouteTable(entries(first, 'r'));
        expectEqual(table, entries(first, 'r'), compileHttpRule, views);
        const changed = table.update({ removed: first.map((_, i) => `r${i}`).filter((_, i) => i % 3 > 0), added: entries(second, 's') });
        const left = entries(first, 'r').filter((_, i) => i % 3 === 0);
        expectEqual(changed, [...left, ...entries(second, 's')], compileHttpRule, views);
        expectEqual(changed.update({ removed: second.map((_, i) => `s${i}`) }), left, compileHttpRule, views);
      }),
      { numRuns: 40 },
    );
  });

  it('after any change, and the table before is as it was', () => {
    const views = fc.array(routingView, { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(httpRouters(60), httpRouters(60), fc.array(fc.nat(59), { maxLength: 40 }), views, (first, second, numbers, seen) => {
        const before = createRouteTable(first);
        const removed = new Set(numbers.map((number) => first[number]?.name ?? 'nobody'));
        const after = before.update({ removed, added: second });
        const replaced = new Set(second.map(({ name }) => name));
        const left = [...first.filter(({ name }) => !removed.has(name) && !replaced.has(name)), ...second];
        expect(after.size).toBe(left.length);
        expectEqual(after, left, compileHttpRule, seen);
        expectEqual(before, first, compileHttpRule, seen);
        const emptied = after.update({ removed: left.map(({ name }) => name) });
        expect([emptied.size, seen.map((view) => emptied.match(view))]).toEqual([0, seen.map(() => undefined)]);
      }),
      { numRuns: 60 },
    );
  });
});

const router = (name: string, rule: string, facts: Partial<RouteEntry> = {}): RouteEntry => ({
  name,
  rule,
  priority: rulePriority(rule),
  providerRank: 0,
  ...facts,
});

const viewOf = (host: string, path = '/', flattenedHost = ''): RoutingView =>
  createRoutingView(createRequest({ host, path }), flattenedHost);

test.each<[string, RouteEntry[], string]>([
  ['the longer rule', [router('a', 'Host(`a.test`)'), router('b', 'Host(`a.test`) && PathPrefix(`/`)')], 'b'],
  ['the higher priority', [router('a', 'Host(`a.test`)', { priority: 99 }), router('b', 'Host(`a.test`) && PathPrefix(`/`)')], 'a'],
  [
    'a priority beyond 2⁵³',
    [router('a', 'PathPrefix(`/`)', { priority: 9007199254740993n }), router('b', 'PathPrefix(`/`)', { priority: 2 ** 53 })],
    'a',
  ],
  ['the earlier provider', [router('a', 'Host(`a.test`)', { providerRank: 1 }), router('b', 'Host(`a.test`)')], 'b'],
  ['the first name', [router('b', 'Host(`a.test`)'), router('a', 'Host(`a.test`)')], 'a'],
  ['the valid one', [router('b', 'Host(`a.test`) && Unknown(`x`)'), router('a', 'Host(`a.test`)')], 'a'],
  ['the one without a mistake in another part', [router('b', 'Host(`a.test`) || PathRegexp(`(`)'), router('a', 'Host(`a.test`)')], 'a'],
])('%s wins', (_, routers, winner) => {
  expect(createRouteTable(routers).match(viewOf('a.test'))?.name).toBe(winner);
});

test('a rule that cannot be parsed is told and takes nothing', () => {
  const table = createRouteTable([router('bad', 'Host(`a.test`'), router('good', 'Host(`b.test`)')]);
  expect(table.broken.map(({ entry, error }) => [entry.name, error.name])).toEqual([['bad', 'ConfigError']]);
  expect([table.size, table.match(viewOf('a.test'))]).toEqual([1, undefined]);
  expect(table.update({ removed: ['bad'] }).broken).toEqual([]);
});

test('explain gives the candidates of the host in order, with the first condition that failed', () => {
  const table = createRouteTable([
    router('any@file', 'PathPrefix(`/`)'),
    router('api@file', 'Host(`a.test`) && PathPrefix(`/api`) && Method(`POST`)'),
    router('either@file', 'Host(`a.test`) && (Path(`/x`) || !PathPrefix(`/`))'),
    router('other@file', 'Host(`b.test`)'),
    router('wild@file', 'Host(`*.test`) && Header(`X-A`, `1`)'),
  ]);
  const explained = table.explain(viewOf('a.test', '/index.html')).map(({ entry, matches, failures }) => [entry.name, matches, failures]);
  expect(explained).toEqual([
    ['api@file', false, ['PathPrefix(`/api`)']],
    ['either@file', false, ['Path(`/x`)', '!PathPrefix(`/`)']],
    ['wild@file', false, ['Header(`X-A`, `1`)']],
    ['any@file', true, []],
  ]);
  expect(table.explain(viewOf('a.test'), { all: true })).toHaveLength(5);
});

test('explain tells why no TCP router takes a connection', () => {
  const table = createTcpRouteTable([router('db@file', 'HostSNI(`db.test`) && ClientIP(`10.0.0.0/8`)')]);
  const view = createTcpView({ serverName: 'DB.test', clientAddress: '192.0.2.1', protocols: [] });
  expect([table.match(view), table.explain(view)[0]!.failures]).toEqual([undefined, ['ClientIP(`10.0.0.0/8`)']]);
});

test('the name that DNS leads to is looked up too', () => {
  const table = createRouteTable([router('a', 'Host(`origin.test`)'), router('w', 'Host(`*.cdn.test`)')]);
  expect(table.match(viewOf('shop.test', '/', 'Origin.test'))?.name).toBe('a');
  expect(table.match(viewOf('shop.test', '/', 'x.cdn.test'))?.name).toBe('w');
  expect(table.match(viewOf('shop.test', '/'))).toBeUndefined();
});

test('a table of many hosts is packed anew after many changes and stays right', () => {
  const routers = Array.from({ length: 6000 }, (_, i) => router(`r${i}`, `Host(\`h${i}.test\`)`));
  let table = createRouteTable(routers);
  for (let i = 0; i < 6000; i += 100) {
    const added = routers.slice(i, i + 100).map(({ name, rule }) => router(name, `${rule} && PathPrefix(\`/new\`)`));
    table = table.update({ added });
  }
  expect(table.size).toBe(6000);
  for (const i of [0, 99, 100, 4095, 4096, 4200, 5999]) {
    expect([table.match(viewOf(`h${i}.test`, '/new/x'))?.name, table.match(viewOf(`h${i}.test`))]).toEqual([`r${i}`, undefined]);
  }
});

test('a change in slices does little between two of them', () => {
  const routers = Array.from({ length: 2000 }, (_, i) => router(`r${i}`, `Host(\`h${i}.test\`)`));
  const steps = createRouteTable<RouteEntry>([]).updateInSlices({ added: routers });
  let slices = 0;
  for (let step = steps.next(); ; step = steps.next()) {
    if (!step.done) slices++;
    else {
      expect(step.value.match(viewOf('h1999.test'))?.name).toBe('r1999');
      break;
    }
  }
  expect(slices).toBeGreaterThan(2000 / 64);
});
