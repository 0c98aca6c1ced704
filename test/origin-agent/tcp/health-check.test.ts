import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createLocalCells } from '../../../src/base/cells.ts';
import { createLogger } from '../../../src/base/log.ts';
import type { RuntimeConfiguration } from '../../../src/config/runtime.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { createHealthChecks } from '../../../src/origin-agent/health-check.ts';
import { probeTcp } from '../../../src/origin-agent/tcp/health-check.ts';
import { createTcpServices, type TcpTarget } from '../../../src/origin-agent/tcp/services.ts';
import { until } from '../../support/agent-process.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers each piece that comes; the address. */
async function start(answer: (text: string) => string | undefined, port = 0): Promise<{ server: Server; port: number; address: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const text = answer(String(bytes));
      if (text === undefined) socket.end();
      else socket.write(text);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const at = (server.address() as AddressInfo).port;
  return { server, port: at, address: `127.0.0.1:${at}` };
}

const target = (port: number): TcpTarget => ({
  host: '127.0.0.1',
  port,
  tls: undefined,
  proxyProtocol: 0,
  dialTimeoutMs: 0,
  keepAliveMs: 0,
  terminationDelayMs: 0,
});

it.each<[string, (text: string) => string | undefined, { send?: string; expect?: string }, RegExp | undefined]>([
  ['a connection is enough where nothing is said', () => '', {}, undefined],
  ['the answer', (text) => (text === 'PING\n' ? 'PONG\nmore' : 'NO'), { send: 'PING\n', expect: 'PONG' }, undefined],
  ['another answer', () => 'PING', { send: 'x', expect: 'PONG' }, /unexpected/],
  ['the beginning of it, then the end', (text) => (text === 'x' ? undefined : ''), { send: 'x', expect: 'PONG' }, /closed/],
  ['silence', () => '', { send: 'x', expect: 'PONG' }, /no answer within 100 ms/],
])('%s', async (_, answer, check, expected) => {
  const { port } = await start(answer);
  const failure = await probeTcp(target(port), { ...check, interval: 1_000, timeout: 100 }, systemClock);
  if (expected === undefined) expect(failure).toBeUndefined();
  else expect(failure).toMatch(expected);
});

it('a server that is down gets no connection until it is up again', async () => {
  const [one, two] = await Promise.all([start(() => 'ok'), start(() => 'ok')]);
  const cells = createLocalCells();
  const healthCheck = { send: '?', expect: 'ok', interval: 20, timeout: 200 };
  const config = { loadBalancer: { servers: [{ address: one.address }, { address: two.address }], healthCheck } };
  const parent = { weighted: { services: [{ name: 'app' }], healthCheck: {} } };
  const services = { 'app@file': config, 'parent@file': parent };
  const objects = Object.fromEntries(
    Object.entries(services).map(([name, one]) => [name, { config: one, status: 'enabled', usedBy: ['router@file'] }]),
  );
  const runtime = { http: { services: {}, serversTransports: {}, middlewares: {} }, tcp: { services: objects, serversTransports: {} } };
  const changes: string[] = [];
  const checks = createHealthChecks({
    cells,
    clock: systemClock,
    log: createLogger(() => {}, 'ERROR'),
    send: () => Promise.reject(new Error('nothing is sent')),
    onChange: (service, server, up) => changes.push(`${service} ${server} ${up}`),
  });
  const { choose } = createTcpServices({ services, serversTransports: {}, routers: {}, middlewares: {} } as never, cells);
  const ports = (name = 'app@file'): Set<number | undefined> => new Set([1, 2, 3, 4].map(() => choose(name)?.port));
  try {
    checks.update(runtime as unknown as RuntimeConfiguration);
    expect(ports()).toEqual(new Set([one.port, two.port]));
    one.server.close();
    await until(() => changes.includes(`app@file ${one.address} false`));
    expect(ports()).toEqual(new Set([two.port]));
    expect(checks.status('app@file', 'tcp')).toEqual({ [one.address]: 'DOWN', [two.address]: 'UP' });
    expect(checks.status('app@file')).toBeUndefined();
    two.server.close();
    await until(() => changes.includes(`app@file ${two.address} false`));
    expect(ports()).toEqual(new Set([undefined]));
    expect(ports('parent@file')).toEqual(new Set([undefined]));
    await start(() => 'ok', one.port);
    await until(() => changes.includes(`app@file ${one.address} true`));
    expect(ports('parent@file')).toEqual(new Set([one.port]));
  } finally {
    checks.stop();
  }
});
