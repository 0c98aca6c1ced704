import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalCells } from '../../src/base/cells.ts';
import { decode } from '../../src/base/decode.ts';
import { silentLogger } from '../../src/base/log.ts';
import { createRequest, HeaderList } from '../../src/base/message.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../../src/config/dynamic.ts';
import { ENVELOPE, formatEnvelope, RELAY_PATH } from '../../src/config/envelope.ts';
import { createMerger } from '../../src/config/merge.ts';
import { toProxyConfiguration } from '../../src/config/snapshot.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { createDataPlane, type DataPlane } from '../../src/origin-agent/data-plane.ts';
import { createMiddlewarePlatform } from '../../src/origin-agent/middleware-platform.ts';
import { until } from '../support/agent-process.ts';

/** A data plane with a relay on a real port, observed as the static configuration says. */
let server: Server;
let plane: DataPlane;
let relayPort: number;
let sign: (kind: string, name: string) => Promise<string>;
let lines: Record<string, unknown>[] = [];

const router = (host: string, more: object = {}) => ({ rule: `Host(\`${host}\`)`, service: 'app', ...more });

beforeAll(async () => {
  server = createServer((_, response) => response.setHeader('X-Own', 'o').end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { configuration } = loadStatic({
    arguments: [
      '--entryPoints.web.address=127.0.0.1:0',
      '--accessLog.format=json',
      '--accessLog.fields.headers.defaultMode=keep',
      '--metrics.prometheus.addRoutersLabels=true',
    ],
    environment: {},
    readFile: () => undefined,
  });
  const dynamic = {
    http: {
      routers: { web: router('a'), guarded: router('b'), quiet: router('c', { observability: { accessLogs: false } }) },
      services: { app: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${port}` }] } } },
    },
  };
  const runtime = createMerger(configuration!).merge(
    new Map([['file', { configuration: decode(dynamicConfiguration, dynamic).value as DynamicConfiguration, problems: [] }]]),
  );
  plane = createDataPlane({
    entryPoints: {},
    precedence: undefined,
    inherited: {},
    hostname: 'here',
    cells: createLocalCells(),
    clock: systemClock,
    log: silentLogger,
    middleware: createMiddlewarePlatform(),
    controlSocket: '',
    pingTerminatingStatus: undefined,
    observed: { accessLog: configuration!.accessLog, metrics: configuration!.metrics },
    writeLines: (bytes) => {
      const texts = new TextDecoder().decode(bytes).trimEnd().split('\n');
      lines.push(...texts.map((line) => JSON.parse(line) as Record<string, unknown>));
    },
    reusePort: false,
    relay: { address: '127.0.0.1:0' },
  });
  plane.update(toProxyConfiguration(runtime));
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  plane.setRelayState({
    agentId: 'berlin',
    grantKeys: [{ ...(await exportJWK(publicKey)), kid: 'k' }],
    published: ['service app@file', 'router guarded@file'],
    clockOffsetMs: 0,
  });
  sign = (kind, name) => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ aud: 'berlin', kind, name, iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'k' })
      .sign(privateKey);
  };
  relayPort = (await plane.listen()).relay!;
});
afterAll(async () => {
  await plane.drain(100);
  server.close();
});

/** A request of the edge, whose router there was `routerName`. */
async function relayed(kind: string, name: string, routerName: string | undefined, token?: string): Promise<number> {
  const original = createRequest({
    path: '/p',
    query: 'x=1',
    host: 'a.test',
    scheme: 'https',
    protocol: 'HTTP/2.0',
    clientAddress: '203.0.113.7',
    clientPort: 4711,
    tls: { serverName: 'a.test', version: '1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientCertificates: [], options: 'default' },
    headers: new HeaderList(['X-Forwarded-Proto', 'https']),
  });
  original.facts.routerName = routerName;
  const fields = [...formatEnvelope(original), [ENVELOPE.grant, token ?? (await sign(kind, name))]] as [string, string][];
  const response = await fetch(`http://127.0.0.1:${relayPort}${RELAY_PATH}`, { headers: [...fields, ['X-Client', 'c']] });
  await response.arrayBuffer();
  return response.status;
}

describe('a request through the relay', () => {
  it("is logged as the client's, with router, server and site, and without our own fields", async () => {
    lines = [];
    expect(await relayed('service', 'app@file', 'web@file')).toBe(200);
    const line = await until(() => lines[0]);
    expect(line).toMatchObject({
      RouterName: 'web@file',
      ServiceName: 'app@file',
      ClientAddr: '203.0.113.7:4711',
      ClientHost: '203.0.113.7',
      RequestHost: 'a.test',
      RequestPath: '/p?x=1',
      RequestProtocol: 'HTTP/2.0',
      RequestScheme: 'https',
      TLSVersion: '1.3',
      DownstreamStatus: 200,
      DownstreamContentSize: 5,
      entryPointName: 'https',
      edgewaySite: 'berlin',
      'request_X-Client': 'c',
      'downstream_X-Own': 'o',
    });
    expect(Object.keys(line).filter((name) => /edgeway-/i.test(name))).toEqual([]);
  });

  it('is counted in the families of entry point, router and service', () => {
    const { counters } = plane.metrics().requests;
    const series = (family: string) => [...(counters.get(family)?.keys() ?? [])].join('\n');
    expect(series('traefik_entrypoint_requests_total')).toContain('entrypoint="https"');
    expect(series('traefik_router_requests_total')).toContain('router="web@file",service="app@file"');
    expect(series('traefik_service_requests_total')).toContain('service="app@file"');
    expect(series('traefik_service_requests_tls_total')).toContain('tls_version="1.3"');
  });

  it.each([
    ['handed over: the grant names the router', 'router', 'guarded@file', 'other@file', 'guarded@file'],
    ['of a router that only the edge knows', 'service', 'app@file', 'theirs@docker', 'theirs@docker'],
    ['of an edge that does not say', 'service', 'app@file', undefined, undefined],
  ])('%s', async (_, kind, name, routerName, expected) => {
    lines = [];
    await relayed(kind, name, routerName);
    expect((await until(() => lines[0])).RouterName).toBe(expected);
  });

  it('is left out where its router says so, and where the relay refuses it', async () => {
    lines = [];
    await relayed('service', 'app@file', 'quiet@file');
    expect(await relayed('service', 'app@file', 'web@file', 'no grant')).toBe(403);
    await relayed('service', 'app@file', 'last@file');
    await until(() => lines.some(({ RouterName }) => RouterName === 'last@file'));
    expect(lines.map(({ RouterName }) => RouterName)).toEqual(['last@file']);
  });
});
