import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../support/agent-process.ts';

const EDGEWAY = fileURLToPath(new URL('../../bin/edgeway', import.meta.url));
/** As a service manager does: the number of the process is known only when it is there. */
const AS_SERVICE = ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', EDGEWAY, 'agent'];

let folder: string;
let output = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgeway-sockets-'));
  output = '';
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A socket of ours that listens, as the number of a file; `let go` closes it here. */
async function listenTcp(): Promise<{ fd: number; port: number; letGo(): void }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return { fd, port: (server.address() as { port: number }).port, letGo: () => void server.close() };
}

async function bindUdp(): Promise<{ fd: number; port: number; letGo(): void }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const handle = Object.getOwnPropertySymbols(socket).map(
    (symbol) => (socket as unknown as Record<symbol, { handle?: { fd: number } }>)[symbol],
  );
  return {
    fd: handle.find((state) => state?.handle !== undefined)!.handle!.fd,
    port: socket.address().port,
    letGo: () => void socket.close(),
  };
}

it('serves on the sockets of systemd, by the names of entry points', async () => {
  const [web, admin, datagrams] = [await listenTcp(), await listenTcp(), await bindUdp()];
  const echo = createSocket('udp4');
  echo.on('message', (message, from) => echo.send(`echo ${message}`, from.port, from.address));
  await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve));
  writeFileSync(
    join(folder, 'dynamic.yml'),
    `http: {routers: {noop: {rule: "PathPrefix(\`/\`)", service: noop@internal, entryPoints: [web]}}}
udp:
  routers: {echo: {service: echo, entryPoints: [datagrams]}}
  services: {echo: {loadBalancer: {servers: [{address: "127.0.0.1:${echo.address().port}"}]}}}
`,
  );
  const flags = ['web=:1', 'admin=:2', 'datagrams=:3/udp'].map((one) => `--entryPoints.${one.replace('=', '.address=')}`);
  const child = spawn(
    '/bin/sh',
    [...AS_SERVICE, ...flags, '--ping.entryPoint=admin', '--providers.file.filename=dynamic.yml', '--log.level=INFO', '--edge.threads=4'],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe', web.fd, admin.fd, datagrams.fd, 'ignore'],
      env: { ...process.env, LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:admin:datagrams' },
    },
  );
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (output += chunk));
    for (const { letGo } of [web, admin, datagrams]) letGo();
    await until(() => output.includes('Serving'));
    expect(output).toContain(`"web":${web.port}`);
    await until(async () => (await fetch(`http://127.0.0.1:${web.port}/`)).status === 418);
    expect((await fetch(`http://127.0.0.1:${admin.port}/ping`)).status).toBe(200);
    const client = createSocket('udp4');
    let answer = '';
    client.on('message', (message) => (answer = String(message)));
    await until(() => {
      client.send('hello', datagrams.port, '127.0.0.1');
      return answer === 'echo hello';
    });
    client.close();
  } finally {
    echo.close();
    child.kill('SIGTERM');
    expect(await gone, output).toBe(0);
  }
});
