import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Client, type ClientUnaryCall, credentials, Metadata, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, freePort, until } from '../support/agent-process.ts';
import { CODES, echoService } from '../support/grpc-server.ts';

const SERVER = join(import.meta.dirname, '../support/grpc-server.ts');
let server: ChildProcess;
let agent: AgentProcess;
let [web, websecure] = [0, 0];
const clients: Client[] = [];

type Unary = (
  request: Buffer,
  metadata: Metadata,
  options: object,
  done: (error: ServiceError | null, value?: Buffer) => void,
) => ClientUnaryCall;
interface Echo {
  unary: Unary;
  fail: Unary;
  wait: Unary;
  waiting: Unary;
  health: Unary;
  down(request: Buffer): AsyncIterable<Buffer>;
  up(done: (error: ServiceError | null, value?: Buffer) => void): { write(value: Buffer): void; end(): void };
  both(): AsyncIterable<Buffer> & { write(value: Buffer): void; end(): void };
}
const EchoClient = makeGenericClientConstructor(echoService, 'Echo');

/** By way of a host, which names the kind of server. */
function connect(host: string, secure: boolean): Echo {
  const insecure = credentials.createInsecure();
  const way = secure ? credentials.createSsl(null, null, null, { rejectUnauthorized: false }) : insecure;
  const client = new EchoClient(`127.0.0.1:${secure ? websecure : web}`, way, { 'grpc.default_authority': host });
  clients.push(client);
  return client as unknown as Echo;
}

interface Answer {
  readonly value: string;
  readonly headers: unknown;
  readonly trailers: unknown;
}

const call = (
  client: Echo,
  method: 'unary' | 'fail' | 'wait' | 'waiting' | 'health',
  text: string,
  options: object = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const metadata = new Metadata();
    metadata.set('x-sent', 'there');
    let headers: unknown;
    const stream = client[method](Buffer.from(text), metadata, options, (error, value) => {
      // The status comes behind the value.
      if (error !== null) reject(error);
      else
        stream.on('status', (status: { metadata: Metadata }) =>
          resolve({ value: value!.toString(), headers, trailers: status.metadata.getMap() }),
        );
    });
    stream.on('metadata', (fields: Metadata) => (headers = fields.getMap()));
  });

