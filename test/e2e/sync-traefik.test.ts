import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { runEdgeway } from '../support/run-edgeway.ts';
import { findServer, type RunningServer, startRedis } from '../support/servers.ts';

const redisPath = findServer('redis-server');
const traefikPath = process.env.TRAEFIK;
const SKIPPED =
  traefikPath === undefined ? 'TRAEFIK names no binary' : redisPath === undefined ? 'redis-server is not installed' : undefined;

interface Asked {
  readonly host: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What of an answer is the router's doing: who answered, what that server saw, and what a middleware said. */
const answerOf = (port: number, { host, path = '/', method = 'GET', headers = {} }: Asked) =>
  new Promise<Record<string, unknown>>((resolve, reject) => {
    const fields = { ...headers, Host: host };
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, headers: fields, agent: false },
      async (incoming: IncomingMessage) => {
        const { location, 'www-authenticate': challenge, 'x-said': said } = incoming.headers;
        const body = await text(incoming);
        resolve({ status: incoming.statusCode, location, challenge, said, body: incoming.statusCode === 200 ? body : undefined });
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });

const startEcho = (name: string): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((incoming, response) => {
      const { 'x-forwarded-prefix': prefix, 'x-added': added, authorization } = incoming.headers;
      response.end(JSON.stringify({ name, method: incoming.method, url: incoming.url, prefix, added, authorization }));
    }).listen(0, '127.0.0.1', () => resolve(server));
  });
const portOf = (server: Server | TcpServer): number => (server.address() as { port: number }).port;

/** As operators of a cluster write it, beside a YAML file of another team. */
const keys = (one: number, two: number, tcp: number): string => `
traefik/http/services/one/loadBalancer/servers/0/url,http://127.0.0.1:${one}
traefik/http/services/two/loadBalancer/servers/0/url,http://127.0.0.1:${two}
traefik/http/services/spare/failover/service,one
traefik/http/services/spare/failover/fallback,two
traefik/http/services/spare/failover/errors/status/0,500-504
traefik/http/services/mostly/weighted/services/0/name,two
traefik/http/services/mostly/weighted/services/0/weight,1
traefik/http/services/mostly/weighted/services/1/name,one
traefik/http/services/mostly/weighted/services/1/weight,0
traefik/http/routers/site/rule,Host(\`site.test\`)
traefik/http/routers/site/service,one
traefik/http/routers/api/rule,Host(\`site.test\`) && (PathPrefix(\`/api\`) || PathPrefix(\`/v2\`))
traefik/http/routers/api/service,two
traefik/http/routers/api/middlewares/0,strip
traefik/http/routers/api/middlewares/1,said
traefik/http/routers/first/rule,Host(\`site.test\`) && Path(\`/api/first\`)
traefik/http/routers/first/service,spare
traefik/http/routers/first/priority,1
traefik/http/routers/weighted/rule,"Host(\`many.test\`) || HostRegexp(\`^.+\\.many\\.test$\`)"
traefik/http/routers/weighted/service,mostly
traefik/http/routers/weighted/middlewares,add
traefik/http/routers/post/rule,Host(\`many.test\`) && Method(\`POST\`) && Query(\`to\`, \`one\`)
traefik/http/routers/post/service,one
traefik/http/middlewares/strip/stripPrefix/prefixes,"/api,/v2"
traefik/http/middlewares/add/addPrefix/prefix,/deep
traefik/http/middlewares/said/headers/customResponseHeaders/X-Said,"by the store, twice"
traefik/http/middlewares/said/headers/customRequestHeaders/X-Added,yes
traefik/tcp/services/echo/loadBalancer/servers/0/address,127.0.0.1:${tcp}
traefik/tcp/routers/echo/rule,HostSNI(\`*\`)
traefik/tcp/routers/echo/entryPoints,raw
traefik/tcp/routers/echo/service,echo
`;
const TEAM = `
http:
  routers:
    moved: {rule: "Host(\`old.test\`)", service: empty@file, middlewares: [moved]}
    closed: {rule: "Host(\`closed.test\`)", service: empty, middlewares: [nobody]}
    secret: {rule: "Host(\`secret.test\`)", service: empty, middlewares: [both]}
  middlewares:
    moved: {redirectRegex: {regex: "^http://old.test/(.*)", replacement: "https://new.test/\${1}", permanent: true}}
    nobody: {ipAllowList: {sourceRange: [192.0.2.0/24]}}
    both: {chain: {middlewares: [login@file]}}
    login: {basicAuth: {realm: vault, users: ["user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="]}}
  services:
    empty: {loadBalancer: {servers: [{url: "$URL"}]}}
`;

