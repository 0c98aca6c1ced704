import type { Duplex } from 'node:stream';

/** One side of an upgraded connection, with bytes that came behind the head of the answer. */
export interface Tunnel {
  readonly socket: Duplex;
  readonly early?: Uint8Array;
}

/** Passes bytes between both sides until both have ended; an error on one side closes the other. */
export function joinTunnel(client: Tunnel, server: Tunnel): void {
  if (server.early !== undefined && server.early.length > 0) client.socket.write(server.early);
  if (client.early !== undefined && client.early.length > 0) server.socket.write(client.early);
  pass(client.socket, server.socket);
  pass(server.socket, client.socket);
}

function pass(from: Duplex, to: Duplex): void {
  from.on('error', () => to.destroy());
  from.on('close', () => {
    if (!from.readableEnded) to.destroy();
  });
  from.pipe(to);
}
