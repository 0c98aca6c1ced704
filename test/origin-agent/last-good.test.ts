import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { findServer, type RunningServer, startRedis } from '../support/servers.ts';

const redisPath = findServer('redis-server');
const agents: AgentProcess[] = [];
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop();
  for (const close of closing.splice(0)) await close();
});

const newAgent = (): AgentProcess => {
  const agent = new AgentProcess();
  agents.push(agent);
  return agent;
};
async function end(agent: AgentProcess): Promise<void> {
  agent.signal('SIGTERM');
  expect(await agent.exited()).toBe(0);
}
const startAgain = (agent: AgentProcess, text: string): AgentProcess =>
  Object.assign(agent, { output: '', exitCode: undefined }).start(text);
const staticText = (port: number, providers: string): string => `
entryPoints: {web: {address: "127.0.0.1:${port}"}}
providers: {providersThrottleDuration: 0s, ${providers}}
log: {level: INFO}
edge: {stateDirectory: state}
`;
/** Where the agent redirects to; undefined when no router is there. */
const location = async (port: number): Promise<string | undefined> =>
  (await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' })).headers.get('location') ?? undefined;
const WARNING = 'The provider cannot be read, serving what it said before';

describeUnless(redisPath === undefined ? 'no redis-server' : undefined, 'an agent that starts without its Redis', () => {
  const key = 'traefik/http/middlewares/r/redirectRegex/replacement';
  const pairs = (to: string) => ({
    'traefik/http/routers/a/rule': 'PathPrefix(`/`)',
    'traefik/http/routers/a/service': 's',
    'traefik/http/routers/a/middlewares': 'r',
    'traefik/http/middlewares/r/redirectRegex/regex': '.*',
    [key]: to,
    'traefik/http/services/s/loadBalancer/servers/0/url': 'http://127.0.0.1:1',
  });
  async function startStore(port: number): Promise<{ server: RunningServer; redis: Redis }> {
    const server = await startRedis(redisPath!, ['--requirepass', 's3cret'], port);
    const redis = new Redis({ port, password: 's3cret' });
    closing.push(() => redis.disconnect(), server.stop);
    return { server, redis };
  }

  it('serves what it said last, says so, and follows it when it is back', async () => {
    const [storePort, port] = [await freePort(), await freePort()];
    const text = staticText(port, `redis: {endpoints: ["127.0.0.1:${storePort}"], password: s3cret}`);
    let { server, redis } = await startStore(storePort);
    await redis.mset(pairs('https://one.test/'));
    const agent = newAgent().start(text);
    await until(async () => (await location(port)) === 'https://one.test/');
    const copy = join(agent.folder, 'state/provider-redis.json');
    await until(() => existsSync(copy));
    // Less than 10 s after the first: it is the end that writes it.
    await redis.set(key, 'https://two.test/');
    await until(async () => (await location(port)) === 'https://two.test/');
    redis.disconnect();
    await server.stop();
    await end(agent);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(agent.folder, 'state'))).toEqual(['provider-redis.json']);
    expect(readFileSync(copy, 'utf8')).toContain('https://two.test/');
    expect(readFileSync(copy, 'utf8')).not.toContain('s3cret');

    const began = performance.now();
    startAgain(agent, text);
    await until(async () => (await location(port)) === 'https://two.test/');
    expect(performance.now() - began).toBeLessThan(5_000);
    await agent.says(WARNING);
    const line = agent.output.split('\n').find((one) => one.includes(WARNING))!;
    expect(line).toMatch(/ WRN .*providerName=redis error=.*ECONNREFUSED.* age=\d+s file=.*provider-redis\.json/);

    ({ server, redis } = await startStore(storePort));
    // It lost its data.
    await agent.says('The store came back empty, keeping what it said before until a key is written');
    expect(await location(port)).toBe('https://two.test/');
    await redis.mset(pairs('https://three.test/'));
    await until(async () => (await location(port)) === 'https://three.test/');
    await agent.says('The provider can be read again');
    await end(agent);
    expect(readFileSync(copy, 'utf8')).toContain('https://three.test/');

    // Both were started anew.
    await redis.flushall();
    startAgain(agent, text);
    await until(async () => (await location(port)) === 'https://three.test/');
    await agent.says(/serving what it said before.*error="It is empty"/);
    await end(agent);

    redis.disconnect();
    await server.stop();
    writeFileSync(copy, readFileSync(copy, 'utf8').slice(0, -20));
    startAgain(agent, text);
    await agent.says('The copy of the configuration cannot be read');
    await agent.says('Serving');
    expect(await location(port)).toBeUndefined();
    expect(agent.output).not.toContain(WARNING);
  }, 60_000);

  it('does not take over on a copy from an agent that knows more', async () => {
    const [storePort, port] = [await freePort(), await freePort()];
    const text = staticText(port, `redis: {endpoints: ["127.0.0.1:${storePort}"], password: s3cret}`).replace(
      'edge: {',
      'edge: {takeover: true, ',
    );
    const { server, redis } = await startStore(storePort);
    await redis.mset(pairs('https://one.test/'));
    const first = newAgent().start(text);
    await until(async () => (await location(port)) === 'https://one.test/');
    await until(() => existsSync(join(first.folder, 'state/provider-redis.json')));
    redis.disconnect();
    await server.stop();
    const second = newAgent().start(text, [`--edge.stateDirectory=${join(first.folder, 'state')}`]);
    await until(() => second.output.split('Provider failed').length > 3);
    expect(second.output).not.toContain(WARNING);
    expect(first.exitCode).toBeUndefined();
    expect(await location(port)).toBe('https://one.test/');
  });
});