const REQUESTS: readonly Asked[] = [
  { host: 'site.test', path: '/a?b=c' },
  { host: 'SITE.test:80' },
  { host: 'site.test', path: '/api/x?y=z' },
  { host: 'site.test', path: '/v2' },
  { host: 'site.test', path: '/api/first' },
  { host: 'many.test', path: '/p' },
  { host: 'one.many.test', path: '/p' },
  { host: 'many.test', path: '/p?to=one', method: 'POST' },
  { host: 'many.test', path: '/p?to=two', method: 'POST' },
  { host: 'old.test', path: '/way?q=1' },
  { host: 'closed.test' },
  { host: 'secret.test' },
  { host: 'secret.test', headers: { Authorization: `Basic ${btoa('user:password')}` } },
  { host: 'secret.test', headers: { Authorization: `Basic ${btoa('user:wrong')}` } },
  { host: 'nowhere.test' },
];

describe.skipIf(SKIPPED !== undefined)(
  `what sync wrote to Redis, before us and the original${SKIPPED === undefined ? '' : ` (skipped: ${SKIPPED})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgeway-sync-traefik-'));
    const agent = new AgentProcess();
    const servers: (Server | TcpServer)[] = [];
    const ports = { ours: 0, theirs: 0, oursRaw: 0, theirsRaw: 0 };
    let redis: RunningServer;
    let traefik: ChildProcess;

    async function write(pairs: string): Promise<void> {
      writeFileSync(join(folder, 'keys.csv'), pairs);
      const args = ['sync', 'keys.csv', 'team.yml', `redis://127.0.0.1:${redis.port}`, '--apply', '--prune'];
      expect(await runEdgeway(args, { cwd: folder })).toMatchObject({ code: 0, stderr: '' });
    }
    const both = (asked: Asked) => Promise.all([answerOf(ports.ours, asked), answerOf(ports.theirs, asked)]);
    let pairs: string;

    beforeAll(async () => {
      const raw = createTcpServer((socket) => socket.pipe(socket).on('error', () => {}));
      await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
      servers.push(await startEcho('one'), await startEcho('two'), raw);
      const [one, two, tcp] = servers.map(portOf) as [number, number, number];
      pairs = keys(one, two, tcp);
      writeFileSync(join(folder, 'team.yml'), TEAM.replace('$URL', `http://127.0.0.1:${one}`));
      redis = await startRedis(redisPath!);
      await write(pairs);
      for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
      const text = (web: number, raw: number): string => `
entryPoints: {web: {address: "127.0.0.1:${web}"}, raw: {address: "127.0.0.1:${raw}"}}
providers: {providersThrottleDuration: 100ms, redis: {endpoints: ["127.0.0.1:${redis.port}"]}}
`;
      agent.start(text(ports.ours, ports.oursRaw));
      const file = join(folder, 'traefik.yml');
      writeFileSync(file, `${text(ports.theirs, ports.theirsRaw)}log: {level: ERROR}\n`);
      traefik = spawn(traefikPath!, [`--configFile=${file}`], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
      await until(async () => (await both(REQUESTS[0]!)).every(({ status }) => status === 200), 20_000);
    }, 60_000);

    afterAll(async () => {
      traefik?.kill('SIGKILL');
      await agent.stop();
      await redis?.stop();
      for (const server of servers) server.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it.each(REQUESTS.map((asked) => [`${asked.method ?? 'GET'} ${asked.host}${asked.path ?? '/'}`, asked] as const))(
      'is the same for %s',
      async (_, asked) => {
        const [ours, theirs] = await both(asked);
        expect(ours).toEqual(theirs);
      },
    );

    it('is not the same answer everywhere', async () => {
      const answers = await Promise.all(REQUESTS.map((asked) => answerOf(ports.theirs, asked)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 301, 401, 403, 404]));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBeGreaterThan(10);
    });

    it('is the same for TCP', async () => {
      const echo = (port: number) =>
        new Promise((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', () => socket.write('bytes'));
          socket.once('data', (data) => {
            resolve(String(data));
            socket.destroy();
          });
          socket.once('error', reject);
        });
      expect(await Promise.all([echo(ports.oursRaw), echo(ports.theirsRaw)])).toEqual(['bytes', 'bytes']);
    });

    it('is the same after a line changed and others went', async () => {
      const without = pairs.replaceAll(/^traefik\/http\/routers\/(?:post|first)\/.*\n/gm, '');
      await write(without.replace('traefik/http/routers/site/service,one', 'traefik/http/routers/site/service,two'));
      const name = (answer: Record<string, unknown>): unknown => answer.status === 200 && JSON.parse(String(answer.body)).name;
      await until(async () => (await both({ host: 'site.test' })).every((answer) => name(answer) === 'two'), 15_000);
      for (const asked of REQUESTS) {
        const [ours, theirs] = await both(asked);
        expect(ours).toEqual(theirs);
      }
      expect(name(await answerOf(ports.ours, { host: 'many.test', path: '/p?to=one', method: 'POST' }))).toBe('two');
    }, 30_000);
  },
);
