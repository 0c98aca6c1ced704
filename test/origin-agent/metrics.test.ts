import { describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../../src/config/dynamic.ts';
import { createMerger } from '../../src/config/merge.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import { createPrometheus, type ThreadMetrics } from '../../src/origin-agent/metrics.ts';

const { configuration } = loadStatic({ arguments: ['--entryPoints.web.address=:80'], environment: {}, readFile: () => undefined });
const service = (url: string, more: object = {}) => ({ loadBalancer: { servers: [{ url }], ...more } });
const dynamic = { http: { services: { s: service('http://1.1.1.1', { healthCheck: { path: '/' } }), t: service('http://2.2.2.2') } } };
const says = new Map([['file', { configuration: decode(dynamicConfiguration, dynamic).value as DynamicConfiguration, problems: [] }]]);
const runtime = createMerger(configuration!).merge(says);
const thread = (open: number): ThreadMetrics => ({
  requests: { counters: new Map([['traefik_service_retries_total', new Map([['service="s"', 2]])]]), histograms: new Map() },
  open: { web: open },
});

async function scrape(addServicesLabels: boolean): Promise<{ type: string | null; lines: string[] }> {
  const answer = await createPrometheus({
    buckets: [0.1],
    addServicesLabels,
    runtime: () => runtime,
    health: () => ({ 'http://1.1.1.1': 'DOWN' }),
    threads: async () => [thread(3), thread(4)],
    reloads: () => ({ count: 5, lastMs: 12_900 }),
    now: () => 7_000,
  })();
  return { type: answer.headers.get('Content-Type'), lines: (await answer.text()).split('\n') };
}

describe('createPrometheus', () => {
  it('sums threads, and adds what the control thread knows', async () => {
    const { type, lines } = await scrape(true);
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8; escaping=underscores');
    expect(lines).toEqual(
      expect.arrayContaining([
        'traefik_config_reloads_total 5',
        'traefik_config_last_reload_success 12',
        'traefik_open_connections{entrypoint="web",protocol="TCP"} 7',
        'traefik_service_retries_total{service="s"} 4',
        'traefik_service_server_up{service="s@file",url="http://1.1.1.1"} 0',
        'process_start_time_seconds 7',
      ]),
    );
    expect(lines.filter((line) => line.startsWith('traefik_service_server_up'))).toHaveLength(1);
    expect(lines.some((line) => line.startsWith('go_') || line.includes('tls_certs'))).toBe(false);
  });

  it('has no servers without service labels', async () => {
    const { lines } = await scrape(false);
    expect(lines.some((line) => line.includes('server_up'))).toBe(false);
  });
});
