import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { runEdgeway } from '../support/run-edgeway.ts';
import { type ConsulToken, consulName, consulPath, type StartedConsul, startConsul } from '../support/stores/consul.ts';

const EDGEWAY = join(import.meta.dirname, '../../bin/edgeway');
/** The original. It asks for more than the stand-in knows, so both variables must name a program. */
const traefikPath = consulPath === undefined ? undefined : process.env.TRAEFIK;

/** The rights of docs/stores.md. */
const AGENT: ConsulToken = {
  secret: 'aaaaaaaa-1111-4111-8111-111111111111',
  keys: { 'traefik/': 'read', 'edgeway/traefik/': 'read', 'edgeway/traefik/nodes/': 'write' },
  sessions: true,
};
const SYNC: ConsulToken = {
  secret: 'bbbbbbbb-1111-4111-8111-111111111111',
  keys: { 'traefik/': 'write', 'edgeway/traefik/': 'write' },
  sessions: true,
};
const TRAEFIK: ConsulToken = { secret: 'cccccccc-1111-4111-8111-111111111111', keys: { traefik: 'read' }, sessions: false };

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

describe(`an agent, a Consul with tokens (${consulName}) and a file of keys`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-consul-e2e-'));
  const file = join(folder, 'keys.csv');
  const services: Server[] = [];
  let consul: StartedConsul;
  let agent: AgentProcess;
  let port: number;
  let syncing: ChildProcess;
  let said = '';

  const url = (token = SYNC): string => `consul://127.0.0.1:${consul.port}?token=${token.secret}`;
  const edgeway = (...args: string[]) => runEdgeway(['sync', ...args], { cwd: folder });
  const router = (name: string, service: string): string =>
    `traefik/http/routers/${name}/rule,Host(\`${name}.test\`)\ntraefik/http/routers/${name}/service,${service}\n`;
  const save = (routers: string): void => {
    const servers = services.map(
      (server, index) =>
        `traefik/http/services/s${index}/loadBalancer/servers/0/url,http://127.0.0.1:${(server.address() as { port: number }).port}\n`,
    );
    writeFileSync(`${file}.next`, `# what is served\n${servers.join('')}${routers}`);
    renameSync(`${file}.next`, file);
  };
  /** Milliseconds until the agent answers so. */
  async function serves(name: string, expected: string | number): Promise<number> {
    const start = performance.now();
    await until(async () => {
      const { status, text } = await get(port, `${name}.test`);
      return typeof expected === 'number' ? status === expected : status === 200 && text === expected;
    }, 25_000);
    return performance.now() - start;
  }

  beforeAll(async () => {
    for (const name of ['one', 'two'])
      services.push(
        await new Promise<Server>((resolve) => {
          const server = createServer((_, response) => response.end(name)).listen(0, '127.0.0.1', () => resolve(server));
        }),
      );
    consul = await startConsul({ tokens: [AGENT, SYNC, TRAEFIK] });
    port = await freePort();
    save(router('stays', 's0') + router('moves', 's0') + router('goes', 's0'));
    syncing = spawn(EDGEWAY, ['sync', file, url(), '--apply', '--prune', '--watch'], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [syncing.stdout!, syncing.stderr!]) stream.on('data', (chunk: Buffer) => (said += chunk));
    agent = new AgentProcess().start(`entryPoints: {web: {address: "127.0.0.1:${port}"}}
providers: {providersThrottleDuration: 100ms, consul: {endpoints: ["127.0.0.1:${consul.port}"], token: ${AGENT.secret}}}
edge: {site: here}
`);
    await serves('stays', 'one');
  }, 40_000);

  afterAll(async () => {
    syncing?.kill('SIGKILL');
    await agent?.stop();
    await consul?.stop();
    consul?.remove();
    for (const server of services) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('brings every edit to the agent within a second, and removes what left', async () => {
    let changed = 0;
    for (const service of [1, 0, 1]) {
      save(router('stays', 's0') + router('moves', `s${service}`) + router('goes', 's0'));
      changed = Math.max(changed, await serves('moves', ['one', 'two'][service]!));
    }
    save(router('stays', 's0') + router('moves', 's1'));
    const removed = await serves('goes', 404);
    console.log(`sync to consul: changed in at most ${Math.round(changed)} ms, gone in ${Math.round(removed)} ms`);
    expect(Math.max(changed, removed)).toBeLessThan(1_000);
  });

  it('serves on while the store is away, and goes on when it is back', async () => {
    await consul.stop();
    save(router('stays', 's0') + router('moves', 's0'));
    await until(() => /ECONNREFUSED|unreachable/i.test(said));
    expect((await get(port, 'moves.test')).text).toBe('two');
    consul = await startConsul({ again: consul });
    await serves('moves', 'one');
    expect((await get(port, 'goes.test')).status).toBe(404);
  }, 40_000);

  it('keeps the record of which agent runs what', async () => {
    const shows = async () => {
      const { stdout, stderr } = await edgeway('status', url(), '--json');
      if (stdout === '') throw new Error(stderr);
      const { revision, nodes } = JSON.parse(stdout);
      return { node: nodes[0]?.node, isCurrent: nodes[0]?.revision === revision.revision };
    };
    await expect.poll(shows, { timeout: 15_000 }).toEqual({ node: 'here', isCurrent: true });
  }, 20_000);

  it('writes out what is there, and plans nothing against it', async () => {
    expect(await edgeway('export', url(), '--to', 'out.csv', '--format', 'keys')).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toContain('traefik/http/routers/moves/rule,Host(`moves.test`)');
    expect(await edgeway('out.csv', url(), '--prune', '--detailed-exit-code')).toMatchObject({ code: 0, stdout: 'Nothing to do.\n' });
    writeFileSync(join(folder, 'less.csv'), readFileSync(file, 'utf8').replaceAll('moves', 'comes'));
    const { code, stdout } = await edgeway('less.csv', url(), '--prune', '--detailed-exit-code');
    expect([code, stdout]).toEqual([3, expect.stringMatching(/\+ http\.routers\.comes.*\n- http\.routers\.moves/)]);
  });

  it('refuses a token that may not write, and says why', async () => {
    writeFileSync(join(folder, 'more.csv'), readFileSync(file, 'utf8').replaceAll('moves', 'comes'));
    const { code, stderr } = await edgeway('more.csv', url(TRAEFIK), '--apply');
    expect([code, stderr]).toEqual([1, expect.stringContaining('Permission denied')]);
    expect(stderr).not.toContain(TRAEFIK.secret);
  });

  it.skipIf(traefikPath === undefined)(
    'is routed the same by the original (variables CONSUL and TRAEFIK)',
    async () => {
      const other = await freePort();
      const args = [
        `--entrypoints.web.address=127.0.0.1:${other}`,
        `--providers.consul.endpoints=127.0.0.1:${consul.port}`,
        `--providers.consul.token=${TRAEFIK.secret}`,
        '--log.level=ERROR',
      ];
      const traefik = spawn(traefikPath!, args, { stdio: ['ignore', 'inherit', 'inherit'] });
      const same = (host: string) =>
        until(async () => {
          const [ours, theirs] = await Promise.all([port, other].map((one) => get(one, host)));
          return ours!.status === theirs!.status && (ours!.status === 404 || ours!.text === theirs!.text);
        }, 20_000);
      try {
        await until(async () => (await get(other, 'stays.test')).status === 200, 20_000);
        for (const host of ['stays.test', 'moves.test', 'goes.test', 'nowhere.test']) await same(host);
        save(router('stays', 's1') + router('goes', 's0'));
        await serves('goes', 'one');
        await serves('moves', 404);
        for (const host of ['stays.test', 'moves.test', 'goes.test', 'nowhere.test']) await same(host);
        expect((await get(other, 'stays.test')).text).toBe('two');
      } finally {
        traefik.kill('SIGKILL');
      }
    },
    60_000,
  );
});
