import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';

const RELOADS = 1000;
const PER_SECOND = 500;
/** Of each kind. */
const LIVE = 25;

let http: Server;
let echo: TcpServer;
let web: number;
let tcp: number;
let agent: AgentProcess;

beforeAll(async () => {
  http = createServer((_request, response) => response.end('ok')).on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  echo = createTcpServer((socket) => void socket.on('error', () => {}).pipe(socket));
  for (const server of [http, echo]) await once(server.listen(0, '127.0.0.1'), 'listening');
  [web, tcp] = [await freePort(), await freePort()];
  agent = new AgentProcess();
  writeDynamic(0);
  agent.start(`
entryPoints: {web: {address: "127.0.0.1:${web}"}, tcp: {address: "127.0.0.1:${tcp}"}}
providers: {providersThrottleDuration: 1ms, file: {filename: $DYNAMIC}}
edge: {threads: 2}
`);
  await until(async () => (await status('marker.test', '/0')) === 200 || undefined);
});
afterAll(async () => {
  await agent.stop();
  http.closeAllConnections();
  http.close();
  echo.close();
});

const portOf = (server: Server | TcpServer): number => (server.address() as AddressInfo).port;

function writeDynamic(revision: number): void {
  const url = `http://127.0.0.1:${portOf(http)}`;
  agent.writeDynamic(`
http:
  routers:
    app: {rule: "Host(\`app.test\`)", service: app, middlewares: [mark]}
    marker: {rule: "Host(\`marker.test\`) && Path(\`/${revision}\`)", service: app}
  middlewares: {mark: {headers: {customResponseHeaders: {X-Revision: "${revision}"}}}}
  services: {app: {loadBalancer: {servers: [{url: "${url}"}]}}}
tcp:
  routers: {echo: {rule: "HostSNI(\`*\`)", entryPoints: [tcp], service: echo}}
  services: {echo: {loadBalancer: {servers: [{address: "127.0.0.1:${portOf(echo)}"}]}}}
`);
}

const keepAlive = new Agent({ keepAlive: true, maxSockets: 32 });

function status(host: string, path: string, through: Agent | false = false): Promise<number | string> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: web, path, headers: { Host: host }, agent: through };
    const request = get(options, (response: IncomingMessage) => {
      response.on('error', (error) => resolve(error.message)).on('end', () => resolve(response.statusCode!));
      response.resume();
    });
    request.on('error', (error) => resolve(error.message));
  });
}

/** A connection that says back what it is told. */
class Live {
  readonly #socket: Socket;
  #heard = '';

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk) => (this.#heard += String(chunk)));
  }

  async says(text: string, answer = text): Promise<void> {
    this.#heard = '';
    this.#socket.write(text);
    await until(() => (this.#socket.destroyed ? Promise.reject(new Error('It was cut')) : this.#heard.includes(answer) || undefined));
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** Requests at a fixed rate, whether answered or not; every outcome but 200. */
function startLoad(): { readonly sent: () => number; readonly stop: () => Promise<string[]> } {
  const failures: string[] = [];
  const open = new Set<Promise<void>>();
  const begin = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (; sent < ((performance.now() - begin) * PER_SECOND) / 1000; sent++) {
      const one = status('app.test', '/', keepAlive).then((outcome) => {
        if (outcome !== 200) failures.push(`${outcome} for request ${sent}`);
        open.delete(one);
      });
      open.add(one);
    }
  }, 2);
  return {
    sent: () => sent,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      return failures;
    },
  };
}

it(`${RELOADS} reloads at ${PER_SECOND} requests a second and ${2 * LIVE} live connections: none failed, none dropped`, async () => {
  const streams = Array.from({ length: LIVE }, () => new Live(tcp));
  const sockets = Array.from({ length: LIVE }, () => new Live(web));
  const upgrade = 'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  await Promise.all(sockets.map((socket) => socket.says(upgrade, '101 Switching Protocols')));
  await Promise.all(streams.map((stream) => stream.says('hello')));
  const load = startLoad();
  for (let revision = 1; revision <= RELOADS; revision++) {
    writeDynamic(revision);
    await until(async () => (await status('marker.test', `/${revision}`)) === 200 || undefined);
    if (revision % 100 === 0) await Promise.all([...streams, ...sockets].map((live) => live.says(`revision ${revision}`)));
  }
  const failures = await load.stop();
  console.log(`${RELOADS} reloads: ${load.sent()} requests, ${failures.length} failed`);
  expect(failures).toEqual([]);
  for (const live of [...streams, ...sockets]) live.end();
  keepAlive.destroy();
}, 240_000);
