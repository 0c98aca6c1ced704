import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../../scripts/servers.ts';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { createAuthority } from '../support/edge/certificates.ts';

const run = promisify(execFile);
const POSTGRES = '/usr/lib/postgresql/15/bin';
const has = (...programs: string[]): boolean => programs.every((program) => findProgram(program) !== undefined);
const hasPostgres = process.getuid?.() === 0 && has('psql', 'setpriv') && existsSync(`${POSTGRES}/initdb`);

/** One entry point for all of them; what they want is in their first bytes. */
describe.skipIf(!has('openssl'))('real clients of TCP by server name', () => {
  let folder: string;
  let agent: AgentProcess;
  let port: number;
  let echo: Server;
  const running: ChildProcess[] = [];
  const start = (command: string, ...args: string[]): void => void running.push(spawn(command, args, { stdio: 'ignore' }));
  const at = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgeway-clients-'));
    const authority = createAuthority();
    writeFileSync(at('ca.crt'), authority.certificate);
    const { key, certificate } = authority.issue(['redis.test', 'pg.test', 'echo.test']);
    writeFileSync(at('server.key'), key, { mode: 0o600 });
    writeFileSync(at('server.crt'), certificate);
    echo = createServer((socket) => socket.pipe(socket).on('error', () => {}));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const [edge, redis, postgres] = (await Promise.all([freePort(), freePort(), freePort()])) as [number, number, number];
    port = edge;
    if (has('redis-server'))
      start(
        'redis-server',
        ...`--bind 127.0.0.1 --port 0 --tls-port ${redis} --tls-auth-clients no --save`.split(' '),
        '',
        ...`--tls-cert-file ${at('server.crt')} --tls-key-file ${at('server.key')} --tls-ca-cert-file ${at('ca.crt')} --dir ${folder}`.split(
          ' ',
        ),
      );
    if (hasPostgres) await startPostgres(postgres);
    agent = new AgentProcess();
    agent.writeDynamic(`tcp:
  routers:
    redis: {rule: "HostSNI(\`redis.test\`)", service: redis, tls: {passthrough: true}}
    postgres: {rule: "HostSNI(\`pg.test\`)", service: postgres, tls: {passthrough: true}}
    echo: {rule: "HostSNI(\`echo.test\`)", service: echo, tls: {}}
  services:
    redis: {loadBalancer: {servers: [{address: "127.0.0.1:${redis}"}]}}
    postgres: {loadBalancer: {servers: [{address: "127.0.0.1:${postgres}"}]}}
    echo: {loadBalancer: {servers: [{address: "127.0.0.1:${(echo.address() as AddressInfo).port}"}]}}
tls: {certificates: [{certFile: ${at('server.crt')}, keyFile: ${at('server.key')}}]}
`);
    agent.start(`
entryPoints: {all: {address: "127.0.0.1:${port}"}}
providers: {providersThrottleDuration: 10ms, file: {filename: $DYNAMIC}}
log: {level: INFO}
edge: {threads: 1}
`);
    await agent.says('Serving');
  });

  afterAll(async () => {
    await agent?.stop();
    for (const child of running) child.kill('SIGKILL');
    echo?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As its own user, since it refuses root; the key must be its own. */
  async function startPostgres(on: number): Promise<void> {
    const uid = Number((await run('id', ['-u', 'postgres'])).stdout);
    const home = at('pg');
    mkdirSync(home);
    for (const name of ['server.key', 'server.crt']) {
      copyFileSync(at(name), join(home, name));
      chownSync(join(home, name), uid, uid);
    }
    for (const path of [folder, home]) chownSync(path, uid, uid);
    const asPostgres = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
    await run('setpriv', [...asPostgres, `${POSTGRES}/initdb`, '-D', `${home}/data`, '-A', 'trust', '-N', '--no-locale', '-E', 'UTF8']);
    const settings = ['ssl=on', `ssl_cert_file=${home}/server.crt`, `ssl_key_file=${home}/server.key`, 'fsync=off'];
    const options = settings.flatMap((setting) => ['-c', setting]);
    start(
      'setpriv',
      ...asPostgres,
      `${POSTGRES}/postgres`,
      '-D',
      `${home}/data`,
      '-h',
      '127.0.0.1',
      '-p',
      String(on),
      '-k',
      home,
      ...options,
    );
  }

  it.skipIf(!has('redis-server', 'redis-cli'))('redis-cli: TLS from the first byte, passed through', async () => {
    const cli = (...words: string[]): Promise<{ stdout: string }> =>
      run('redis-cli', ['-p', String(port), '--tls', '--cacert', at('ca.crt'), '--sni', 'redis.test', ...words], { timeout: 5_000 });
    await until(async () => (await cli('set', 'a', 'x'.repeat(100_000))).stdout.trim() === 'OK');
    expect((await cli('get', 'a')).stdout.trim()).toHaveLength(100_000);
  });

  it.skipIf(!hasPostgres)('psql: asks for TLS first, and its certificate is that of the server', async () => {
    const to = `host=pg.test hostaddr=127.0.0.1 port=${port} sslmode=verify-full sslrootcert=${at('ca.crt')} user=postgres dbname=postgres`;
    const sql = 'select ssl, sum(n) from pg_stat_ssl, generate_series(1, 10000) n where pid = pg_backend_pid() group by ssl';
    const answer = await until(async () => (await run('psql', [to, '-Atc', sql], { timeout: 5_000 })).stdout.trim());
    expect(answer).toBe('t|50005000');
  });

  it('openssl s_client: TLS ends here, bytes go on in the clear', async () => {
    const client = spawn('openssl', [
      ...['s_client', '-quiet', '-connect', `127.0.0.1:${port}`, '-servername', 'echo.test', '-CAfile', at('ca.crt')],
      ...['-verify_return_error', '-verify_hostname', 'echo.test'],
    ]);
    let text = '';
    client.stdout.on('data', (chunk) => (text += chunk));
    client.stdin.write('hello over TLS\n');
    try {
      await until(() => text === 'hello over TLS\n');
    } finally {
      client.kill('SIGKILL');
    }
  });
});
