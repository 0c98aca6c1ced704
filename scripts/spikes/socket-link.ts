import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorker, localWorker, startLocalEdge } from '../../src/cli/local-edge.ts';
import { Credit, decodeCredit, decodeFrame, decodeHead, encodeCredit, encodeFrame, encodeHead, FRAME } from './frames.ts';

/**
 * Can an agent without any open port serve the edge? It dials a Durable Object by WebSocket and answers requests over it. Run with
 * `node scripts/spikes/socket-link.ts`; docs/socket-link.md has the numbers and what is missing.
 */
const SECONDS = Number(process.argv[2] ?? 4);
const CONNECTIONS = 16;
const LARGE = 64 * 1024 * 1024;

const origin = createServer((request, response) => {
  if (request.url === '/down') {
    response.writeHead(200, { 'Content-Length': LARGE });
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let left = LARGE;
    const pour = (): void => {
      while (left > 0) {
        left -= chunk.length;
        if (!response.write(chunk)) return void response.once('drain', pour);
      }
      response.end();
    };
    pour();
  } else {
    let size = 0;
    request.on('data', (chunk: Buffer) => (size += chunk.length));
    request.on('end', () => response.writeHead(200, { 'Content-Type': 'text/plain' }).end(`hello ${size}`));
  }
});
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
const originPort = (origin.address() as AddressInfo).port;

const script = await bundleWorker(join(dirname(fileURLToPath(import.meta.url)), 'worker/socket-link.ts'));
const edge = await startLocalEdge({
  workers: [
    localWorker({
      name: 'spike',
      script,
      durableObjects: ['Link'],
      ownSocket: true,
      env: {
        LINK: { type: 'durable-object', worker: 'spike', exportName: 'Link' },
        ORIGIN: { type: 'text', value: `http://127.0.0.1:${originPort}` },
      },
    }),
  ],
  onLog: console.log,
});
const { port } = await edge.directUrl('spike');

await startAgent();
await measureSmall('fetch to the agent', '/direct/');
await measureSmall('over the socket', '/');
await measureLarge('fetch to the agent', '/direct');
await measureLarge('over the socket', '');
await edge.stop();
origin.closeAllConnections();
origin.close();
process.exit(0);

/** The agent's side: dials out, passes requests on to the origin and answers back. */
async function startAgent(): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/.link`);
  socket.binaryType = 'arraybuffer';
  await once(socket as never, 'open');
  const agent = new Agent({ keepAlive: true });
  const streams = new Map<number, { credit: Credit; outgoing: ReturnType<typeof httpRequest> }>();
  socket.onmessage = ({ data }) => {
    const { type, stream, payload } = decodeFrame(data as ArrayBuffer);
    if (type === FRAME.head) {
      const { method, target, headers, hasBody } = decodeHead(payload);
      const outgoing = httpRequest({
        host: '127.0.0.1',
        port: originPort,
        agent,
        method,
        path: target,
        headers: Object.fromEntries(headers),
      });
      const state = { credit: new Credit(), outgoing };
      streams.set(stream, state);
      outgoing.on('response', (incoming) => void answer(stream, state.credit, incoming));
      outgoing.on('error', () => socket.send(encodeFrame(FRAME.abort, stream)));
      if (!hasBody) outgoing.end();
    } else if (type === FRAME.data) {
      streams.get(stream)?.outgoing.write(payload, () => socket.send(encodeFrame(FRAME.credit, stream, encodeCredit(payload.length))));
    } else if (type === FRAME.end) streams.get(stream)?.outgoing.end();
    else if (type === FRAME.credit) streams.get(stream)?.credit.give(decodeCredit(payload));
    else if (type === FRAME.abort) streams.get(stream)?.outgoing.destroy();
  };
  async function answer(stream: number, credit: Credit, incoming: IncomingMessage): Promise<void> {
    const headers: [string, string][] = [];
    for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
      if (!/^(?:connection|keep-alive|transfer-encoding)$/i.test(incoming.rawHeaders[i]!))
        headers.push([incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!]);
    }
    socket.send(encodeFrame(FRAME.head, stream, encodeHead({ status: incoming.statusCode!, headers, hasBody: true })));
    for await (const chunk of incoming) {
      await credit.take((chunk as Buffer).length);
      socket.send(encodeFrame(FRAME.data, stream, chunk as Buffer));
    }
    socket.send(encodeFrame(FRAME.end, stream));
    streams.delete(stream);
  }
}

async function measureSmall(name: string, path: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  const end = performance.now() + SECONDS * 1000;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const startedAt = performance.now();
      await exchange(agent, path);
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): string => times[Math.floor(times.length * share)]!.toFixed(1);
  console.log(
    `${name}: ${Math.round(times.length / SECONDS)} requests/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${CONNECTIONS} connections)`,
  );
}

async function measureLarge(name: string, prefix: string): Promise<void> {
  const agent = new Agent();
  for (const [what, path, upload] of [
    ['down', '/down', false],
    ['up', '/up', true],
  ] as const) {
    const startedAt = performance.now();
    await exchange(agent, prefix + path, upload ? LARGE : 0);
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(`${name}: ${Math.round(LARGE / 1e6 / seconds)} MB/s ${what}`);
  }
}

async function exchange(agent: Agent, path: string, upload = 0): Promise<void> {
  const outgoing = httpRequest({
    host: '127.0.0.1',
    port,
    path,
    agent,
    method: upload > 0 ? 'POST' : 'GET',
    headers: { Host: 'app.test', 'Content-Length': upload },
  });
  const answered = once(outgoing, 'response');
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let sent = 0; sent < upload; sent += chunk.length) if (!outgoing.write(chunk)) await once(outgoing, 'drain');
  outgoing.end();
  const [incoming] = (await answered) as [IncomingMessage];
  if (incoming.statusCode !== 200) throw new Error(`Status ${incoming.statusCode}`);
  incoming.resume();
  await once(incoming, 'end');
}
