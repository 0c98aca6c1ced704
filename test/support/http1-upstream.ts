import { onTestFinished } from 'vitest';
import { createRequest, type ProxyRequest, type ProxyResponse } from '../../src/base/message.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { createUpstream, type Upstream } from '../../src/origin-agent/http1/upstream.ts';
import { http1Settings, listenHttp1 } from './http1-server.ts';
import { createManualClock } from './manual-clock.ts';
import { connectRaw, listenRaw, type RawConnection } from './raw-connection.ts';
import { serverTarget } from './server-target.ts';

/** The answer that a server gives where its content does not matter. */
export const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Of a response; latin1. */
export const textOf = async ({ body }: ProxyResponse): Promise<string> =>
  body === undefined ? '' : Buffer.from(await body.bytes(1e6)).toString('latin1');

/** Gone with the test. */
export function newUpstream(clock: Parameters<typeof createUpstream>[0]['clock'] = systemClock): Upstream {
  const upstream = createUpstream({ clock });
  onTestFinished(() => upstream.close());
  return upstream;
}

/** The agent's way to a server that is spoken for by hand; the clock stands until it is moved. */
export async function reach(transport: object = {}) {
  const server = await listenRaw();
  onTestFinished(() => server.close());
  const clock = createManualClock();
  const upstream = newUpstream(clock);
  const target = serverTarget(server.port, transport);
  const send = (init: Partial<ProxyRequest> = {}) => upstream.send(target, createRequest(init));
  return { server, upstream, target, send, clock };
}

/** Sends so many requests at once and answers all of them; leaves as many idle connections. */
export async function exchange({ server, send }: Awaited<ReturnType<typeof reach>>, count: number): Promise<RawConnection[]> {
  const answers = Array.from({ length: count }, () => send());
  const connections: RawConnection[] = [];
  for (let i = 0; i < count; i++) connections.push(await server.next());
  for (const connection of connections) {
    await connection.until('\r\n\r\n');
    connection.write(ANSWER);
  }
  for (const answer of answers) await textOf(await answer);
  return connections;
}

/** The agent before the server at a port, as clients find it. */
export async function listenBefore(port: number): Promise<number> {
  const upstream = newUpstream();
  const front = await listenHttp1(http1Settings((request) => upstream.send(serverTarget(port), request)));
  onTestFinished(() => front.close());
  return front.port;
}

/** A client, the agent, and a server, both ends spoken for by hand. */
export async function talkThrough() {
  const server = await listenRaw();
  const client = await connectRaw(await listenBefore(server.port));
  onTestFinished(() => {
    server.close();
    client.close();
  });
  return { server, client };
}
