import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger, type LogLine, silentLogger } from '../../src/base/log.ts';
import { readStartConfiguration } from '../../src/origin-agent/static-configuration.ts';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { realClock } from '../support/provider.ts';
import { runEdgeway } from '../support/run-edgeway.ts';
import { findServer, type RunningServer, startRedis } from '../support/servers.ts';

const EDGEWAY = join(import.meta.dirname, '../../bin/edgeway');
const redisPath = findServer('redis-server');
const patient = (patienceMs: number, log = silentLogger) => ({ clock: realClock, log, patienceMs });

describe('edge.bootstrap', () => {
  it.each([
    ['a URL of nothing', 'ftp://x', "'ftp://' is no store"],
    ['a store that stays away', 'redis://u:s3cret@127.0.0.1:1', 'redis at 127.0.0.1:1: connect ECONNREFUSED'],
  ])('refuses %s', async (_, url, message) => {
    const { configuration, problems } = await readStartConfiguration([`--edge.bootstrap=${url}`], {}, '/', patient(0));
    expect(configuration).toBeUndefined();
    expect(problems.map((problem) => problem.message)).toEqual([expect.stringContaining(message)]);
    expect(JSON.stringify(problems)).not.toContain('s3cret');
  });

  it.skipIf(redisPath === undefined)('waits for a store that starts a little later (redis-server)', async () => {
    const port = await freePort();
    const lines: LogLine[] = [];
    const log = createLogger((line) => lines.push(line));
    const reading = readStartConfiguration([`--edge.bootstrap=redis://127.0.0.1:${port}`], {}, '/', patient(15_000, log));
    await until(() => lines.length > 0);
    const server = await startRedis(redisPath!, [], port);
    const redis = new Redis(port);
    await redis.set('edgeway/static/entryPoints/web/address', ':81');
    // It may have been read before the key was there, and then says that it is empty.
    const { configuration, problems, store } = await reading;
    if (configuration === undefined) expect(problems[0]!.message).toContain('has no static configuration');
    else expect(configuration.entryPoints).toHaveProperty('web');
    await store?.close();
    redis.disconnect();
    await server.stop();
  });
});

describe('the copy of an earlier start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-bootstrap-'));
  const copy = join(folder, 'edgeway-state/bootstrap.json');
  const silent = createServer((socket) => socket.on('error', () => {}).resume());
  const url = (query = ''): string => `redis://:s3cret@127.0.0.1:1/3${query}`;
  const identity = { kind: 'redis', endpoints: ['127.0.0.1:1'], db: 3, rootKey: 'edgeway/static' };
  const keep = (store: object): void => {
    const pairs = [['edgeway/static/entryPoints/web/address', ':81']];
    const head = { source: JSON.stringify(store), at: Date.UTC(2026, 0, 2) };
    writeFileSync(copy, `${JSON.stringify(head)}\n${JSON.stringify(pairs)}`, { mode: 0o644 });
  };
  const lines: LogLine[] = [];
  const log = createLogger((line) => lines.push(line));
  const read = async (address: string, context: object = { copyPatienceMs: 0 }) => {
    lines.length = 0;
    const { store, ...loaded } = await readStartConfiguration([`--edge.bootstrap=${address}`], {}, folder, {
      ...patient(0, log),
      ...context,
    });
    await store?.close();
    return loaded;
  };
  beforeAll(async () => {
    mkdirSync(join(folder, 'edgeway-state'));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    silent.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is used, with a warning, while the store is away', async () => {
    keep(identity);
    const { configuration, problems } = await read(url());
    expect(problems).toEqual([]);
    expect(configuration!.entryPoints!.web!.address).toBe(':81');
    expect(lines).toMatchObject([
      {
        level: 'WARN',
        message: 'The static configuration is the copy of an earlier start',
        fields: { file: copy, error: 'connect ECONNREFUSED 127.0.0.1:1', from: '2026-01-02T00:00:00.000Z' },
      },
    ]);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
  });

  it('is used as well when a store takes connections and never answers', async () => {
    const { port } = silent.address() as { port: number };
    keep({ ...identity, endpoints: [`127.0.0.1:${port}`] });
    // Fifty times as fast as time.
    const clock = { ...realClock, after: (ms: number, callback: () => void) => realClock.after(ms / 50, callback) };
    const { configuration } = await read(`redis://127.0.0.1:${port}/3`, { copyPatienceMs: 0, clock });
    expect(configuration!.entryPoints).toHaveProperty('web');
    expect(lines[0]!.fields.error).toBe('no answer within 5 s');
  });

  it.skipIf(redisPath === undefined)('is used as well when the store has lost its keys (redis-server)', async () => {
    const server = await startRedis(redisPath!);
    keep({ ...identity, endpoints: [`127.0.0.1:${server.port}`] });
    const { configuration } = await read(`redis://127.0.0.1:${server.port}/3`);
    expect(configuration!.entryPoints).toHaveProperty('web');
    expect(lines[0]!.fields.error).toBe("there is no key below 'edgeway/static/' any more");
    await server.stop();
  });

  it.each([
    ['another server', { ...identity, endpoints: ['127.0.0.1:2'] }, url()],
    ['another database', { ...identity, db: 4 }, url()],
    ['another root', identity, url('?rootKey=other')],
  ])('is not used for %s', async (_, store, address) => {
    keep(store);
    const { configuration, problems } = await read(address);
    expect(configuration).toBeUndefined();
    expect(problems[0]!.message).toMatch(/ECONNREFUSED.*waited for 0 s, and .*bootstrap\.json is no copy of an earlier start/);
  });

  it('is not looked at by whoever wants to know what the store says', async () => {
    keep(identity);
    const { configuration, problems } = await read(url(), {});
    expect(configuration).toBeUndefined();
    expect(problems[0]!.message).toMatch(/ECONNREFUSED 127\.0\.0\.1:1$/);
  });

  it('is no fault when it cannot be read', async () => {
    writeFileSync(copy, '{');
    const { problems } = await read(url());
    expect(lines[0]!.message).toBe('The copy of the static configuration cannot be read');
    expect(problems[0]!.message).toContain('ECONNREFUSED');
  });

  it('is not needed by an agent that may wait: it does not end before its time', async () => {
    const args = ['agent', '--edge.bootstrap=etcd://127.0.0.1:1'];
    const child = spawn(EDGEWAY, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until(() => said.split('Waiting for the store').length > 3 || child.exitCode !== null);
    expect(child.exitCode, said).toBeNull();
    child.kill('SIGKILL');
    await ended;
  });
});

