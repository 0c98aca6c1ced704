/** A gRPC server as a program of its own: without TLS and with it. Says `ready <port> <TLS port>`. Messages are bytes. */
import { type handleUnaryCall, Metadata, Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import { generateDefaultCertificate } from '../../src/origin-agent/tls/default-certificate.ts';

const bytes = (value: Buffer): Buffer => value;
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});

export const echoService = {
  unary: method('/test.Echo/Unary', false, false),
  /** Fails with what it is told: `<code> <text>`. */
  fail: method('/test.Echo/Fail', false, false),
  /** As many messages as the request says. */
  down: method('/test.Echo/Down', false, true),
  /** The number of bytes that came. */
  up: method('/test.Echo/Up', true, false),
  both: method('/test.Echo/Both', true, true),
  /** Never answers. */
  wait: method('/test.Echo/Wait', false, false),
  /** How many calls that wait have come so far, and how many of them were cancelled: `3 2`. */
  waiting: method('/test.Echo/Waiting', false, false),
  /** Whether the server is well from now on: `1` or `2`. */
  health: method('/test.Echo/Health', false, false),
} satisfies ServiceDefinition;

const healthService = { check: method('/grpc.health.v1.Health/Check', false, false) } satisfies ServiceDefinition;

let begun = 0;
let cancelled = 0;
let health = 1;

const unary: handleUnaryCall<Buffer, Buffer> = (call, done) => {
  const trailer = new Metadata();
  trailer.set('x-trailer', 'behind');
  const header = new Metadata();
  header.set('x-seen', String(call.metadata.get('x-sent')[0] ?? ''));
  call.sendMetadata(header);
  done(null, call.request, trailer);
};

function createServer(): Server {
  const server = new Server();
  server.addService(healthService, {
    check: (_call: unknown, done: (error: null, value: Buffer) => void) => done(null, Buffer.from([8, health])),
  });
  server.addService(echoService, {
    unary,
    fail(call: { request: Buffer }, done: (error: object) => void) {
      const [code, ...words] = call.request.toString().split(' ');
      done({ code: Number(code), details: words.join(' ') });
    },
    async down(call: { request: Buffer; write(value: Buffer): boolean; once(event: string, callback: () => void): void; end(): void }) {
      for (let i = 0; i < Number(call.request.toString()); i++) {
        if (!call.write(Buffer.from(`${i}`))) await new Promise<void>((resolve) => call.once('drain', resolve));
      }
      call.end();
    },
    up(call: AsyncIterable<Buffer>, done: (error: null, value: Buffer) => void) {
      void (async () => {
        let size = 0;
        for await (const message of call) size += message.length;
        done(null, Buffer.from(String(size)));
      })();
    },
    both(call: { on(event: string, callback: (value: Buffer) => void): void; write(value: Buffer): void; end(): void }) {
      call.on('data', (message) => call.write(message));
      call.on('end', () => call.end());
    },
    wait(call: { on(event: string, callback: () => void): void }) {
      begun++;
      call.on('cancelled', () => cancelled++);
    },
    waiting: (_call: unknown, done: (error: null, value: Buffer) => void) => done(null, Buffer.from(`${begun} ${cancelled}`)),
    health(call: { request: Buffer }, done: (error: null, value: Buffer) => void) {
      health = Number(call.request.toString());
      done(null, call.request);
    },
  } as never);
  return server;
}

const listen = (credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    createServer().bindAsync('127.0.0.1:0', credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });

if (process.argv[2] === 'serve') {
  const { cert, key } = generateDefaultCertificate(Date.now());
  const secure = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }]);
  const ports = await Promise.all([listen(ServerCredentials.createInsecure()), listen(secure)]);
  process.stdout.write(`ready ${ports.join(' ')}\n`);
}

/** Codes that tests name. */
export const CODES = status;