beforeAll(async () => {
  server = spawn(process.execPath, [SERVER, 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const text = await new Promise<string>((resolve) => server.stdout!.once('data', (data) => resolve(String(data))));
  const [, plain, secure] = /^ready (\d+) (\d+)/.exec(text)!;
  [web, websecure] = [await freePort(), await freePort()];
  agent = new AgentProcess();
  agent.writeDynamic(`http:
  routers:
    plain: {rule: "Host(\`plain.test\`)", service: plain, entryPoints: [web]}
    plains: {rule: "Host(\`plain.test\`)", service: plain, entryPoints: [websecure]}
    secure: {rule: "Host(\`secure.test\`)", service: secure, entryPoints: [web]}
    secures: {rule: "Host(\`secure.test\`)", service: secure, entryPoints: [websecure]}
    checked: {rule: "Host(\`checked.test\`)", service: checked, entryPoints: [web]}
  services:
    plain: {loadBalancer: {servers: [{url: "h2c://127.0.0.1:${plain}"}]}}
    secure: {loadBalancer: {serversTransport: trusting, servers: [{url: "https://127.0.0.1:${secure}"}]}}
    checked: {loadBalancer: {servers: [{url: "h2c://127.0.0.1:${plain}"}], healthCheck: {mode: grpc, interval: 50ms, timeout: 1s}}}
  serversTransports:
    trusting: {insecureSkipVerify: true}
`);
  agent.start(`
entryPoints:
  web: {address: "127.0.0.1:${web}"}
  websecure: {address: "127.0.0.1:${websecure}", http: {tls: {}}}
providers: {providersThrottleDuration: 10ms, file: {filename: $DYNAMIC}}
log: {level: INFO}
`);
  await until(() => call(connect('plain.test', false), 'unary', ''));
});

afterAll(async () => {
  for (const client of clients) client.close();
  server?.kill('SIGKILL');
  await agent?.stop();
});

describe.each([
  ['h2c → h2c', 'plain.test', false],
  ['TLS → h2c', 'plain.test', true],
  ['h2c → TLS', 'secure.test', false],
  ['TLS → TLS', 'secure.test', true],
])('gRPC, %s', (_name, host, secure) => {
  it('unary calls, with metadata before and behind', async () => {
    const client = connect(host, secure);
    expect(await call(client, 'unary', 'hello')).toEqual({
      value: 'hello',
      headers: expect.objectContaining({ 'x-seen': 'there' }),
      trailers: expect.objectContaining({ 'x-trailer': 'behind' }),
    });
    const many = await Promise.all(Array.from({ length: 100 }, (_, i) => call(client, 'unary', `${i}`)));
    expect(many.map(({ value }) => value)).toEqual(many.map((_, i) => `${i}`));
  });

  it('a status without a message (trailers alone)', async () => {
    const client = connect(host, secure);
    await expect(call(client, 'fail', '5 no such thing: ü')).rejects.toMatchObject({ code: CODES.NOT_FOUND, details: 'no such thing: ü' });
  });

  it('streams down, up and both ways', async () => {
    const client = connect(host, secure);
    let count = 0;
    for await (const message of client.down(Buffer.from('2000'))) expect(message.toString()).toBe(String(count++));
    expect(count).toBe(2000);
    const size = await new Promise((resolve, reject) => {
      const stream = client.up((error, value) => (error === null ? resolve(value!.toString()) : reject(error)));
      for (let i = 0; i < 40; i++) stream.write(Buffer.alloc(50_000));
      stream.end();
    });
    expect(size).toBe('2000000');
    const both = client.both();
    const answers = both[Symbol.asyncIterator]();
    for (const text of ['one', 'two', 'three']) {
      both.write(Buffer.from(text));
      expect((await answers.next()).value.toString()).toBe(text);
    }
    both.end();
    expect((await answers.next()).done).toBe(true);
  });

  it('deadlines and cancellation reach the server', async () => {
    const client = connect(host, secure);
    const counts = async () => (await call(client, 'waiting', '')).value.split(' ').map(Number) as [begun: number, cancelled: number];
    const [begun, cancelled] = await counts();
    await expect(call(client, 'wait', '', { deadline: Date.now() + 100 })).rejects.toMatchObject({ code: CODES.DEADLINE_EXCEEDED });
    const waiting = client.wait(Buffer.alloc(0), new Metadata(), {}, () => {});
    await until(async () => (await counts())[0] === begun + 2);
    waiting.cancel();
    await until(async () => (await counts())[1] === cancelled + 2);
  });
});

describe('gRPC health checks', () => {
  it('take a server out while it is not serving', async () => {
    const client = connect('checked.test', false);
    const control = connect('plain.test', false);
    await until(() => call(client, 'unary', 'x'));
    await call(control, 'health', '2');
    await until(() =>
      call(client, 'unary', 'x').then(
        () => false,
        ({ code }) => code === CODES.UNAVAILABLE,
      ),
    );
    await call(control, 'health', '1');
    await until(() => call(client, 'unary', 'x'));
  });
});

describe('gRPC calls', () => {
  it('end before the agent does', async () => {
    const both = connect('plain.test', false).both();
    const answers = both[Symbol.asyncIterator]();
    both.write(Buffer.from('before'));
    expect((await answers.next()).value.toString()).toBe('before');
    agent.signal('SIGTERM');
    await agent.says('Stopping');
    both.write(Buffer.from('behind'));
    expect((await answers.next()).value.toString()).toBe('behind');
    both.end();
    expect((await answers.next()).done).toBe(true);
    expect(await agent.exited()).toBe(0);
  });
});
