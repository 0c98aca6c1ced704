import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';

/** What operators see of the real program. */
let server: Server;
let serverPort: number;
let web: number;
let admin: number;
let agent: AgentProcess;

const SECRET = 'planted-secret-4711';

interface Answer {
  readonly status: number;
  /** Unpacked. */
  readonly text: string;
}
const ask = (port: number, path: string, options: { method?: string; host?: string; body?: string; auth?: string } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', host = 'app.test', body, auth } = options;
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, headers: { Host: host }, agent: false, ...(auth && { auth }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const isPacked = response.headers['content-type'] === 'application/gzip';
          resolve({ status: response.statusCode!, text: (isPacked ? gunzipSync(bytes) : bytes).toString() });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
const app = (host = 'app.test') => ({
  http: {
    routers: { app: { rule: `Host(\`${host}\`)`, service: 'app', entryPoints: ['web'] } },
    services: { app: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${serverPort}` }] } } },
  },
});
const staticText = (more: string) => `
entryPoints: {web: {address: "127.0.0.1:${web}"}, traefik: {address: "127.0.0.1:${admin}"}}
log: {level: INFO}
${more}`;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    if (incoming.url === '/traefik.json') response.end(JSON.stringify(app('polled.test')));
    else response.end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  serverPort = (server.address() as { port: number }).port;
});
afterAll(() => void server.close());
beforeEach(async () => {
  [web, admin] = await Promise.all([freePort(), freePort()]);
  agent = new AgentProcess();
  agent.writeDynamic(JSON.stringify(app()));
});
afterEach(() => agent.stop());

describe('the access log of a running agent', () => {
  const lines = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);

  it('goes on in a new file on SIGUSR1, as does the log, and no line is lost', async () => {
    const access = join(agent.folder, 'access.log');
    const log = join(agent.folder, 'agent.log');
    agent.start(
      staticText(`providers: {file: {filename: $DYNAMIC}}\naccessLog: {filePath: "${access}"}\nedge: {threads: 2}`).replace(
        'log: {level: INFO}',
        `log: {level: DEBUG, filePath: "${log}"}`,
      ),
    );
    await until(async () => (await ask(web, '/warm')).status === 200);
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask(web, `/before/${i}`)));
    await until(() => lines(access).filter((line) => line.includes('/before/')).length === 20);
    renameSync(access, `${access}.1`);
    renameSync(log, `${log}.1`);
    agent.signal('SIGUSR1');
    await until(() => existsSync(access) && existsSync(log));
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask(web, `/after/${i}`)));
    await until(() => lines(access).filter((line) => line.includes('/after/')).length === 20);
    expect(lines(`${access}.1`).some((line) => line.includes('/after/'))).toBe(false);
    agent.signal('SIGTERM');
    expect(await agent.exited()).toBe(0);
    expect(readFileSync(log, 'utf8')).toContain('Stopped');
  });

  it('keeps every line on standard output, when its reader is slow too, and the lines of the log beside them whole', async () => {
    agent.start(staticText('providers: {file: {filename: $DYNAMIC}}\naccessLog: {format: json}').replace('INFO', 'DEBUG'));
    await until(async () => (await ask(web, '/warm')).status === 200);
    agent.pauseReading();
    // More than a pipe holds.
    const long = 'x'.repeat(1000);
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 50 }, (_, n) => ask(web, `/slow/${i * 50 + n}?${long}`)));
    agent.writeDynamic(JSON.stringify(app('other.test')));
    await until(async () => (await ask(web, '/', { host: 'other.test' })).status === 200);
    agent.resumeReading();
    const told = () => agent.output.split('\n').filter((line) => line.includes('"/slow/'));
    await until(() => told().length === 500);
    expect(new Set(told().map((line) => (JSON.parse(line) as { RequestPath: string }).RequestPath)).size).toBe(500);
    for (const line of agent.output.split('\n').filter((text) => text.startsWith('{'))) JSON.parse(line);
  });

  it('loses lines when the disk is full, and says so, but no request', async () => {
    agent.start(staticText('providers: {file: {filename: $DYNAMIC}}\naccessLog: {filePath: /dev/full}'));
    await until(async () => (await ask(web, '/')).status === 200);
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(web, '/')));
    expect(answers.every(({ status, text }) => status === 200 && text === 'hello')).toBe(true);
    await agent.says('Access log lines are lost');
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
    expect((await ask(web, '/')).status).toBe(200);
  });
});

describe('providers by HTTP', () => {
  it('serves what is sent with PUT, and what is polled', async () => {
    agent.start(
      staticText(
        `providers: {providersThrottleDuration: 10ms, rest: {insecure: true}, http: {endpoint: "http://127.0.0.1:${serverPort}/traefik.json", pollInterval: 50ms}}`,
      ),
    );
    await until(async () => (await ask(web, '/', { host: 'polled.test' })).status === 200);
    expect((await ask(web, '/', { host: 'sent.test' })).status).toBe(404);
    const put = (body: object) => ask(admin, '/api/providers/rest', { method: 'PUT', body: JSON.stringify(body) });
    expect((await put(app('sent.test'))).status).toBe(200);
    await until(async () => (await ask(web, '/', { host: 'sent.test' })).status === 200);
    await put(app('other.test'));
    await until(async () => (await ask(web, '/', { host: 'sent.test' })).status === 404);
    expect((await put({ http: { routers: { app: { rul: 'x' } } } })).status).toBe(400);
    expect((await ask(web, '/', { host: 'other.test' })).status).toBe(200);
    expect((await ask(web, '/', { host: 'polled.test' })).status).toBe(200);
  });
});

describe('a stranger', () => {
  /** All of ours behind routers of the operator, and nothing of it insecure. */
  const guarded = () => {
    const router = (rule: string, service: string) => ({ rule, service, entryPoints: ['web'], middlewares: ['guard'] });
    const { http } = app();
    return {
      http: {
        ...http,
        routers: {
          ...http.routers,
          api: router('PathPrefix(`/api`) || PathPrefix(`/dashboard`) || PathPrefix(`/debug`)', 'api@internal'),
          rest: { ...router('PathPrefix(`/api/providers`)', 'rest@internal'), priority: 1000 },
          metrics: router('PathPrefix(`/metrics`)', 'prometheus@internal'),
        },
        middlewares: {
          // Of the password 'sesame'.
          guard: { basicAuth: { users: ['bob:{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw='] } },
          planted: { basicAuth: { users: [`eve:${SECRET}`], realm: 'r' } },
        },
      },
    };
  };
  const PATHS = [
    '/api/overview',
    '/api/rawdata',
    '/api/version',
    '/api/support-dump',
    '/api/entrypoints',
    '/api/http/middlewares',
    '/api/certificates',
    '/dashboard/',
    '/debug/vars',
    '/debug/pprof/cmdline',
    '/metrics',
    '/api/providers/rest',
  ];

  it('gets nothing but 401 and 404, and no answer, log or metric has a secret', async () => {
    const access = join(agent.folder, 'access.log');
    agent.writeDynamic(JSON.stringify(guarded()));
    agent.start(
      staticText(
        `providers: {file: {filename: $DYNAMIC}, rest: {}, http: {endpoint: "http://user:${SECRET}@127.0.0.1:1/", headers: {X-Key: "${SECRET}"}}}\n` +
          `api: {debug: true}\nmetrics: {addInternals: true, prometheus: {manualRouting: true}}\n` +
          `accessLog: {filePath: "${access}", format: json, addInternals: true}`,
      ).replace('INFO', 'DEBUG'),
    );
    await until(async () => (await ask(web, '/')).status === 200);
    await until(async () => (await ask(web, '/api/version')).status === 401);
    for (const path of PATHS) {
      for (const method of ['GET', 'PUT', 'POST']) {
        const { status, text } = await ask(web, path, { method, ...(method !== 'GET' && { body: '{}' }) });
        expect([path, method, status], text).toEqual([path, method, 401]);
        expect(text).not.toContain(SECRET);
      }
      // Nothing leads there by itself.
      await expect(ask(admin, path).then(({ status }) => status)).resolves.toBe(404);
    }
    const answers = await Promise.all(PATHS.map((path) => ask(web, path, { auth: 'bob:sesame' })));
    expect(answers.map(({ status }) => status)).toEqual(PATHS.map((path) => (path === '/api/providers/rest' ? 405 : 200)));
    expect(answers.map(({ text }) => text).join()).not.toContain(SECRET);
    const wrong = await ask(web, '/api/providers/rest', { method: 'PUT', auth: 'bob:sesame', body: `{"http": {"x": "${SECRET}""` });
    expect([wrong.status, wrong.text.includes(SECRET)]).toEqual([400, false]);
    await agent.says('Provider failed');
    await until(() => existsSync(access) && readFileSync(access, 'utf8').includes('/metrics'));
    expect(agent.output + readFileSync(access, 'utf8')).not.toContain(SECRET);
  });
});