describe('an agent that starts without its HTTP address', () => {
  it('serves what it said last, also while the answer is nonsense, and publishes when it is back', async () => {
    let body = (to: string): string =>
      JSON.stringify({
        http: {
          routers: { a: { rule: 'PathPrefix(`/`)', service: 's', middlewares: ['r'] } },
          services: { s: { loadBalancer: { servers: [{ url: 'http://127.0.0.1:1' }] } } },
          middlewares: { r: { redirectRegex: { regex: '.*', replacement: to } } },
        },
      });
    let to = 'https://one.test/';
    const server = createServer((_, response) => void response.end(body(to)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const port = await freePort();
    const text = staticText(
      port,
      `http: {endpoint: "http://127.0.0.1:${(server.address() as { port: number }).port}/", pollInterval: 50ms}, file: {filename: $DYNAMIC}`,
    ).replace(
      'edge: {',
      'edge: {entryPoints: {web: http}, hub: {url: "http://127.0.0.1:1"}, relay: {address: "127.0.0.1:0", publicUrl: "https://x.test"}, ',
    );
    const agent = newAgent();
    agent.writeDynamic(`http:
  routers: {b: {rule: "Host(\`file.test\`)", service: s}}
  services: {s: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}}
`);
    agent.start(text);
    await until(async () => (await location(port)) === 'https://one.test/');
    await agent.says('Public at the edge');
    // The first that the hub would hear is all of it.
    expect(/Public at the edge .*/.exec(agent.output)![0]).toContain('hosts=["*","file.test"]');
    await end(agent);
    const sound = body;
    body = () => '<html>Back in a minute</html>';
    startAgain(agent, text);
    await agent.says(WARNING);
    await until(async () => (await location(port)) === 'https://one.test/');
    await agent.says('Nothing is published until every provider can be read');
    body = sound;
    await agent.says('The provider can be read again');
    await agent.says('Public at the edge');
    const [beforeIt] = agent.output.split('The provider can be read again');
    expect(beforeIt).not.toContain('Public at the edge');
    to = 'https://two.test/';
    await until(async () => (await location(port)) === 'https://two.test/');
  }, 30_000);
});

describe('an agent whose providers are here', () => {
  it('writes nothing', async () => {
    const port = await freePort();
    const agent = newAgent();
    agent.writeDynamic('http: {routers: {a: {rule: "PathPrefix(`/`)", service: noop@internal}}}');
    agent.start(
      staticText(port, 'file: {filename: $DYNAMIC}, rest: {insecure: true}').replace('web:', 'traefik: {address: "127.0.0.1:0"}, web:'),
    );
    await until(async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 418);
    await end(agent);
    expect(existsSync(join(agent.folder, 'state'))).toBe(false);
  });
});
