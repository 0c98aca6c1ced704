import { describe, expect, it } from 'vitest';
import { createFacts, createRequest, HeaderList, type ProxyRequest } from '../../src/base/message.ts';
import { createMetrics, labelText, type Metrics, type MetricsOptions } from '../../src/proxy/metrics.ts';
import { metricsText } from '../../src/proxy/metrics-text.ts';
import { observe, observeRouter } from '../../src/proxy/observation.ts';

const ALL: MetricsOptions = { buckets: [1, 0.1], addEntryPointsLabels: true, addRoutersLabels: true, addServicesLabels: true };

/** One request that took 500 ms, answered by the second of two tries. */
function serve(metrics: Metrics, init: Partial<ProxyRequest> = {}, router: object = { service: 's@file' }): void {
  const request = createRequest({ entryPoint: 'web', facts: createFacts(1000), ...init });
  observe(request, undefined);
  const observation = request.facts.observation!;
  request.facts.routerName = 'r@file';
  observeRouter(observation, router as never);
  observation.tries.push({ service: 's@file', startedAt: 1000, durationMs: 50, status: 502, size: 11 });
  observation.tries.push({ service: 's@file', startedAt: 1100, durationMs: 100, status: 200, size: 6 });
  metrics.record(request, observation, { status: 200, sentBytes: 6 }, 1500);
}
const text = (options: Partial<MetricsOptions>, ...requests: Parameters<typeof serve> extends [unknown, ...infer R] ? R[] : never) => {
  const metrics = createMetrics({ ...ALL, ...options });
  for (const [init, router] of requests) serve(metrics, init, router);
  return metricsText([metrics.read()], [], ALL.buckets);
};
const lines = (output: string, prefix: string): string[] => output.split('\n').filter((line) => line.startsWith(prefix));

describe('createMetrics', () => {
  it('counts by entry point, router and service, each try of a service', () => {
    const output = text({}, []);
    expect(lines(output, 'traefik_entrypoint_re')).toEqual([
      'traefik_entrypoint_request_duration_seconds_bucket{code="200",entrypoint="web",method="GET",protocol="http",le="0.1"} 0',
      'traefik_entrypoint_request_duration_seconds_bucket{code="200",entrypoint="web",method="GET",protocol="http",le="1"} 1',
      'traefik_entrypoint_request_duration_seconds_bucket{code="200",entrypoint="web",method="GET",protocol="http",le="+Inf"} 1',
      'traefik_entrypoint_request_duration_seconds_sum{code="200",entrypoint="web",method="GET",protocol="http"} 0.5',
      'traefik_entrypoint_request_duration_seconds_count{code="200",entrypoint="web",method="GET",protocol="http"} 1',
      'traefik_entrypoint_requests_bytes_total{code="200",entrypoint="web",method="GET",protocol="http"} 0',
      'traefik_entrypoint_requests_total{code="200",entrypoint="web",method="GET",protocol="http"} 1',
      'traefik_entrypoint_responses_bytes_total{code="200",entrypoint="web",method="GET",protocol="http"} 6',
    ]);
    expect(lines(output, 'traefik_router_requests_total')).toEqual([
      'traefik_router_requests_total{code="200",method="GET",protocol="http",router="r@file",service="s@file"} 1',
    ]);
    expect(lines(output, 'traefik_service_requests_total')).toEqual([
      'traefik_service_requests_total{code="502",method="GET",protocol="http",service="s@file"} 1',
      'traefik_service_requests_total{code="200",method="GET",protocol="http",service="s@file"} 1',
    ]);
    expect(lines(output, 'traefik_service_retries_total')).toEqual(['traefik_service_retries_total{service="s@file"} 1']);
  });

  it.each<[string, Partial<ProxyRequest>, string]>([
    ['an unknown method', { method: 'BREW' }, 'code="200",entrypoint="web",method="EXTENSION_METHOD",protocol="http"'],
    ['a websocket', { upgrade: 'websocket' }, 'code="200",entrypoint="web",method="GET",protocol="websocket"'],
    ['events', { headers: new HeaderList(['Accept', 'text/event-stream']) }, 'code="200",entrypoint="web",method="GET",protocol="sse"'],
    [
      'gRPC',
      { headers: new HeaderList(['Content-Type', 'application/grpc+proto']) },
      'code="2",entrypoint="web",method="GET",protocol="grpc"',
    ],
    [
      'gRPC web',
      { headers: new HeaderList(['Content-Type', 'application/grpc-web']) },
      'code="2",entrypoint="web",method="GET",protocol="grpc-web"',
    ],
  ])('%s', (_, init, labels) => {
    expect(lines(text({}, [init]), 'traefik_entrypoint_requests_total')).toEqual([`traefik_entrypoint_requests_total{${labels}} 1`]);
  });

  it('labels the request counters by header fields, escaped', () => {
    const output = text({ headerLabels: { agent: 'User-Agent', x: 'X-None' } }, [{ headers: new HeaderList(['user-agent', 'a"b\\c']) }]);
    expect(lines(output, 'traefik_entrypoint_requests_total')).toEqual([
      'traefik_entrypoint_requests_total{agent="a\\"b\\\\c",code="200",entrypoint="web",method="GET",protocol="http",x=""} 1',
    ]);
    expect(lines(output, 'traefik_entrypoint_responses_bytes_total')[0]).not.toContain('agent');
  });

  it('counts TLS', () => {
    const tls = { serverName: 'a', version: '1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientCertificates: [], options: 'default' };
    expect(lines(text({}, [{ tls }]), 'traefik_entrypoint_requests_tls_total')).toEqual([
      'traefik_entrypoint_requests_tls_total{entrypoint="web",tls_cipher="TLS_AES_128_GCM_SHA256",tls_version="1.3"} 1',
    ]);
  });

  it.each<[string, Partial<MetricsOptions>, object, boolean]>([
    ['a service of ours', {}, { service: 'ping@internal' }, false],
    ['a service of ours, wanted', { addInternals: true }, { service: 'ping@internal' }, true],
    ['a router without', {}, { service: 's@file', observability: { metrics: false } }, false],
    ['no label wanted', { addEntryPointsLabels: false, addRoutersLabels: false, addServicesLabels: false }, { service: 's@file' }, false],
  ])('%s', (_, options, router, counted) => {
    expect(text(options, [{}, router]) !== '').toBe(counted);
  });
});

describe('metricsText', () => {
  it('adds up threads and writes each family once, sorted', () => {
    const readings = [1, 2, 3].map(() => {
      const metrics = createMetrics(ALL);
      serve(metrics);
      return metrics.read();
    });
    const gauge = { name: 'traefik_a', type: 'gauge', help: 'A.', values: new Map([['', 7]]) } as const;
    const output = metricsText(readings, [gauge, { ...gauge, name: 'traefik_none', values: new Map() }], ALL.buckets);
    expect(lines(output, 'traefik_entrypoint_requests_total')[0]).toMatch(/ 3$/);
    expect(lines(output, 'traefik_entrypoint_request_duration_seconds_sum')[0]).toMatch(/ 1.5$/);
    expect(output.startsWith('# HELP traefik_a A.\n# TYPE traefik_a gauge\ntraefik_a 7\n')).toBe(true);
    expect(output).not.toContain('traefik_none');
    const types = lines(output, '# TYPE');
    expect(types).toEqual([...new Set(types)].sort());
    expect(output).not.toContain('undefined');
  });
});

describe('labelText', () => {
  it('keeps a label on one line', () => {
    expect(
      labelText([
        ['b', 'x\ny'],
        ['a', ''],
      ]),
    ).toBe('a="",b="x\\ny"');
  });
});
