import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findProgram } from '../../scripts/servers.ts';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';

/** Answers its path; `/slow` never ends. */
let server: Server;
let slowCount = 0;
let web: number;
let agent: AgentProcess;
beforeAll(async () => {
  server = createServer((incoming, response) => {
    if (incoming.url === '/slow') slowCount++;
    else response.end(incoming.url);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  web = await freePort();
  agent = new AgentProcess();
  writeDynamic('app.test');
});
afterEach(() => agent.stop());

/** In place, so that events of the folder are the same as of an editor's save. */
const writeDynamic = (host: string): void =>
  writeFileSync(
    agent.dynamicFile,
    `http:
  routers: {app: {rule: "Host(\`${host}\`)", service: app}}
  services: {app: {loadBalancer: {servers: [{url: "http://127.0.0.1:${(server.address() as { port: number }).port}"}]}}}
`,
  );

const staticText = ({ lifeCycle = '{graceTimeOut: 10s}', watch = true, extra = '' } = {}): string => `
entryPoints: {web: {address: "127.0.0.1:${web}", transport: {lifeCycle: ${lifeCycle}}}}
providers: {providersThrottleDuration: 10ms, file: {filename: $DYNAMIC, watch: ${watch}}}
log: {level: INFO}
edge: {threads: 2}
${extra}`;

/** The status; `failed` without an answer. */
const get = (host: string, path = '/', through?: Agent): Promise<number | 'failed'> =>
  new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port: web, path, headers: { Host: host }, agent: through ?? false }, (response) => {
      response.on('end', () => resolve(response.statusCode!)).on('error', () => resolve('failed'));
      response.resume();
    });
    outgoing.on('error', () => resolve('failed'));
    outgoing.end();
  });

async function start(options: Parameters<typeof staticText>[0] = {}, within: readonly string[] = []): Promise<void> {
  agent.start(staticText(options), [], within);
  await until(async () => (await get('app.test')) === 200);
}

describe('signals', () => {
  it.each([
    ['a file that is watched', true],
    ['a file that is not', false],
  ])('HUP reads %s again, and ends nothing', async (_, watch) => {
    await start({ watch });
    writeDynamic('other.test');
    agent.signal('SIGHUP');
    await until(async () => (await get('other.test')) === 200);
    expect(agent.exitCode).toBeUndefined();
  });

  it('HUP before anything is served ends nothing', async () => {
    agent.start(staticText());
    await until(() => isHandled(agent.pid, 'SIGHUP'));
    agent.signal('SIGHUP');
    await until(async () => (await get('app.test')) === 200);
  });

  it('TERM: new requests are taken for requestAcceptGraceTimeout, while ping says that the end is near', async () => {
    await start({
      lifeCycle: '{requestAcceptGraceTimeout: 1500ms, graceTimeOut: 2s}',
      extra: 'ping: {entryPoint: web, terminatingStatusCode: 599}',
    });
    expect(await get('any.test', '/ping')).toBe(200);
    agent.signal('SIGTERM');
    await until(async () => (await get('any.test', '/ping')) === 599);
    expect(await get('app.test')).toBe(200);
    // Configuration is followed as long as requests are taken.
    writeDynamic('late.test');
    await until(async () => (await get('late.test')) === 200);
    await until(async () => (await get('late.test')) === 'failed');
    expect(await agent.exited()).toBe(0);
  });

  it('TERM: what is not answered after graceTimeOut is cut off', async () => {
    await start({ lifeCycle: '{graceTimeOut: 400ms}' });
    const slow = get('app.test', '/slow');
    await until(() => slowCount > 0);
    const began = performance.now();
    agent.signal('SIGTERM');
    expect(await slow).toBe('failed');
    expect(performance.now() - began).toBeGreaterThan(390);
    expect(await agent.exited()).toBe(0);
  });

  it('TERM: a kept connection is told to close with its next answer, or closed when idle', async () => {
    await start({ lifeCycle: '{graceTimeOut: 5s}' });
    const keeping = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await get('app.test', '/', keeping)).toBe(200);
    const [socket] = Object.values(keeping.freeSockets)[0]!;
    const closed = new Promise((resolve) => socket!.once('close', resolve));
    agent.signal('SIGTERM');
    await closed;
    expect(await agent.exited()).toBe(0);
    keeping.destroy();
  });
});

describe.skipIf(findProgram('prlimit') === undefined)('limits of the machine', () => {
  it('more clients than files may be open: those beyond are let go at once, and all is well when they have left', async () => {
    await start({}, ['prlimit', '--nofile=180:180']);
    const clients: Socket[] = [];
    let ended = 0;
    for (let i = 0; i < 250; i++) {
      const client = connect(web, '127.0.0.1').on('error', () => {});
      client.resume().once('close', () => ended++);
      clients.push(client);
    }
    await until(() => ended > 50);
    expect(ended).toBeLessThan(200);
    for (const client of clients) client.destroy();
    await until(async () => (await get('app.test')) === 200);
    for (let i = 0; i < 20; i++) expect(await get('app.test')).toBe(200);
    expect(agent.exitCode).toBeUndefined();
  });

  const mayBindLow = readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').trim() !== '1024';
  const canDrop = spawnSync('setpriv', ['--bounding-set', '-net_bind_service', '--inh-caps', '-all', 'true']).status === 0;
  it.skipIf(mayBindLow || !canDrop)('a low port without the right to it: what to do is said', async () => {
    web = 81;
    agent.start(staticText(), [], ['setpriv', '--bounding-set', '-net_bind_service', '--inh-caps', '-all']);
    expect(await agent.exited()).toBe(1);
    expect(agent.output).toContain("Cannot listen on '127.0.0.1:81'");
    expect(agent.output).toMatch(/ports below 1024 need .*CAP_NET_BIND_SERVICE/);
  });
});

/** Whether a process has a handler for the signal. */
function isHandled(pid: number, signal: 'SIGHUP'): boolean {
  const caught = BigInt(`0x${/SigCgt:\s+(\S+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]}`);
  return (caught & (1n << BigInt({ SIGHUP: 1 }[signal] - 1))) !== 0n;
}
