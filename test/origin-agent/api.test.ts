import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../../src/config/dynamic.ts';
import { createMerger } from '../../src/config/merge.ts';
import type { StaticConfiguration } from '../../src/config/static.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import { createApi } from '../../src/origin-agent/api.ts';

const SECRET = 'planted-secret';
const dynamic = {
  http: {
    routers: {
      r: { rule: 'Host(`a`)', service: 's', middlewares: ['auth'] },
      lost: { rule: 'Host(`b`)', service: 'nope' },
      nowhere: { rule: 'Host(`c`)', service: 's', entryPoints: ['none'] },
    },
    services: {
      s: { loadBalancer: { servers: [{ url: 'http://1.2.3.4' }, { url: 'http://1.2.3.5' }], healthCheck: { path: '/' } } },
      idle: { loadBalancer: {} },
    },
    middlewares: { auth: { basicAuth: { users: [`bob:${SECRET}`] } } },
  },
};

function start(...flags: string[]) {
  const { configuration } = loadStatic({
    arguments: ['--entryPoints.web.address=:80', '--api', '--providers.file.filename=x', ...flags],
    environment: {},
    readFile: () => undefined,
  });
  const merger = createMerger(configuration as StaticConfiguration);
  const runtime = merger.merge(
    new Map([['file', { configuration: decode(dynamicConfiguration, dynamic).value as DynamicConfiguration, problems: [] }]]),
  );
  return createApi({
    runtime: () => runtime,
    configuration: configuration as StaticConfiguration,
    health: (name) => (name === 's@file' ? { 'http://1.2.3.5': 'DOWN' } : undefined),
    version: '1.2.3',
    now: () => 0,
  });
}
const get = (path: string, method = 'GET') => new Request(`http://x${path}`, { method });

describe('createApi', () => {
  const { api, dashboard } = start();

  it.each<[string, string, number]>([
    ['GET', '/api/version', 200],
    ['GET', '/api/overview', 200],
    ['GET', '/api/http/routers/r@file', 200],
    ['GET', '/api/http/routers/r%40file', 200],
    ['GET', '/api/http/routers/%', 400],
    ['GET', '/api/http/routers/none@file', 404],
    ['GET', '/api/http/routers/', 404],
    ['GET', '/api/udp/middlewares', 404],
    ['GET', '/api/certificates', 200],
    ['GET', '/api/certificates/00', 404],
    ['GET', '/api', 404],
    ['POST', '/api/overview', 405],
    ['HEAD', '/api/version', 405],
    ['DELETE', '/api/http/routers/r@file', 405],
    ['GET', '/', 302],
    ['GET', '/dashboard/', 200],
    ['GET', '/dashboard/x.js', 404],
  ])('%s %s → %i', (method, path, status) => {
    expect(api(get(path, method)).status).toBe(status);
  });

  it('shows servers with their health, of services in use only', async () => {
    const services = (await api(get('/api/http/services')).json()) as { name: string; serverStatus?: object }[];
    const shown = Object.fromEntries(services.map(({ name, serverStatus }) => [name, serverStatus]));
    expect(shown['s@file']).toEqual({ 'http://1.2.3.4': 'UP', 'http://1.2.3.5': 'DOWN' });
    expect(shown['idle@file']).toBeUndefined();
  });

  it('shows a router as written, with its errors, without a priority that is not in force', async () => {
    expect(await api(get('/api/http/routers/lost@file')).json()).toMatchObject({
      service: 'nope',
      status: 'disabled',
      error: [expect.any(String)],
      priority: 9,
      priorityStr: '9',
    });
    const nowhere = await api(get('/api/http/routers/nowhere@file')).json();
    expect(nowhere).toMatchObject({ priorityStr: '0' });
    expect(nowhere).not.toHaveProperty('priority');
  });

  it.each(['/api/rawdata', '/api/http/middlewares', '/api/http/middlewares/auth@file', '/api/support-dump'])(
    '%s has no secret',
    async (path) => {
      const bytes = Buffer.from(await api(get(path)).arrayBuffer());
      const text = (path.endsWith('dump') ? gunzipSync(bytes) : bytes).toString();
      expect(text).toContain('***');
      expect(text).not.toContain(SECRET);
    },
  );

  it('writes 64-bit priorities with all their digits', async () => {
    const insecure = start('--api.insecure');
    expect(await insecure.api(get('/api/http/routers/api@internal')).text()).toContain('"priority":9223372036854775806,');
  });

  it.each([
    ['', '/dashboard/'],
    ['/pre/', '/pre/dashboard/'],
    ['https://evil', '/dashboard/'],
    ['//evil', '/dashboard/'],
  ])('the root behind the prefix %j leads to %s', (prefix, location) => {
    const request = new Request('http://x/', { headers: { 'X-Forwarded-Prefix': prefix } });
    expect(api(request).headers.get('Location')).toBe(location);
  });

  it('answers below the base path only', () => {
    const based = start('--api.basePath=/base', '--api.dashboard=false').api;
    const statuses = ['/base/api/version', '/api/version', '/base/dashboard/', '/base'].map((path) => based(get(path)).status);
    expect(statuses).toEqual([200, 404, 404, 404]);
  });

  it('the dashboard names the API where it is', async () => {
    expect(await dashboard(get('/')).text()).toContain('data-api="/api/"');
    expect(dashboard(get('/other')).status).toBe(404);
  });
});
