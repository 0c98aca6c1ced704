import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workerdPeakMb } from '../../scripts/support/workerd-process.ts';
import { stream } from '../support/edge/client.ts';
import { type Origin, startOrigin } from '../support/edge/origin.ts';
import { echoWebSockets } from '../support/edge/websocket-origin.ts';
import { folded, router, servers, startWorld, type World } from '../support/edge/world.ts';

const LARGE = 100 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 'x');

let world: World;
let origin: Origin;
let port: number;

beforeAll(async () => {
  origin = await startOrigin('app', serve);
  world = await startWorld();
  port = await world.port();
  world.site('agent-1').configure({ routers: {}, services: { 'app@docker': servers(origin.url) }, middlewares: {}, serversTransports: {} });
  await world.publish({
    routers: { 'app@docker': router('PathPrefix(`/`)', 'app@docker') },
    services: { 'app@docker': folded({ 'agent-1': { name: 'app@docker', weight: 1 } }) },
  });
});
afterAll(async () => {
  await world?.stop();
  await origin?.stop();
});

/** `/up` counts what comes, `/down` sends as much as LARGE. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/down') void pour(response).then(() => response.end());
  else {
    let size = 0;
    request.on('data', (chunk: Buffer) => (size += chunk.length));
    request.on('end', () => response.end(String(size)));
  }
}

async function pour(to: { write(chunk: Buffer): boolean; once(event: 'drain', callback: () => void): unknown }): Promise<void> {
  for (let sent = 0; sent < LARGE; sent += CHUNK.length) {
    if (!to.write(CHUNK)) await new Promise<void>((resolve) => void to.once('drain', resolve));
  }
}

describe.runIf(process.platform === 'linux')('100 MB', () => {
  const limitMb = 60;

  it('up passes in constant memory', async () => {
    const before = workerdPeakMb();
    const { outgoing, answer } = stream(port, 'POST', 'app.example.com', '/up', { 'Content-Length': LARGE });
    await pour(outgoing);
    outgoing.end();
    expect((await (await answer).toArray()).join('')).toBe(String(LARGE));
    const grown = workerdPeakMb() - before;
    console.log(`100 MB up: workerd grew by ${grown.toFixed(0)} MB`);
    expect(grown).toBeLessThan(limitMb);
  });

  it('down passes in constant memory', async () => {
    const before = workerdPeakMb();
    const { outgoing, answer } = stream(port, 'GET', 'app.example.com', '/down');
    outgoing.end();
    let size = 0;
    for await (const chunk of await answer) size += (chunk as Buffer).length;
    expect(size).toBe(LARGE);
    const grown = workerdPeakMb() - before;
    console.log(`100 MB down: workerd grew by ${grown.toFixed(0)} MB`);
    expect(grown).toBeLessThan(limitMb);
  });
});

describe('WebSocket', () => {
  it('passes subprotocol, messages of both kinds and the close code', async () => {
    const requests: IncomingMessage[] = [];
    echoWebSockets(origin.server, (request) => void requests.push(request));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?room=1`, ['chat.v1']);
    socket.binaryType = 'arraybuffer';
    await once(socket as never, 'open');
    expect(socket.protocol).toBe('chat.v1');

    const received: unknown[] = [];
    const two = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }) => void (received.push(data) === 2 && resolve());
    });
    socket.send('text');
    socket.send(new Uint8Array([0, 255, 7]));
    await two;
    expect(received[0]).toBe('text');
    expect([...new Uint8Array(received[1] as ArrayBuffer)]).toEqual([0, 255, 7]);

    const closed = new Promise<CloseEvent>((resolve) => void (socket.onclose = resolve));
    socket.close(4001, 'bye');
    expect(await closed).toMatchObject({ code: 4001, reason: 'bye' });

    expect(requests).toHaveLength(1);
    expect(requests[0]!.url).toBe('/chat?room=1');
    expect(requests[0]!.headers).toMatchObject({ host: `127.0.0.1:${port}`, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'ws' });
  });
});
