import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { findServer, type RunningServer, startRedis } from '../support/servers.ts';

const EDGEWAY = join(import.meta.dirname, '../../bin/edgeway');
const redisPath = findServer('redis-server');
/** The original; its tests are skipped where the variable names none. */
const traefikPath = process.env.TRAEFIK;

const get = (port: number, host: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, headers: { Host: host }, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });

const startService = (name: string): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((_, response) => response.end(name)).listen(0, '127.0.0.1', () => resolve(server));
  });
const portOf = (server: Server): number => (server.address() as { port: number }).port;

describe.skipIf(redisPath === undefined)('two agents, a Redis and a file of keys (redis-server)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-sync-e2e-'));
  const file = join(folder, 'keys.csv');
  const agents: AgentProcess[] = [];
  const ports: number[] = [];
  const services: Server[] = [];
  let redis: RunningServer;
  let syncing: ChildProcess;
  let said = '';

  const router = (name: string, service: string, host = `${name}.test`): string =>
    `traefik/http/routers/${name}/rule,Host(\`${host}\`)\ntraefik/http/routers/${name}/service,${service}\n`;
  const save = (routers: string): void => {
    const servers = services.map(
      (server, index) => `traefik/http/services/s${index}/loadBalancer/servers/0/url,http://127.0.0.1:${portOf(server)}\n`,
    );
    writeFileSync(`${file}.next`, `# what the cluster serves\n${servers.join('')}${routers}`);
    renameSync(`${file}.next`, file);
  };
  /** Milliseconds until both agents answer so. */
  async function both(host: string, expected: string | number): Promise<number> {
    const start = performance.now();
    await Promise.all(
      ports.map((port) =>
        until(async () => {
          const { status, text } = await get(port, host);
          return (typeof expected === 'number' ? status === expected : status === 200 && text === expected) || undefined;
        }),
      ),
    );
    return performance.now() - start;
  }
  const persist = (): string[] => ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always'];

  beforeAll(async () => {
    services.push(await startService('one'), await startService('two'));
    redis = await startRedis(redisPath!, persist());
    save(router('stays', 's0') + router('moves', 's0') + router('goes', 's0'));
    const args = ['sync', file, `redis://127.0.0.1:${redis.port}`, '--apply', '--prune', '--watch'];
    syncing = spawn(EDGEWAY, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [syncing.stdout!, syncing.stderr!]) stream.on('data', (chunk: Buffer) => (said += chunk));
    for (const name of ['one', 'two']) {
      const port = await freePort();
      ports.push(port);
      agents.push(
        new AgentProcess().start(`entryPoints: {web: {address: "127.0.0.1:${port}"}}
providers: {providersThrottleDuration: 100ms, redis: {endpoints: ["127.0.0.1:${redis.port}"]}}
edge: {site: ${name}}
`),
      );
    }
    await both('stays.test', 'one');
  }, 30_000);

  afterAll(async () => {
    syncing?.kill('SIGKILL');
    await Promise.all(agents.map((agent) => agent.stop()));
    await redis?.stop();
    for (const server of services) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('brings every edit to both within a second, without a failed request', async () => {
    const load = createLoad(ports, 'stays.test');
    let changed = 0;
    for (const service of [1, 0, 1, 0, 1]) {
      save(router('stays', 's0') + router('moves', `s${service}`) + router('goes', 's0') + router('comes', 's1'));
      changed = Math.max(changed, await both('moves.test', ['one', 'two'][service]!));
    }
    await both('comes.test', 'two');
    save(router('stays', 's0') + router('moves', 's1') + router('comes', 's1'));
    const removed = await both('goes.test', 404);
    const { count, failures } = await load.stop();
    console.log(
      `sync: changed on both in at most ${Math.round(changed)} ms, gone from both in ${Math.round(removed)} ms, ${count} requests`,
    );
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThan(20);
    expect(Math.max(changed, removed)).toBeLessThan(1_000);
  });

  it('serves on while the store is away, and goes on when it is back', async () => {
    const load = createLoad(ports, 'stays.test');
    await redis.stop();
    save(router('stays', 's0') + router('moves', 's0') + router('comes', 's1'));
    await until(() => /unreachable|connect|ECONNREFUSED|lost/i.test(said));
    expect(await both('moves.test', 'two')).toBeLessThan(1_000);
    redis = await startRedis(redisPath!, persist(), redis.port);
    await both('moves.test', 'one');
    expect((await load.stop()).failures).toEqual([]);
  }, 30_000);

  it('fills a store again that lost its data', async () => {
    const load = createLoad(ports, 'stays.test');
    await redis.stop();
    rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true });
    said = '';
    redis = await startRedis(redisPath!, persist(), redis.port);
    await until(() => said.includes('keys changed'), 15_000);
    save(router('stays', 's0') + router('moves', 's1'));
    await both('moves.test', 'two');
    await both('comes.test', 404);
    expect((await load.stop()).failures).toEqual([]);
  }, 30_000);

  it('keeps the record of which agent runs what', async () => {
    const status = spawn(EDGEWAY, ['sync', 'status', `redis://127.0.0.1:${redis.port}`, '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const chunk of status.stdout) text += chunk;
    const { revision, nodes } = JSON.parse(text);
    expect(nodes.map((node: { revision: number }) => node.revision)).toEqual([revision.revision, revision.revision]);
  });

  it('rolls a revision out from agent to agent', async () => {
    syncing.kill('SIGTERM');
    await new Promise((resolve) => syncing.once('exit', resolve));
    save(router('stays', 's1') + router('moves', 's1'));
    const load = createLoad(ports, 'stays.test');
    const args = ['sync', file, `redis://127.0.0.1:${redis.port}`, '--roll-out', 'two,one', '--roll-out-pause', '500ms'];
    const rolling = spawn(EDGEWAY, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const oneByOne = until(async () => {
      const [one, two] = await Promise.all(ports.map(async (port) => (await get(port, 'stays.test')).text));
      return (one === 'one' && two === 'two') || undefined;
    });
    expect(await new Promise((resolve) => rolling.once('exit', resolve))).toBe(0);
    await oneByOne;
    await both('stays.test', 'two');
    expect((await load.stop()).failures).toEqual([]);
  }, 20_000);

  it.skipIf(traefikPath === undefined)(
    'is routed the same by the original (variable TRAEFIK)',
    async () => {
      const port = await freePort();
      const args = [
        `--entrypoints.web.address=127.0.0.1:${port}`,
        `--providers.redis.endpoints=127.0.0.1:${redis.port}`,
        '--log.level=ERROR',
      ];
      const traefik = spawn(traefikPath!, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      try {
        await until(async () => (await get(port, 'stays.test')).status === 200);
        for (const host of ['stays.test', 'moves.test', 'goes.test', 'nowhere.test'])
          expect(await get(port, host).then(({ status, text }) => [host, status, status === 200 && text])).toEqual(
            await get(ports[0]!, host).then(({ status, text }) => [host, status, status === 200 && text]),
          );
      } finally {
        traefik.kill('SIGKILL');
      }
    },
    20_000,
  );
});

/** Asks all the time, on all ports. */
function createLoad(ports: readonly number[], host: string) {
  const failures: string[] = [];
  let count = 0;
  let isOver = false;
  const asking = ports.map(async (port) => {
    while (!isOver) {
      const answer = await get(port, host).catch((error: Error) => ({ status: 0, text: error.message }));
      count++;
      if (answer.status !== 200) failures.push(`${answer.status} ${answer.text}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  return {
    async stop(): Promise<{ count: number; failures: readonly string[] }> {
      isOver = true;
      await Promise.all(asking);
      return { count, failures };
    },
  };
}
