import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoreStatus } from '../../src/kv-sync/status.ts';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { ask, keepAsking, untilAllAnswer } from '../support/asking.ts';
import { runEdgeway } from '../support/run-edgeway.ts';
import { findServer, type RunningServer, startRedis } from '../support/servers.ts';

const EDGEWAY = join(import.meta.dirname, '../../bin/edgeway');
const redisPath = findServer('redis-server');

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
  const url = (): string => `redis://127.0.0.1:${redis.port}`;
  const doors = () => ports.map((port) => ({ port }));
  const both = (host: string, expected: string | number): Promise<number> => untilAllAnswer(doors(), host, expected);
  const persist = (): string[] => ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always'];

  beforeAll(async () => {
    services.push(await startService('one'), await startService('two'));
    redis = await startRedis(redisPath!, persist());
    save(router('stays', 's0') + router('moves', 's0') + router('goes', 's0'));
    const args = ['sync', file, url(), '--apply', '--prune', '--watch'];
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
    const load = keepAsking(doors(), ['stays.test']);
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
    const load = keepAsking(doors(), ['stays.test']);
    await redis.stop();
    save(router('stays', 's0') + router('moves', 's0') + router('comes', 's1'));
    await until(() => /unreachable|connect|ECONNREFUSED|lost/i.test(said));
    expect(await both('moves.test', 'two')).toBeLessThan(1_000);
    redis = await startRedis(redisPath!, persist(), redis.port);
    await both('moves.test', 'one');
    expect((await load.stop()).failures).toEqual([]);
  }, 30_000);

  it('fills a store again that lost its data', async () => {
    const load = keepAsking(doors(), ['stays.test']);
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

  /** `edgeway sync status`: its exit code, and agents by the revision that they run. */
  async function status() {
    const { code, stdout } = await runEdgeway(['sync', 'status', url(), '--json', '--detailed-exit-code'], { cwd: folder });
    const { revision, nodes, isForeign } = JSON.parse(stdout) as StoreStatus;
    return { code, isForeign, now: revision!.revision, runs: Object.fromEntries(nodes.map((node) => [node.node, node.revision])) };
  }

  it('keeps the record of which agent runs what', async () => {
    const { now, ...rest } = await status();
    expect(now).toBeGreaterThan(0);
    expect(rest).toEqual({ code: 0, isForeign: false, runs: { one: now, two: now } });
  });

  it('rolls a revision out from agent to agent', async () => {
    syncing.kill('SIGTERM');
    await new Promise((resolve) => syncing.once('exit', resolve));
    save(router('stays', 's1') + router('moves', 's1'));
    const load = keepAsking(doors(), ['stays.test']);
    const args = ['sync', file, url(), '--roll-out', 'two,one', '--roll-out-pause', '500ms'];
    const rolling = spawn(EDGEWAY, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const oneByOne = until(async () => {
      const [one, two] = await Promise.all(ports.map(async (port) => (await ask({ port }, 'stays.test')).text));
      return (one === 'one' && two === 'two') || undefined;
    });
    expect(await new Promise((resolve) => rolling.once('exit', resolve))).toBe(0);
    await oneByOne;
    await both('stays.test', 'two');
    expect((await load.stop()).failures).toEqual([]);
  }, 20_000);

  it('stops a roll-out at an agent that hangs, says who runs what, and takes it back', async () => {
    const before = await status();
    expect(before.runs).toEqual({ one: before.now, two: before.now });
    save(router('stays', 's0') + router('moves', 's1'));
    agents[0]!.signal('SIGSTOP');
    try {
      const args = ['--roll-out', 'two,one', '--roll-out-pause', '100ms', '--roll-out-limit', '1500ms'];
      const { code, stderr } = await runEdgeway(['sync', file, url(), ...args], { cwd: folder });
      expect(stderr).toContain(`one did not take revision ${before.now + 1} within 1.5 s`);
      expect(code).toBe(1);
      expect(await status()).toEqual({ ...before, code: 3, runs: { one: before.now, two: before.now + 1 } });
      expect(await ask({ port: ports[1]! }, 'stays.test')).toEqual({ status: 200, text: 'one' });
      expect(await runEdgeway(['sync', 'abort', url()], { cwd: folder })).toMatchObject({ code: 0 });
      await untilAllAnswer([{ port: ports[1]! }], 'stays.test', 'two');
    } finally {
      agents[0]!.signal('SIGCONT');
    }
    await both('stays.test', 'two');
    await until(async () => (await status()).code === 0);
    expect(await status()).toEqual(before);
  }, 30_000);
});
