import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';

const PKI = join(import.meta.dirname, '../wire/pki');
const HOOK = join(import.meta.dirname, '../fixtures/crash-on-file.mjs');
const HALF_HEADS = 500;

let server: Server;
let agent: AgentProcess;
let web: number;
let secure: number;

beforeAll(async () => {
  server = createServer((_request, response) => response.end('ok'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  [web, secure] = [await freePort(), await freePort()];
  agent = new AgentProcess();
  useCertificate('a');
  const hook = ['env', `NODE_OPTIONS=--import=${HOOK}`, `CRASH_FILE=${join(agent.folder, 'crash')}`];
  agent.start(
    `
entryPoints: {web: {address: "127.0.0.1:${web}"}, secure: {address: "127.0.0.1:${secure}"}}
providers: {providersThrottleDuration: 1ms, file: {filename: $DYNAMIC}}
edge: {threads: 2}
log: {level: INFO}
`,
    [],
    hook,
  );
  await until(async () => (await ask()) || undefined);
});
afterAll(async () => {
  await agent.stop();
  server.closeAllConnections();
  server.close();
});

function useCertificate(name: string): void {
  for (const kind of ['crt', 'key']) copyFileSync(join(PKI, `${name}.${kind}`), join(agent.folder, `${name}.${kind}`));
  agent.writeDynamic(`
http:
  routers:
    plain: {rule: "PathPrefix(\`/\`)", entryPoints: [web], service: app}
    secure: {rule: "PathPrefix(\`/\`)", entryPoints: [secure], service: app, tls: {}}
  services: {app: {loadBalancer: {servers: [{url: "http://127.0.0.1:${(server.address() as AddressInfo).port}"}]}}}
tls: {stores: {default: {defaultCertificate: {certFile: ${agent.folder}/${name}.crt, keyFile: ${agent.folder}/${name}.key}}}}
`);
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';

/** True when a request on a connection of its own is answered. */
function ask(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(web, '127.0.0.1', () => socket.write(REQUEST));
    socket.once('data', (chunk) => resolve(String(chunk).startsWith('HTTP/1.1 200')));
    socket.on('close', () => resolve(false)).on('error', () => resolve(false));
    socket.once('data', () => socket.destroy());
  });
}

async function connectSecurely(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port: secure, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false, ...options });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

async function askOn(socket: TLSSocket): Promise<string> {
  socket.write(REQUEST);
  return String((await once(socket, 'data'))[0]).slice(0, 15);
}

it('a session that one data thread began is resumed by both', async () => {
  const first = await connectSecurely();
  const session = once(first, 'session');
  await askOn(first);
  const [ticket] = (await session) as [Buffer];
  first.destroy();
  // The kernel divides connections by their port: in so many both threads have their share.
  for (let i = 0; i < 20; i++) {
    const socket = await connectSecurely({ session: ticket });
    expect(socket.isSessionReused()).toBe(true);
    socket.destroy();
  }
});

it('a certificate is replaced for new connections, and those that live go on', async () => {
  const living = await connectSecurely();
  const before = living.getPeerCertificate().fingerprint256;
  useCertificate('multi');
  await until(async () => (await freshFingerprint()) !== before || undefined);
  expect(await askOn(living)).toBe('HTTP/1.1 200 OK');
  living.destroy();
});

async function freshFingerprint(): Promise<string> {
  const socket = await connectSecurely();
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

it(`${HALF_HEADS} clients that never finish their heads keep nobody else waiting`, async () => {
  const slow = await Promise.all(
    Array.from({ length: HALF_HEADS }, async () => {
      const socket = connect(web, '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET / HTTP/1.1\r\nHost: a.te');
      return socket;
    }),
  );
  for (let i = 0; i < 50; i++) expect(await ask()).toBe(true);
  expect(slow.every((socket) => !socket.destroyed)).toBe(true);
  for (const socket of slow) socket.destroy();
});

it('a data thread that crashes is replaced, and its error is logged', async () => {
  const { pid } = agent;
  for (const number of [1, 2]) {
    writeFileSync(join(agent.folder, `crash-${number}`), '');
    await agent.says(`crashed on purpose: ${number}`);
    await until(async () => (await ask()) || undefined);
  }
  // Connections reach the successors: for so many in a row none is refused.
  await until(async () => {
    for (let i = 0; i < 20; i++) if (!(await ask())) return undefined;
    return true;
  });
  expect([agent.pid, agent.exitCode]).toEqual([pid, undefined]);
});
