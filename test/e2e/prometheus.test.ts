import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { findServer, type RunningServer, startServer } from '../support/servers.ts';

const prometheusPath = findServer('prometheus');

/** A real Prometheus reads a real agent with two data threads. */
describe.skipIf(prometheusPath === undefined)('Prometheus (Debian: prometheus)', () => {
  let server: Server;
  let agent: AgentProcess;
  let prometheus: RunningServer;
  let web: number;

  const query = async (path: string, parameters: Record<string, string> = {}): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${prometheus.port}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { status, data } = (await response.json()) as { status: string; data: unknown };
    expect(status).toBe('success');
    return data;
  };
  /** Value of the only series that fits; undefined while there is none. */
  async function numberOf(expression: string): Promise<number | undefined> {
    const { result } = (await query('query', { query: expression })) as { result: { value: [number, string] }[] };
    return result.length === 1 ? Number(result[0]!.value[1]) : undefined;
  }

  beforeAll(async () => {
    server = createServer((_, response) => void response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const [webPort, admin, own] = await Promise.all([freePort(), freePort(), freePort()]);
    web = webPort;
    agent = new AgentProcess();
    agent.writeDynamic(`http:
  routers:
    app: {rule: "PathPrefix(\`/\`)", service: app, entryPoints: [web]}
  services:
    app: {loadBalancer: {servers: [{url: "http://127.0.0.1:${port}"}], healthCheck: {path: /, interval: 1s}}}
`);
    agent.start(`
entryPoints: {web: {address: "127.0.0.1:${web}"}, traefik: {address: "127.0.0.1:${admin}"}}
providers: {providersThrottleDuration: 10ms, file: {filename: $DYNAMIC}}
metrics: {prometheus: {addRoutersLabels: true, headerLabels: {agent: User-Agent}}}
edge: {threads: 2}
`);
    await until(async () => (await fetch(`http://127.0.0.1:${web}/`)).status === 200);
    const config = join(agent.folder, 'prometheus.yml');
    mkdirSync(join(agent.folder, 'data'));
    writeFileSync(
      config,
      `global: {scrape_interval: 1s}\nscrape_configs: [{job_name: edgeway, static_configs: [{targets: ["127.0.0.1:${admin}"]}]}]\n`,
    );
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(agent.folder, 'data')}`, `--web.listen-address=127.0.0.1:${own}`];
    prometheus = await startServer(prometheusPath!, args, own, /Server is ready to receive web requests/);
  }, 30_000);

  afterAll(async () => {
    await prometheus?.stop();
    await agent?.stop();
    server?.close();
  });

  it('takes every line of the scrape', async () => {
    const target = await until(async () => {
      const { activeTargets } = (await query('targets')) as { activeTargets: { health: string; lastError: string }[] };
      return activeTargets.find(({ health }) => health !== 'unknown');
    });
    expect([target.health, target.lastError]).toEqual(['up', '']);
  });

  it('knows the families with their types', async () => {
    const metadata = await until(async () => {
      const all = (await query('metadata')) as Record<string, { type: string; help: string }[]>;
      return 'traefik_service_server_up' in all && all;
    });
    const types = Object.fromEntries(Object.entries(metadata).map(([name, [first]]) => [name, first!.type]));
    const scopes = ['entrypoint', 'router', 'service'];
    expect(types).toMatchObject({
      traefik_config_reloads_total: 'counter',
      traefik_config_last_reload_success: 'gauge',
      traefik_open_connections: 'gauge',
      traefik_service_server_up: 'gauge',
      ...Object.fromEntries(scopes.map((scope) => [`traefik_${scope}_requests_total`, 'counter'])),
      ...Object.fromEntries(scopes.map((scope) => [`traefik_${scope}_requests_bytes_total`, 'counter'])),
      ...Object.fromEntries(scopes.map((scope) => [`traefik_${scope}_responses_bytes_total`, 'counter'])),
      ...Object.fromEntries(scopes.map((scope) => [`traefik_${scope}_request_duration_seconds`, 'histogram'])),
    });
  });

  it('counts what was served by all threads, and makes quantiles of the histogram', async () => {
    await Promise.all(
      Array.from({ length: 50 }, () => fetch(`http://127.0.0.1:${web}/`, { headers: { 'User-Agent': 'counted', Connection: 'close' } })),
    );
    expect(
      await until(async () => (await numberOf('traefik_entrypoint_requests_total{entrypoint="web",agent="counted",code="200"}')) === 50),
    ).toBe(true);
    expect(await numberOf('sum(traefik_router_requests_total{router="app@file",service="app@file",agent="counted"})')).toBe(50);
    const responded = await numberOf('sum(traefik_service_responses_bytes_total{service="app@file",code="200"})');
    expect(responded).toBeGreaterThanOrEqual(250);
    const quantile = 'histogram_quantile(0.5, sum by (le) (traefik_entrypoint_request_duration_seconds_bucket{entrypoint="web"}))';
    expect(await numberOf(quantile)).toBeGreaterThan(0);
    expect(await numberOf('traefik_service_server_up{service="app@file"}')).toBe(1);
  });
});
