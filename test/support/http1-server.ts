import { once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import type { Handler } from '../../src/base/message.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { createHttp1Connection, peerOf } from '../../src/origin-agent/http1/accept.ts';
import { Http1Connection } from '../../src/origin-agent/http1/connection.ts';
import { DEFAULT_LIMITS, type Http1Limits, type Http1Settings, type Outcome } from '../../src/origin-agent/http1/settings.ts';
import { Channel, nobody } from '../../src/origin-agent/sockets/channel.ts';
import { createManualClock } from './manual-clock.ts';
import { connectRaw, type RawConnection } from './raw-connection.ts';

export interface Http1TestServer {
  port: number;
  connections: Http1Connection[];
  close(): void;
}

/** As they are without any option. */
export const http1Settings = (handler: Handler): Http1Settings => ({
  handler,
  entryPoint: 'web',
  clock: systemClock,
  log: silentLogger,
  limits: DEFAULT_LIMITS,
});

/** A plain HTTP/1.1 entry point, as the agent would make it; `byEvents` reads sockets as TLS ones are read. */
export async function listenHttp1(settings: Http1Settings, byEvents = false): Promise<Http1TestServer> {
  const connections: Http1Connection[] = [];
  const server = net.createServer({ pauseOnConnect: !byEvents, allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection = byEvents
      ? new Http1Connection(Channel.over(socket, nobody), settings, peerOf(socket))
      : createHttp1Connection(socket, settings, peerOf(socket));
    connections.push(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    connections,
    close() {
      for (const { channel } of connections) channel.destroy();
      server.close();
    },
  };
}

export interface Http1Talk {
  readonly client: RawConnection;
  readonly server: Http1TestServer;
  readonly clock: ReturnType<typeof createManualClock>;
  readonly outcomes: Outcome[];
}

/** A server whose clock stands until it is moved, and a client of it; both go with the test. */
export async function talkHttp1(handler: Handler, limits: Partial<Http1Limits> = {}): Promise<Http1Talk> {
  const clock = createManualClock();
  const outcomes: Outcome[] = [];
  const server = await listenHttp1({
    ...http1Settings(handler),
    clock,
    limits: { ...DEFAULT_LIMITS, ...limits },
    onOutcome: (_request, outcome) => void outcomes.push(outcome),
  });
  const client = await connectRaw(server.port);
  onTestFinished(() => {
    client.close();
    server.close();
  });
  return { client, server, clock, outcomes };
}