describe.skipIf(redisPath === undefined)('an agent whose whole configuration is in Redis (redis-server)', () => {
  let server: RunningServer;
  let redis: Redis;
  const agents: AgentProcess[] = [];
  beforeAll(async () => {
    server = await startRedis(redisPath!);
    redis = new Redis({ port: server.port });
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) await agent.stop();
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('serves from it, notes what it serves, and says when it must be restarted', async () => {
    const port = await freePort();
    const pairs = {
      'edgeway/static/entryPoints/web/address': `127.0.0.1:${port}`,
      'edgeway/static/providers/redis/endpoints': `127.0.0.1:${server.port}`,
      'edgeway/static/providers/providersThrottleDuration': '0s',
      'edgeway/static/log/level': 'WARN',
      'edgeway/traefik/revision': '{"revision":5,"state":"written","hash":"h","writer":"w","at":1}',
      'traefik/http/routers/a/rule': 'PathPrefix(`/`)',
      'traefik/http/routers/a/service': 's',
      'traefik/http/routers/a/middlewares': 'r',
      'traefik/http/middlewares/r/redirectRegex/regex': '.*',
      'traefik/http/middlewares/r/redirectRegex/replacement': 'https://one.test/',
      'traefik/http/services/s/loadBalancer/servers/0/url': 'http://127.0.0.1:1',
    };
    await redis.mset(pairs);
    const agent = new AgentProcess().start(`edge: {bootstrap: "redis://127.0.0.1:${server.port}", site: node-7}`);
    agents.push(agent);
    const location = () => fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' }).then((answer) => answer.headers.get('location'));
    await until(async () => (await location()) === 'https://one.test/');
    const note = await until(async () => JSON.parse((await redis.get('edgeway/traefik/nodes/node-7'))!) as Record<string, unknown>);
    expect(note).toMatchObject({ node: 'node-7', revision: 5, hash: 'h', version: expect.stringMatching(/^\d/) });
    expect(await redis.pttl('edgeway/traefik/nodes/node-7')).toBeGreaterThan(30_000);

    const began = performance.now();
    await redis.set('traefik/http/middlewares/r/redirectRegex/replacement', 'https://two.test/');
    await until(async () => (await location()) === 'https://two.test/');
    expect(performance.now() - began).toBeLessThan(1_000);

    await redis.set('edgeway/static/log/level', 'DEBUG');
    await agent.says('The static configuration in the store has changed, restart the agent to use it');
    agent.signal('SIGTERM');
    expect(await agent.exited()).toBe(0);
    expect(await redis.exists('edgeway/traefik/nodes/node-7')).toBe(0);
  });

  it('starts without the store once it has started with it, and says what has changed when it is back', async () => {
    const [own, port] = [await freePort(), await freePort()];
    const url = `redis://:s3cret@127.0.0.1:${own}`;
    const text = `edge: {bootstrap: "${url}", stateDirectory: state}`;
    const start = async () => {
      const store = await startRedis(redisPath!, ['--requirepass', 's3cret'], own);
      const client = new Redis({ port: own, password: 's3cret' });
      const address = 'edgeway/static/entryPoints/web/address';
      await client.mset(address, `127.0.0.1:${port}`, 'edgeway/static/ping/entryPoint', 'web', 'edgeway/static/log/level', 'INFO');
      const stop = async (): Promise<void> => {
        client.disconnect();
        await store.stop();
      };
      return { client, stop };
    };
    const ping = (): Promise<number> => fetch(`http://127.0.0.1:${port}/ping`).then(({ status }) => status);
    let store = await start();
    const agent = new AgentProcess();
    agents.push(agent);
    const copy = join(agent.folder, 'state/bootstrap.json');
    agent.start(text);
    await until(async () => (await ping()) === 200);
    await until(() => existsSync(copy));
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(readFileSync(copy, 'utf8')).not.toContain('s3cret');
    agent.signal('SIGTERM');
    expect(await agent.exited()).toBe(0);
    await store.stop();

    Object.assign(agent, { output: '', exitCode: undefined });
    agent.start(text);
    await agent.says('The static configuration is the copy of an earlier start');
    await until(async () => (await ping()) === 200);
    const health = await runEdgeway(['healthcheck', `--edge.bootstrap=${url}`, '--edge.stateDirectory=state'], { cwd: agent.folder });
    expect(health).toMatchObject({ code: 0 });
    store = await start();
    await agent.says('The static configuration in the store is again what this agent runs with');
    await store.client.set('edgeway/static/log/level', 'DEBUG');
    await agent.says('The static configuration in the store has changed, restart the agent to use it');
    await store.client.del(await store.client.keys('edgeway/static/*'));
    await agent.says('The static configuration is gone from the store, agents start with their copies');
    await store.stop();
  }, 60_000);
});
