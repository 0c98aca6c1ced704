import net from 'node:net';
import type { Duplex } from 'node:stream';
import { Channel, nobody } from '../sockets/channel.ts';
import { Http1Connection } from './connection.ts';
import type { Http1Settings, Peer } from './settings.ts';

/**
 * Speaks HTTP/1.1 on an accepted connection. A plain socket should come from a server with `pauseOnConnect`, `allowHalfOpen` and
 * `noDelay`, and nobody else may use it any more; any other stream (TLS) is read by its events. `first` is latin1 text of what was read
 * from it already.
 */
export function createHttp1Connection(stream: Duplex, settings: Http1Settings, peer: Peer, first?: string): Http1Connection {
  // TLS sockets are net.Sockets too, but their bytes are not those of the handle.
  const channel = stream.constructor === net.Socket ? Channel.accept(stream as net.Socket, nobody) : Channel.over(stream, nobody);
  return new Http1Connection(channel, settings, peer, first);
}

/** The peer of a plain socket, as the kernel knows it. */
export const peerOf = (socket: net.Socket): Peer => ({
  address: socket.remoteAddress ?? '',
  port: socket.remotePort ?? 0,
  scheme: 'http',
  tls: undefined,
});
