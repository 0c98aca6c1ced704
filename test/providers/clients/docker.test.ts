import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../../../scripts/servers.ts';
import { connectDocker, type DockerClient } from '../../../src/providers/clients/docker.ts';
import { type Answer, type Answers, type FakeEngine, startFakeEngine, startRawEngine } from '../../support/fake-engine.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function engine(answers: Answers = {}, options?: Parameters<typeof startFakeEngine>[1]): Promise<FakeEngine> {
  const started = await startFakeEngine(answers, options);
  open.push(started);
  return started;
}

async function connect(options: Parameters<typeof connectDocker>[0], environment: Record<string, string> = {}): Promise<DockerClient> {
  const client = await connectDocker(options, environment);
  open.push(client);
  return client;
}

describe('connectDocker', () => {
  it.each<[string, string | null, Answers, string]>([
    ['of the engine, when that is older', '1.24', {}, '1.24'],
    ['of ours, when the engine is newer', '1.99', {}, '1.52'],
    ['from /version, when the ping says none', null, { '/version': { ApiVersion: '1.24' } }, '1.24'],
  ])('takes the version %s', async (_, apiVersion, answers, expected) => {
    const { endpoint, asked } = await engine({ '/containers/json': [], ...answers }, { apiVersion });
    const client = await connect({ endpoint });
    expect(client.apiVersion).toBe(expected);
    await client.get('/containers/json', { query: { all: '1' }, filters: { type: ['a'] } });
    expect(asked.at(-1)).toBe(`GET /v${expected}/containers/json?all=1&filters=%7B%22type%22%3A%5B%22a%22%5D%7D`);
  });

  it.each<[string, string | null, Answers, string]>([
    ['an engine of 2015', '1.21', {}, 'at least 1.24'],
    ['what names no version', null, { '/version': {} }, 'does not answer like a Docker engine'],
  ])('refuses %s', async (_, apiVersion, answers, message) => {
    const { endpoint } = await engine(answers, { apiVersion });
    await expect(connect({ endpoint })).rejects.toThrow(message);
  });

  it('takes the version of DOCKER_API_VERSION', async () => {
    const { endpoint } = await engine();
    expect((await connect({ endpoint }, { DOCKER_API_VERSION: '1.30' })).apiVersion).toBe('1.30');
  });

  it('takes DOCKER_HOST instead of the default address, not of another', async () => {
    const { endpoint, asked } = await engine({}, { tcp: true });
    await connect({ endpoint: 'unix:///var/run/docker.sock' }, { DOCKER_HOST: endpoint });
    expect(asked).toEqual(['GET /_ping']);
    await connect({ endpoint }, { DOCKER_HOST: 'unix:///nowhere' });
    expect(asked).toHaveLength(2);
  });

  it('sends user and password', async () => {
    const { endpoint, requests } = await engine();
    await connect({ endpoint, username: 'me', password: 'secret' });
    expect(requests[0]!.headers.authorization).toBe(`Basic ${btoa('me:secret')}`);
  });

  it.each([
    ['/var/run/docker.sock', "did you mean 'unix:///var/run/docker.sock'?"],
    ['npipe:////./pipe/docker', 'write unix:///path, tcp://host:port'],
    ['unix:///nowhere/docker.sock', 'unix:///nowhere/docker.sock cannot be reached: connect ENOENT'],
  ])('refuses the address %s', async (endpoint, message) => {
    await expect(connect({ endpoint })).rejects.toThrow(message);
  });
});

