import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger, type LogLine, silentLogger } from '../../src/base/log.ts';
import { readStartConfiguration } from '../../src/origin-agent/static-configuration.ts';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { realClock } from '../support/provider.ts';
import { findServer, type RunningServer, startRedis } from '../support/servers.ts';

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
});
