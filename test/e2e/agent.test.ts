import { createServer, request, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';

/** Answers with its name; `/slow` waits to be released. */
function startServer(name: string): Promise<{ port: number; server: Server; slow: () => number; release(): void }> {
  let slow = 0;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const server = createServer(async (incoming, response) => {
    if (incoming.url === '/slow') {
      slow += 1;
      await released;
    }
    response.end(name);
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as { port: number }).port, server, slow: () => slow, release })),
  );
}

let web: number;
let agent: AgentProcess;
let one: Awaited<ReturnType<typeof startServer>>;
let two: Awaited<ReturnType<typeof startServer>>;

const get = (host: string, path = '/'): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: web, path, headers: { Host: host }, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });

const staticText = (extra = '') => `
entryPoints: {web: {address: "127.0.0.1:${web}"}}
providers: {providersThrottleDuration: 10ms, file: {filename: $DYNAMIC}}
log: {level: INFO}
${extra}`;
const dynamic = (host: string, port: number) => `http:
  routers:
    app: {rule: "Host(\`${host}\`)", service: app}
  services:
    app: {loadBalancer: {servers: [{url: "http://127.0.0.1:${port}"}]}}
`;

beforeAll(async () => {
  [one, two] = await Promise.all([startServer('one'), startServer('two')]);
});
afterAll(() => {
  for (const { server } of [one, two]) server.close();
});
beforeEach(async () => {
  web = await freePort();
  agent = new AgentProcess();
  agent.writeDynamic(dynamic('app.test', one.port));
});
afterEach(() => agent.stop());

describe('edgeway agent', () => {
  it('serves what the file says, and follows its changes', async () => {
    agent.start(staticText());
    await agent.says('Serving');
    await until(async () => (await get('app.test')).text === 'one');
    agent.writeDynamic(dynamic('app.test', two.port));
    await until(async () => (await get('app.test')).text === 'two');
    agent.writeDynamic(dynamic('other.test', two.port));
    await until(async () => (await get('app.test')).status === 404);
  });

  it('keeps the last good object when an edit breaks it, and says where and what to write', async () => {
    agent.start(staticText());
    await until(async () => (await get('app.test')).text === 'one');
    agent.writeDynamic('http:\n  routers:\n    app: [not: closed\n');
    await agent.says(/dynamic\.yml:\d/);
    expect(await get('app.test')).toMatchObject({ status: 200, text: 'one' });
  });

  it('names an option that an edit misspelt, while the object stays as it was', async () => {
    agent.start(staticText());
    await until(async () => (await get('app.test')).text === 'one');
    agent.writeDynamic(dynamic('app.test', two.port).replace('servers', 'servrs'));
    await agent.says(/ERR Definition is refused object=http\.services\.app@file.*did you mean 'servers'\? \(.*dynamic\.yml:5\)/);
    expect((await get('app.test')).text).toBe('one');
  });

  it('names the object, its line and the remedy, and serves the others', async () => {
    agent.writeDynamic(
      `${dynamic('app.test', one.port).replace('  services:', '    typo: {rule: "Host(`typo.test`)", servce: app}\n  services:')}`,
    );
    agent.start(staticText());
    await until(async () => (await get('app.test')).text === 'one');
    await agent.says(/http\.routers\.typo@file.*did you mean 'service'\? \(.*dynamic\.yml:4\)/);
  });

  it('is told which port is taken, and ends with 1', async () => {
    agent.start(staticText());
    await agent.says('Serving');
    const second = new AgentProcess();
    try {
      second.start(staticText());
      expect(await second.exited()).toBe(1);
      expect(second.output).toMatch(new RegExp(`Cannot listen on '127.0.0.1:${web}': node \\(process ${agent.pid}\\) listens there`));
    } finally {
      await second.stop();
    }
  });

  it('refuses a wrong static configuration with its place, and ends with 1', async () => {
    agent.start(staticText('entrypoint: {}\npilot: {token: x}'));
    expect(await agent.exited()).toBe(1);
    expect(agent.output).toContain('pilot');
  });

  it('finishes requests in flight when it is told to stop', async () => {
    agent.start(staticText());
    await until(async () => (await get('app.test')).text === 'one');
    const slow = get('app.test', '/slow');
    // The request must have reached the server before the signal.
    await until(() => one.slow() > 0);
    agent.signal('SIGTERM');
    await agent.says('Stopping');
    one.release();
    expect(await slow).toEqual({ status: 200, text: 'one' });
    expect(await agent.exited()).toBe(0);
  });
});