describe('an engine behind ssh', () => {
  it('is reached through the ssh of the user', async () => {
    const { endpoint } = await engine({ '/containers/json': [{ Id: 'a' }] });
    // Stands for ssh and the docker command line of the other side: a pipe to the socket.
    const folder = mkdtempSync(join(tmpdir(), 'edgeway-ssh-'));
    open.push({ close: () => rmSync(folder, { recursive: true }) });
    const pipe = `const s=require('net').connect(process.env.ENGINE);process.stdin.pipe(s).pipe(process.stdout)`;
    writeFileSync(join(folder, 'ssh'), `#!/bin/sh\necho "$@" >> ${folder}/calls\nexec ${process.execPath} -e "${pipe}"\n`);
    chmodSync(join(folder, 'ssh'), 0o755);
    const before = process.env.PATH;
    process.env.PATH = `${folder}:${before}`;
    process.env.ENGINE = endpoint.slice('unix://'.length);
    try {
      const client = await connect({ endpoint: 'ssh://me@host' });
      expect(await client.get('/containers/json')).toEqual([{ Id: 'a' }]);
    } finally {
      process.env.PATH = before;
      delete process.env.ENGINE;
    }
    expect(readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')).toHaveLength(1);
  });

  it('that says no is an error with what ssh said', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgeway-ssh-'));
    open.push({ close: () => rmSync(folder, { recursive: true }) });
    writeFileSync(join(folder, 'ssh'), '#!/bin/sh\necho "Permission denied (publickey)." >&2\nexit 255\n');
    chmodSync(join(folder, 'ssh'), 0o755);
    const before = process.env.PATH;
    process.env.PATH = `${folder}:${before}`;
    try {
      await expect(connect({ endpoint: 'ssh://host' })).rejects.toThrow('Permission denied');
    } finally {
      process.env.PATH = before;
    }
  });
});

