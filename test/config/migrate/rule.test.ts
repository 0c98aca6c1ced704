import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRawRequest } from '../../../scripts/vectors/raw-request.ts';
import { migrateRule } from '../../../src/config/migrate/rule.ts';
import { createRoutingView, type RoutingView } from '../../../src/config/rule/routing-view.ts';
import { compileHttpRule } from '../../../src/config/rule/rule.ts';
import { createRequestPreparation } from '../../../src/proxy/entry-point.ts';

describe('migrateRule', () => {
  it.each([
    ['Host(`a.test`)', 'Host(`a.test`)'],
    ['Host(`a.test`, `b.test`)', 'Host(`a.test`) || Host(`b.test`)'],
    ['Host(`a.test`,`b.test`) && PathPrefix(`/x`)', '(Host(`a.test`) || Host(`b.test`)) && PathPrefix(`/x`)'],
    ['!Host(`a.test`,`b.test`)', '!(Host(`a.test`) || Host(`b.test`))'],
    ['HostHeader(`a.test`)', 'Host(`a.test`)'],
    ['HostRegexp(`{sub:[a-z]+}.a.test`)', 'HostRegexp(`^[a-z]+\\.a\\.test$`)'],
    ['HostRegexp(`{sub:[A-Z]+}.a.test`)', 'HostRegexp(`(?i)^[A-Z]+\\.a\\.test$`)'],
    ['HostRegexp(`{sub:a|b}.test`)', 'HostRegexp(`^(a|b)\\.test$`)'],
    ['HostRegexp(`a.test`)', 'Host(`a.test`)'],
    ['Path(`/a/{id:[0-9]{1,3}}`, `/b`)', 'PathRegexp(`^/a/[0-9]{1,3}$`) || Path(`/b`)'],
    ['PathPrefix(`/a/{id}`)', 'PathRegexp(`^/a/[^/]+`)'],
    ['Method(`GET`, `POST`)', 'Method(`GET`) || Method(`POST`)'],
    ['Headers(`X-A`, `1`)', 'Header(`X-A`, `1`)'],
    ['HeadersRegexp("X-A", "^1")', 'HeaderRegexp("X-A", "^1")'],
    ['Query(`a=1`, `b=`)', 'Query(`a`, `1`) && QueryRegexp(`b`, `.*`)'],
    ['Query(`a={x:[0-9]+}`)', 'QueryRegexp(`a`, `^[0-9]+$`)'],
    ['ClientIP(`10.0.0.0/8`, `::1`)', 'ClientIP(`10.0.0.0/8`) || ClientIP(`::1`)'],
    ['Path(`/{a:x`)', undefined],
    ['Host(`*.a.test`)', undefined],
    ['Headers(`A`, `1`, `A`, `2`)', 'Header(`A`, `2`)'],
    ['HostRegexp(`^a\\.test$`)', undefined],
    ['PathRegexp(`^/a`) && Header(`A`, `b`)', 'PathRegexp(`^/a`) && Header(`A`, `b`)'],
    ['  Host( `a`  , "b" ) // both', '  Host(`a`) || Host(`b`) // both'],
  ])('%s', (rule, expected) => {
    const migrated = migrateRule(rule, 'http');
    if (expected === undefined) expect(migrated).toEqual({ rule, note: expect.any(String) });
    else expect(migrated).toEqual({ rule: expected });
  });

  it.each([
    ['HostSNI(`a.test`, `b.test`)', 'HostSNI(`a.test`) || HostSNI(`b.test`)'],
    ['HostSNIRegexp(`{x:.+}.a.test`)', 'HostSNIRegexp(`^.+\\.a\\.test$`)'],
    ['HostSNI(`*`)', 'HostSNI(`*`)'],
    ['ALPN(`h2`, `http/1.1`) && ClientIP(`10.0.0.1`)', '(ALPN(`h2`) || ALPN(`http/1.1`)) && ClientIP(`10.0.0.1`)'],
  ])('TCP: %s', (rule, expected) => {
    expect(migrateRule(rule, 'tcp')).toEqual({ rule: expected });
  });

  it('takes the same requests afterwards, on all recorded rules of syntax v2', () => {
    const { groups } = JSON.parse(readFileSync(new URL('../../vectors/rules/http-v2.json', import.meta.url), 'utf8'));
    const prepare = createRequestPreparation({}, 'proxy');
    const differences: string[] = [];
    let compared = 0;
    for (const { routers, requests, syntax } of groups) {
      const views: RoutingView[] = [];
      for (const { raw, remoteAddr } of requests) {
        const request = parseRawRequest(raw, remoteAddr);
        if (typeof request !== 'number' && prepare(request) === undefined) views.push(createRoutingView(request));
      }
      for (const { rule, syntax: own = syntax } of routers) {
        if (own !== 'v2') continue;
        const migrated = migrateRule(rule, 'http');
        const before = compiled(rule);
        if (migrated.note !== undefined || before === undefined) continue;
        const after = compileHttpRule(migrated.rule, 'v3');
        for (const view of views) {
          // v3 reads every value of a key and takes `a.test.` for `a.test`; brackets of IPv6 are no part of its hosts.
          if (
            view.rawHost.includes('.:') ||
            view.rawHost.endsWith('.') ||
            view.rawHost.startsWith('[') ||
            rule.includes('.`') ||
            isRepeated(view)
          )
            continue;
          compared++;
          if (before.test(view) !== after.test(view))
            differences.push(`${rule} → ${migrated.rule}: ${view.method} ${view.rawHost} ${view.path}`);
        }
      }
    }
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(1000);
  });
});

function compiled(rule: string) {
  try {
    return compileHttpRule(rule, 'v2');
  } catch {
    return undefined;
  }
}

const isRepeated = (view: RoutingView): boolean => ['color', 'id', 'a', 'b', 'q', 'x'].some((key) => (view.query(key) ?? []).length > 1);
