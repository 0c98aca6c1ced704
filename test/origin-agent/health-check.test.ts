import { describe, expect, it } from 'vitest';
import { createHealthChecks } from '../../src/origin-agent/health-check.ts';
import { answer, createTestPlatform } from '../support/platform.ts';
import { runtimeOf } from '../support/runtime.ts';

const checked = (host: string): string => `{loadBalancer: {servers: [{url: "http://${host}"}], healthCheck: {path: /up, interval: 10s}}}`;
const dynamic = (routers: string, middlewares = ''): string => `
http:
  routers: {${routers}}
  ${middlewares}
  services:
    direct: ${checked('direct')}
    weighted: {weighted: {services: [{name: child, weight: 1}]}}
    child: ${checked('child')}
    page: ${checked('page')}
    unused: ${checked('unused')}
`;
const APP = 'app: {rule: "Host(`a`)", service: direct}';

function start() {
  let status = 200;
  const platform = createTestPlatform(() => answer('', status)());
  const changes: [string, boolean][] = [];
  const checks = createHealthChecks({ ...platform, onChange: (service, _, up) => changes.push([service, up]) });
  return {
    checks,
    changes,
    platform,
    hosts: () => platform.sent.map(({ url }) => new URL(url).host).sort(),
    answers: (next: number) => void (status = next),
    /** Lets the answers of this round come in. */
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

describe('createHealthChecks', () => {
  it.each<[string, string, string, string[]]>([
    ['a router', APP, '', ['direct']],
    ['a service of a router', 'app: {rule: "Host(`a`)", service: weighted}', '', ['child']],
    ['error pages', APP, 'middlewares: {oops: {errors: {status: ["500"], service: page, query: /}}}', ['direct', 'page']],
  ])('probes what is used by %s, and nothing else', async (_, routers, middlewares, hosts) => {
    const { checks, settle, hosts: asked } = start();
    checks.update(runtimeOf(dynamic(routers, middlewares)));
    await settle();
    expect(asked()).toEqual(hosts);
    expect(checks.status('unused@file')).toBeUndefined();
  });

  it('tells when a server goes down and comes back, once each', async () => {
    const { checks, settle, changes, platform, answers } = start();
    checks.update(runtimeOf(dynamic(APP)));
    for (const status of [500, 500, 200, 200]) {
      answers(status);
      platform.advance(10_000);
      await settle();
    }
    expect(changes).toEqual([
      ['direct@file', false],
      ['direct@file', true],
    ]);
    expect(checks.status('direct@file')).toEqual({ 'http://direct': 'UP' });
  });

  it('keeps its rhythm over a reload, and forgets a service that nobody uses any more', async () => {
    const { checks, settle, platform, answers } = start();
    answers(500);
    const runtime = runtimeOf(dynamic(APP));
    checks.update(runtime);
    await settle();
    checks.update(runtimeOf(dynamic(APP)));
    await settle();
    expect(platform.sent).toHaveLength(1);
    expect(checks.status('direct@file')).toEqual({ 'http://direct': 'DOWN' });
    checks.update(runtimeOf(dynamic('other: {rule: "Host(`b`)", service: weighted}')));
    await settle();
    platform.advance(10_000);
    await settle();
    expect(platform.sent.map(({ url }) => url)).toEqual(['http://direct', 'http://child', 'http://child']);
    expect(checks.status('direct@file')).toBeUndefined();
  });
});
