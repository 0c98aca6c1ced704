import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, IMAGE, NO_DOCKER, startEngine } from '../../scripts/swarm/engine.ts';
import { AgentProcess, until } from '../support/agent-process.ts';
import { ask, type Door, keepAsking, untilAllAnswer } from '../support/asking.ts';
import { openDoors } from '../support/namespace-door.ts';
import { findServer, type RunningServer, startServer } from '../support/servers.ts';

const EDGEWAY = join(import.meta.dirname, '../../bin/edgeway');
const redisPath = findServer('redis-server');
const SKIPPED = NO_DOCKER ?? (redisPath === undefined ? 'redis-server is not installed' : undefined);
/** Traefik's providersThrottleDuration, which the agents keep: of two changes within it the second waits. */
const THROTTLE_MS = 2_000;
// In a namespace of their own ports are free.
const REDIS_PORT = 6379;
const PORTS = [8001, 8002];

describe.skipIf(SKIPPED !== undefined)(
  `two agents before Docker and Swarm, a Redis and a file of keys${SKIPPED === undefined ? '' : ` (skipped: ${SKIPPED})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgeway-sync-swarm-'));
    const file = join(folder, 'keys.csv');
    const agents: AgentProcess[] = [];
    let engine: Engine;
    /** Runs a command where containers and tasks are reached. */
    let enter: readonly string[];
    let doors: readonly Door[] = [];
    let closeDoors = async (): Promise<void> => {};
    let redis: RunningServer;
    let syncing: ChildProcess;
    let said = '';

    /** Services are those of labels; the lines say which host goes to which. */
    const save = (services: Readonly<Record<string, string>>): void => {
      const lines = Object.entries(services).map(
        ([name, service]) => `traefik/http/routers/${name}/rule,Host(\`${name}.test\`)\ntraefik/http/routers/${name}/service,${service}\n`,
      );
      writeFileSync(`${file}.next`, `# what the cluster serves\n${lines.join('')}`);
      renameSync(`${file}.next`, file);
    };
    const both = (host: string, expected: string | number): Promise<number> => untilAllAnswer(doors, host, expected, 30_000);
    const labels = (name: string): string[] => [
      ...['-l', 'traefik.enable=true', '-l', `traefik.http.routers.${name}.rule=Host(\`${name}.labels\`)`],
      ...['-l', `traefik.http.services.${name}.loadbalancer.server.port=80`],
    ];
    const serve = (text: string): string[] => [IMAGE, 'sh', '-c', `echo ${text} >/www/index.html; exec httpd -f -p 80 -h /www`];
    const startContainer = (name: string, service: string, text: string): Promise<string> =>
      engine.docker(...['run', '-d', '--name', name, '--network', 'front', '--stop-timeout', '1'], ...labels(service), ...serve(text));
    const startStore = (): Promise<RunningServer> => {
      const persist = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', folder];
      const words = [...enter, redisPath!, '--bind', '127.0.0.1', '--port', String(REDIS_PORT), ...persist];
      return startServer(words[0]!, words.slice(1), REDIS_PORT, /Ready to accept connections/);
    };
    const startSync = (): ChildProcess => {
      const words = [...enter, EDGEWAY, 'sync', file, `redis://127.0.0.1:${REDIS_PORT}`, '--apply', '--prune', '--watch'];
      const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));
      return child;
    };

    beforeAll(async () => {
      engine = await startEngine();
      await engine.docker('swarm', 'init', '--advertise-addr', '127.0.0.1', '--listen-addr', '127.0.0.1:2377');
      await Promise.all([
        engine.docker('network', 'create', 'front'),
        engine.docker('network', 'create', '-d', 'overlay', '--attachable', 'gw'),
      ]);
      await Promise.all([
        engine.docker(
          ...['service', 'create', '-q', '-d', '--no-resolve-image', '--name', 'shop', '--network', 'gw', '--replicas', '2'],
          ...['--stop-grace-period', '1s', ...labels('shop'), ...serve('swarm')],
        ),
        // The kernel of a test machine has no virtual servers, and tasks are reached from the overlay network only.
        engine.docker('run', '-d', '--name', 'anchor', '--network', 'gw', '--stop-timeout', '0', IMAGE, 'sleep', '86400'),
        ...['app-1', 'app-2'].map((name) => startContainer(name, 'app', 'docker')),
      ]);
      await engine.docker('network', 'connect', 'front', 'anchor');
      enter = ['nsenter', '-t', await engine.docker('inspect', '-f', '{{.State.Pid}}', 'anchor'), '-n'];

      redis = await startStore();
      save({ stays: 'app@docker', moves: 'app@docker', goes: 'shop@swarm' });
      syncing = startSync();
      for (const [index, port] of PORTS.entries())
        agents.push(
          new AgentProcess().start(
            `entryPoints: {web: {address: "127.0.0.1:${port}"}}
providers:
  docker: {endpoint: "${engine.endpoint}", exposedByDefault: false, network: front}
  swarm: {endpoint: "${engine.endpoint}", exposedByDefault: false, network: gw}
  redis: {endpoints: ["127.0.0.1:${REDIS_PORT}"]}
edge: {site: node-${index + 1}}
`,
            [],
            enter,
          ),
        );
      ({ doors, close: closeDoors } = await openDoors(enter, folder, PORTS));
      for (const [host, text] of Object.entries({ stays: 'docker', goes: 'swarm' })) await both(`${host}.test`, text);
      for (const [host, text] of Object.entries({ app: 'docker', shop: 'swarm' })) await both(`${host}.labels`, text);
    }, 120_000);

    afterAll(async () => {
      syncing?.kill('SIGKILL');
      await Promise.all(agents.map((agent) => agent.stop()));
      await redis?.stop();
      await closeDoors();
      await engine?.remove();
      rmSync(folder, { recursive: true, force: true });
    }, 60_000);

    it('brings every edit to both within a second, without a failed request', async () => {
      const load = keepAsking(doors, ['stays.test', 'moves.test', 'app.labels', 'shop.labels']);
      const times: number[] = [];
      for (const [service, text] of [
        ['shop@swarm', 'swarm'],
        ['app@docker', 'docker'],
      ] as const) {
        await delay(THROTTLE_MS);
        save({ stays: 'app@docker', moves: service, goes: 'shop@swarm', comes: 'shop@swarm' });
        times.push(await both('moves.test', text));
      }
      await both('comes.test', 'swarm');
      await delay(THROTTLE_MS);
      save({ stays: 'app@docker', moves: 'app@docker', comes: 'shop@swarm' });
      times.push(await both('goes.test', 404));
      const { count, failures } = await load.stop();
      console.log(`sync: two lines changed and one removed, on both after ${times.map(Math.round).join(', ')} ms; ${count} requests`);
      expect(failures).toEqual([]);
      expect(count).toBeGreaterThan(100);
      expect(Math.max(...times)).toBeLessThan(1_000);
    }, 60_000);

    it('routes to a container that starts behind the line that names it, until the line is gone', async () => {
      const lines = { stays: 'app@docker', moves: 'shop@swarm', comes: 'app@docker' };
      save({ ...lines, late: 'late@docker' });
      await both('comes.test', 'docker');
      for (const door of doors) expect(await ask(door, 'late.test')).toMatchObject({ status: 404 });
      await startContainer('late', 'late', 'late');
      await both('late.test', 'late');
      save(lines);
      await both('late.test', 404);
      await both('late.labels', 'late');
    });

    it('serves on while the store is killed, follows Docker meanwhile, and goes on when it is back', async () => {
      const load = keepAsking(doors, ['stays.test', 'moves.test', 'shop.labels']);
      said = '';
      await redis.stop();
      save({ stays: 'app@docker', moves: 'app@docker' });
      await startContainer('new', 'new', 'new');
      await both('new.labels', 'new');
      await until(() => /unreachable|ECONNREFUSED|lost/i.test(said));
      for (const door of doors)
        for (const [host, text] of Object.entries({ 'moves.test': 'swarm', 'comes.test': 'docker', 'stays.test': 'docker' }))
          expect(await ask(door, host)).toEqual({ status: 200, text });

      redis = await startStore();
      const back = await both('moves.test', 'docker');
      await both('comes.test', 404);
      await delay(THROTTLE_MS);
      save({ stays: 'app@docker', moves: 'shop@swarm' });
      const after = await both('moves.test', 'swarm');
      const { count, failures } = await load.stop();
      console.log(
        `sync: the edit of the outage on both ${Math.round(back)} ms after the store was back, the next one after ${Math.round(after)} ms; ${count} requests`,
      );
      expect(failures).toEqual([]);
      expect(after).toBeLessThan(1_000);
    }, 60_000);
  },
);
