import { describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../../src/config/dynamic.ts';
import { createMerger } from '../../src/config/merge.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import { createApi } from '../../src/origin-agent/api.ts';
import { createAuthority } from '../support/edge/certificates.ts';

/**
 * Every request that the pages of Traefik's web UI make (its webui/src of 3.7.9: hooks, layout and pages), in the order in which they
 * make them: what a page shows decides what it asks next.
 */
const { key, certificate } = createAuthority().issue(['ui.test']);
const many = Object.fromEntries(
  Array.from({ length: 23 }, (_, i) => [`r${i}`, { rule: `Host(\`r${i}.test\`)`, service: 'app', middlewares: ['guard'] }]),
);
const dynamic = {
  http: {
    routers: { ...many, lost: { rule: 'Host(`lost`)', service: 'nope' }, tls: { rule: 'Host(`t`)', service: 'both', tls: {} } },
    services: {
      app: { loadBalancer: { servers: [{ url: 'http://10.0.0.1' }], healthCheck: { path: '/' } } },
      both: { weighted: { services: [{ name: 'app', weight: 1 }] } },
      copied: { mirroring: { service: 'app', mirrors: [{ name: 'app', percent: 10 }] } },
    },
    middlewares: { guard: { basicAuth: { users: ['a:b'] } }, small: { compress: {} } },
  },
  tcp: {
    routers: { t: { rule: 'HostSNI(`*`)', service: 't', middlewares: ['few'] } },
    services: { t: { loadBalancer: { servers: [{ address: '10.0.0.1:1' }] } } },
    middlewares: { few: { inFlightConn: { amount: 1 } } },
  },
  udp: {
    routers: { u: { service: 'u', entryPoints: ['dns'] } },
    services: { u: { loadBalancer: { servers: [{ address: '10.0.0.1:53' }] } } },
  },
  tls: { certificates: [{ certFile: certificate, keyFile: key }] },
};
const { configuration } = loadStatic({
  arguments: ['--entryPoints.web.address=:80', '--entryPoints.dns.address=:53/udp', '--api', '--providers.file.filename=x', '--ping'],
  environment: {},
  readFile: () => undefined,
});
const runtime = createMerger(configuration!).merge(
  new Map([['file', { configuration: decode(dynamicConfiguration, dynamic).value as DynamicConfiguration, problems: [] }]]),
);
const { api } = createApi({
  runtime: () => runtime,
  configuration: configuration!,
  health: () => ({ 'http://10.0.0.1': 'DOWN' }),
  version: '1.2.3',
  now: () => Date.now(),
});

type Json = Record<string, unknown>;
async function ask<T = Json>(path: string): Promise<{ data: T; nextPage: number }> {
  const response = api(new Request(`http://ui/api${path}`));
  expect([path, response.status]).toEqual([path, 200]);
  expect(response.headers.get('Content-Type')).toMatch(/^application\/json/);
  return { data: (await response.json()) as T, nextPage: Number.parseInt(response.headers.get('X-Next-Page') || '1', 10) };
}

/** A list as it is scrolled to its end, ten rows at a time. */
async function scroll(path: string, query = ''): Promise<Json[]> {
  const rows: Json[] = [];
  for (let page = 1; ; ) {
    const { data, nextPage } = await ask<Json[]>(`${path}?page=${page}&per_page=10${query}`);
    rows.push(...data);
    if (data.length === 0 || nextPage === 1) return rows;
    page = nextPage;
  }
}

const LISTS: readonly [path: string, sorts: readonly string[]][] = [
  ['/http/routers', ['status', 'rule', 'entryPoints', 'name', 'service', 'provider', 'priority']],
  ['/http/services', ['status', 'name', 'type', 'servers', 'provider']],
  ['/http/middlewares', ['status', 'name', 'type', 'provider']],
  ['/tcp/routers', ['status', 'rule', 'entryPoints', 'name', 'service', 'provider', 'priority']],
  ['/tcp/services', ['status', 'name', 'type', 'servers', 'provider']],
  ['/tcp/middlewares', ['status', 'name', 'type', 'provider']],
  ['/udp/routers', ['status', 'entryPoints', 'name', 'service', 'provider', 'priority']],
  ['/udp/services', ['status', 'name', 'type', 'servers', 'provider']],
];

describe("Traefik's web UI", () => {
  it('finds version, entry points and overview for the frame and the first page', async () => {
    const { data: version } = await ask('/version');
    expect(version).toMatchObject({ Version: expect.any(String), Codename: expect.any(String), startDate: expect.any(String) });
    const { data: entryPoints } = await ask<Json[]>('/entrypoints');
    expect(entryPoints.map(({ name, address }) => [name, address])).toContainEqual(['web', ':80']);
    const { data: overview } = await ask<Record<string, Record<string, Json>>>('/overview');
    for (const [protocol, kinds] of [
      ['http', ['routers', 'services', 'middlewares']],
      ['tcp', ['routers', 'services', 'middlewares']],
      ['udp', ['routers', 'services']],
    ] as const)
      for (const kind of kinds)
        expect(overview[protocol]![kind]).toEqual({ total: expect.any(Number), warnings: expect.any(Number), errors: expect.any(Number) });
    expect(overview.certificates).toMatchObject({ total: expect.any(Number) });
    expect(overview.features).toMatchObject({ tracing: expect.any(String), metrics: expect.any(String), accessLog: expect.any(Boolean) });
    expect(overview.providers).toEqual(['File']);
  });

  it.each(LISTS)('scrolls through %s, sorted and filtered', async (path, sorts) => {
    const rows = await scroll(path);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows)
      expect(row).toMatchObject({ name: expect.stringContaining('@'), provider: expect.any(String), status: expect.any(String) });
    for (const sort of sorts) {
      const [ascending, descending] = [
        await scroll(path, `&sortBy=${sort}&direction=asc`),
        await scroll(path, `&sortBy=${sort}&direction=desc`),
      ];
      expect(descending.map(({ name }) => name)).toEqual(ascending.map(({ name }) => name).reverse());
    }
    const byStatus = await Promise.all(['enabled', 'warning', 'disabled'].map((status) => scroll(path, `&status=${status}`)));
    expect(byStatus.flat()).toHaveLength(rows.length);
    expect(await scroll(path, '&search=no%20such%20thing')).toEqual([]);
    expect((await scroll(path, `&search=${encodeURIComponent(String(rows[0]!.name))}`)).length).toBeGreaterThan(0);
  });

  it.each(LISTS)('opens every row of %s, with all that its page leads to', async (path) => {
    const protocol = path.split('/')[1]!;
    for (const { name } of await scroll(path)) {
      const { data } = await ask(`${path}/${name}`);
      expect(data.name).toBe(name);
      for (const entryPoint of (data.using ?? []) as string[]) await ask(`/entrypoints/${entryPoint}`);
      for (const middleware of (data.middlewares ?? []) as string[]) await ask(`/${protocol}/middlewares/${middleware}`);
      for (const router of (data.usedBy ?? []) as string[]) await ask(`/${protocol}/routers/${router}`);
    }
  });

  it('shows the state of servers, and what is wrong with a router', async () => {
    expect((await ask('/http/services/app@file')).data).toMatchObject({
      serverStatus: { 'http://10.0.0.1': 'DOWN' },
      type: 'loadbalancer',
    });
    expect((await ask('/http/routers/lost@file')).data).toMatchObject({
      status: 'disabled',
      error: [expect.any(String)],
      priorityStr: '12',
    });
  });

  it('lists and opens certificates', async () => {
    for (const sort of ['status', 'cn', 'issuer', 'validUntil']) await scroll('/certificates', `&sortBy=${sort}&direction=desc`);
    const { data } = await ask<Json[]>('/certificates');
    expect(data.length).toBeGreaterThan(0);
    for (const { name, notAfter } of data) {
      expect(Number.isFinite(Date.parse(String(notAfter)))).toBe(true);
      expect((await ask(`/certificates/${name}`)).data).toMatchObject({ name, commonName: expect.any(String), sans: expect.any(Array) });
    }
  });
});