describe.skipIf(findProgram('openssl') === undefined)('an engine behind TLS (openssl)', () => {
  let folder: string;
  const file = (name: string): string => readFileSync(join(folder, name), 'utf8');
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgeway-tls-'));
    const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '2');
    for (const name of ['server', 'client']) {
      openssl(
        'req',
        ...key,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=IP:127.0.0.1',
      );
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-copy_extensions',
        'copy',
        '-out',
        `${name}.pem`,
        '-days',
        '2',
      );
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const server = () =>
    engine(
      {},
      { tls: { cert: file('server.pem'), key: file('server.key'), ca: file('ca.pem'), requestCert: true, rejectUnauthorized: true } },
    );

  it('is reached with authority and certificate, as paths and as content', async () => {
    const { endpoint, asked } = await server();
    await connect({ endpoint, tls: { ca: join(folder, 'ca.pem'), cert: join(folder, 'client.pem'), key: join(folder, 'client.key') } });
    await connect({ endpoint, tls: { ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') } });
    expect(asked).toHaveLength(2);
  });

  it('is reached with the folder of DOCKER_CERT_PATH', async () => {
    const { endpoint, asked } = await server();
    execFileSync('sh', ['-c', 'cp client.pem cert.pem; cp client.key key.pem'], { cwd: folder });
    const environment = { DOCKER_HOST: endpoint, DOCKER_CERT_PATH: folder, DOCKER_TLS_VERIFY: '1' };
    await connect({ endpoint: 'unix:///var/run/docker.sock' }, environment);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['without the authority', () => ({ cert: file('client.pem'), key: file('client.key') }), /certificate/],
    ['without a certificate of ours', () => ({ ca: file('ca.pem') }), /cannot be reached/],
    ['with a certificate but no key', () => ({ cert: file('client.pem') }), /belong together/],
    ['with a file that is not there', () => ({ ca: '/nowhere/ca.pem' }), /tls.ca: cannot read the file '\/nowhere\/ca.pem'/],
  ])('is not reached %s', async (_, tls, message) => {
    const { endpoint } = await server();
    await expect(connect({ endpoint, tls: tls() })).rejects.toThrow(message);
  });

  it('is reached without trust where that is asked for', async () => {
    const { endpoint, asked } = await server();
    await connect({ endpoint, tls: { insecureSkipVerify: true, cert: file('client.pem'), key: file('client.key') } });
    expect(asked).toHaveLength(1);
  });
});

describe('answers', () => {
  it('of ten megabytes are read', async () => {
    const label = 'x'.repeat(10 << 20);
    const { endpoint } = await engine({ '/containers/a/json': { label } });
    expect(((await (await connect({ endpoint })).get('/containers/a/json')) as { label: string }).label).toHaveLength(label.length);
  });

  it('without end are given up at 64 MiB', async () => {
    const part = Buffer.alloc(1 << 20, 'x');
    let sent = 0;
    const { endpoint } = await engine({
      '/containers/json': (_request, response) => {
        const more = (): void => {
          while (!response.destroyed && (sent += part.length) && response.write(part));
        };
        response.on('drain', more);
        more();
      },
    });
    await expect((await connect({ endpoint })).get('/containers/json')).rejects.toThrow('longer than');
    expect(sent).toBeLessThan(80 << 20);
  });

  it.each<[string, Answer, string]>([
    ['that is no JSON', (_request, response) => response.end('<html>'), 'the answer is no JSON: "<html>"'],
    [
      'that is cut',
      (_request, response) => response.writeHead(200, { 'content-length': '9' }).write('{"a', () => response.destroy()),
      'aborted',
    ],
    ['of a proxy that forbids it', (_request, response) => response.writeHead(403).end('Forbidden'), 'the engine answers 403 Forbidden'],
    ['with the reason of the engine', (_request, response) => response.writeHead(500).end('{"message":"out of luck"}'), '500 out of luck'],
  ])('%s are errors', async (_, answer, message) => {
    const { endpoint } = await engine({ '/containers/json': answer });
    await expect((await connect({ endpoint })).get('/containers/json')).rejects.toThrow(message);
  });

  it('that do not come in time are errors', async () => {
    const { endpoint } = await engine({ '/containers/json': () => {} });
    const client = await connect({ endpoint, httpClientTimeout: 50 });
    await expect(client.get('/containers/json')).rejects.toThrow('did not answer /v1.41/containers/json within 50ms');
    await expect(client.get('/containers/json', { timeoutMs: 20 })).rejects.toThrow('within 20ms');
  });

  it('of something that speaks no HTTP are errors', async () => {
    const raw = await startRawEngine((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    open.push(raw);
    await expect(connect({ endpoint: raw.endpoint })).rejects.toThrow('cannot be reached: Parse Error');
  });

  it('on a connection that the engine had closed meanwhile are asked for again', async () => {
    const { endpoint, asked } = await engine(
      {
        '/a': 1,
        '/b': (request, response) => {
          if (asked.filter((target) => target.endsWith('/b')).length === 1) request.socket.resetAndDestroy();
          else response.end('2');
        },
      },
      { tcp: true },
    );
    const client = await connect({ endpoint });
    expect(await client.get('/a')).toBe(1);
    expect(await client.get('/b')).toBe(2);
  });
});

describe('events', () => {
  it('are told as they come', async () => {
    const { endpoint, emit, asked } = await engine();
    const events = await (await connect({ endpoint })).events({ type: ['container'] });
    emit({ Action: 'start' });
    const iterator = events[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toEqual({ json: { Action: 'start' } });
    expect(decodeURIComponent(asked.at(-1)!)).toBe('GET /v1.41/events?filters={"type":["container"]}');
  });

  it('outlive the time limit of answers, and end with the engine', async () => {
    const { endpoint, emit, endEvents } = await engine({ '/containers/json': () => {} });
    const client = await connect({ endpoint, httpClientTimeout: 20 });
    const events = await client.events({});
    await expect(client.get('/containers/json')).rejects.toThrow('within 20ms');
    emit({ a: 1 });
    emit('{"half":');
    endEvents();
    const lines: unknown[] = [];
    for await (const line of events) lines.push(line);
    expect(lines).toEqual([{ json: { a: 1 } }]);
  });

  it('fail when the engine goes', async () => {
    const fake = await startFakeEngine({});
    const client = await connect({ endpoint: fake.endpoint });
    const iterator = (await client.events({}))[Symbol.asyncIterator]();
    const next = iterator.next();
    await fake.close();
    await expect(next).rejects.toThrow('aborted');
  });

  it('that are refused are an error', async () => {
    const { endpoint } = await engine({
      '/events': (_request, response) => response.writeHead(403).end('no'),
    });
    await expect((await connect({ endpoint })).events({})).rejects.toThrow('/v1.41/events: the engine answers 403 no');
  });
});
