import { once } from 'node:events';
import net from 'node:net';
import { createHttp1Connection, peerOf } from '../../src/origin-agent/http1/accept.ts';
import { Http1Connection } from '../../src/origin-agent/http1/connection.ts';
import type { Http1Settings } from '../../src/origin-agent/http1/settings.ts';
import { Channel, nobody } from '../../src/origin-agent/sockets/channel.ts';

export interface Http1TestServer {
  port: number;
  connections: Http1Connection[];
  close(): void;
}

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
