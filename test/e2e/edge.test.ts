import { createServer, request, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEdgeSecrets } from '../../src/cli/edge-secrets.ts';
import { bundleWorker, edgeBindings, type LocalEdge, localWorker, startLocalEdge } from '../../src/cli/local-edge.ts';
import { createCode } from '../../src/config/codes.ts';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';

/** The whole way on one machine: file → agent → hub → KV → Worker → relay → server. */
describe('from an edited file to an answer of the edge', () => {
  let edge: LocalEdge;
  let agent: AgentProcess;
  let servers: { name: string; port: number; server: Server }[];
  let web: number;
  const SECRET = 'planted-secret-4711';

  const ask = (
    port: number,
    host: string,
    path = '/',
  ): Promise<{ status: number; text: string; headers: NodeJS.Dict<string | string[]> }> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path, headers: { Host: host }, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  const edgePort = (): number => Number(edge.url.port);
  const dynamic = (host: string, server: number, more = ''): string => `http:
  routers:
    app: {rule: "Host(\`${host}\`)", service: app, entryPoints: [web], middlewares: [mark]}
    private: {rule: "Host(\`private.test\`)", service: app, entryPoints: [inside]}
${more}
  middlewares:
    mark: {headers: {customResponseHeaders: {X-Mark: "yes"}}}
    guard: {basicAuth: {users: ["bob:${SECRET}"]}}
    few: {inFlightReq: {amount: 5}}
  services:
    app: {loadBalancer: {servers: [{url: "http://127.0.0.1:${servers[server]!.port}"}]}}
`;

  beforeAll(async () => {
    servers = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const server = createServer((incoming, response) => {
          response.setHeader('X-Seen-Host', incoming.headers.host ?? '');
          response.end(`${name} ${incoming.url} ${incoming.headers['x-forwarded-for'] ?? ''}`);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        return { name, server, port: (server.address() as { port: number }).port };
      }),
    );
    const secrets = await createEdgeSecrets();
    const env = edgeBindings({ ...secrets, EDGEWAY_CONTROL_HOST: 'localhost', EDGEWAY_FRESHNESS_MS: '500' });
    edge = await startLocalEdge({
      workers: [localWorker({ name: 'edgeway', script: await bundleWorker(), env, durableObjects: ['Hub'] })],
    });
    const [webPort, inside, relay] = await Promise.all([freePort(), freePort(), freePort()]);
    web = webPort;
    agent = new AgentProcess();
    agent.writeDynamic(dynamic('app.test', 0));
    const code = await createCode(secrets.EDGEWAY_ADMIN_KEY, { purpose: 'enrol', now: Date.now(), lifetimeMs: 60_000 });
    agent.start(`
entryPoints: {web: {address: "127.0.0.1:${web}"}, inside: {address: "127.0.0.1:${inside}"}}
providers: {providersThrottleDuration: 10ms, file: {filename: $DYNAMIC}}
log: {level: INFO}
accessLog: {format: json}
edge:
  entryPoints: {web: http}
  hub: {url: "http://localhost:${edgePort()}"}
  site: e2e
  code: "${code}"
  stateDirectory: state
  relay: {address: "127.0.0.1:${relay}", publicUrl: "http://127.0.0.1:${relay}"}
`);
    await until(async () => (await ask(edgePort(), 'app.test')).status === 200, 30_000).catch((error: Error) => {
      throw new Error(`The edge never answered. The agent said:\n${agent.output}`, { cause: error });
    });
  }, 90_000);

  afterAll(async () => {
    await agent.stop();
    await edge.stop();
    for (const { server } of servers) server.close();
  });

  it('says which hosts are public, and publishes no other', async () => {
    await agent.says('Public at the edge hosts=["app.test"]');
    expect((await ask(edgePort(), 'private.test')).status).toBe(404);
  });

  it('runs the chain in the Worker and gives the server the Host and the client of the request', async () => {
    const { text, headers } = await ask(edgePort(), 'app.test', '/a%2Fb?c=%20d');
    expect(headers['x-mark']).toBe('yes');
    expect(headers['x-seen-host']).toBe('app.test');
    expect(text).toBe('one /a%2Fb?c=%20d 127.0.0.1');
    expect(Object.keys(headers).filter((name) => name.startsWith('edgeway-'))).toEqual([]);
  });

  it("logs and counts at the agent what came through the edge, as the client's", async () => {
    await ask(edgePort(), 'app.test', '/logged?x=1');
    const line = await until(() => agent.output.split('\n').find((text) => text.startsWith('{"ClientAddr"') && text.includes('/logged')));
    expect(JSON.parse(line)).toMatchObject({
      RouterName: 'app@file',
      ServiceName: 'app@file',
      RequestHost: 'app.test',
      RequestPath: '/logged?x=1',
      DownstreamStatus: 200,
      ClientHost: '127.0.0.1',
      entryPointName: 'http',
      edgewaySite: 'e2e',
    });
  });

  it('serves an edit on the agent and at the local edge, and prints how soon', async () => {
    const edited = performance.now();
    agent.writeDynamic(dynamic('app.test', 1));
    await until(async () => (await ask(web, 'app.test')).text.startsWith('two'));
    const agentMs = performance.now() - edited;
    await until(async () => (await ask(edgePort(), 'app.test')).text.startsWith('two'));
    agent.writeDynamic(dynamic('moved.test', 1));
    const moved = performance.now();
    await until(async () => (await ask(edgePort(), 'moved.test')).status === 200);
    const edgeMs = performance.now() - moved;
    console.log(`an edit was served after ${agentMs.toFixed(0)} ms by the agent, ${edgeMs.toFixed(0)} ms by the local edge`);
    expect((await ask(edgePort(), 'app.test')).status).toBe(404);
  });

  it('lets nothing secret and no address of a server into KV', async () => {
    const guarded = '    guarded: {rule: "Host(`guarded.test`)", service: app, entryPoints: [web], middlewares: [guard]}';
    agent.writeDynamic(dynamic('app.test', 0, guarded));
    await until(async () => (await ask(edgePort(), 'guarded.test')).status === 401);
    const kv = await edge.kv('EDGEWAY_KV', 'edgeway');
    const { keys } = await kv.list();
    expect(keys.length).toBeGreaterThan(0);
    const everything = (await Promise.all(keys.map(async ({ name }) => `${name} ${await kv.get(name)}`))).join('\n');
    expect(everything).toContain('guarded.test');
    expect(everything).not.toContain(SECRET);
    for (const { port } of servers) expect(everything).not.toContain(String(port));
  });

  it('hands over what must be counted in one place', async () => {
    const limited = '    limited: {rule: "Host(`limited.test`)", service: app, entryPoints: [web], middlewares: [few]}';
    agent.writeDynamic(dynamic('app.test', 0, limited));
    await until(async () => (await ask(edgePort(), 'limited.test')).status === 200);
  });

  it('goes on serving while the agent is replaced, and answers 502 or 503 with no agent at all', async () => {
    agent.signal('SIGTERM');
    expect(await agent.exited()).toBe(0);
    expect([502, 503]).toContain((await ask(edgePort(), 'app.test')).status);
  });
});
