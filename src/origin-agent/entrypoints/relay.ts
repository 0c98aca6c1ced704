import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { finish } from '../../base/message.ts';
import { createHttp1Connection, peerOf } from '../http1/accept.ts';
import type { Http1Connection } from '../http1/connection.ts';
import { DEFAULT_LIMITS, type Http1Settings } from '../http1/settings.ts';
import { parseListenAddress } from '../listen-address.ts';
import type { Listener, ListenOptions } from './http.ts';

/** `edge.relay`: where the edge comes in. Certificate and key are PEM texts; without them the way is trusted (a tunnel on this host). */
export interface RelayEntryPoint {
  readonly address: string;
  readonly tls?: { readonly certFile?: string; readonly keyFile?: string };
}

/** Uploads through the edge may take as long as they need: the client's own limits were the edge's to hold. */
const LIMITS = { ...DEFAULT_LIMITS, readTimeoutMs: 0, maxHeaderBytes: 262_144 };

/** Serves the relay; requests come from Workers only, each with a grant. */
export async function listenRelay(
  { address, tls }: RelayEntryPoint,
  { handler, clock, log, reusePort, onOutcome }: ListenOptions,
): Promise<Listener> {
  const connections = new Set<Http1Connection>();
  let drained: (() => void) | undefined;
  const settings: Http1Settings = {
    handler,
    entryPoint: 'relay',
    clock,
    log,
    limits: LIMITS,
    onOutcome(request, outcome) {
      finish(request.facts);
      onOutcome?.(request, outcome);
    },
    onOver(connection) {
      connections.delete(connection);
      if (connections.size === 0) drained?.();
    },
  };
  const accept = (socket: Socket): void => void connections.add(createHttp1Connection(socket, settings, peerOf(socket)));
  const server =
    tls?.certFile === undefined
      ? createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, accept)
      : createTlsServer({ cert: tls.certFile, key: tls.keyFile, ALPNProtocols: ['http/1.1'], allowHalfOpen: true, noDelay: true }, accept);
  const { host, port } = parseListenAddress(address, 'edge.relay.address');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, reusePort }, resolve);
  });
  return {
    entryPoint: 'relay',
    open: () => connections.size,
    port: (server.address() as { port: number }).port,
    async drain() {
      server.close();
      if (connections.size === 0) return;
      const empty = new Promise<void>((resolve) => (drained = resolve));
      for (const connection of connections) connection.drain();
      await empty;
    },
    close() {
      for (const connection of connections) connection.channel.destroy();
    },
  };
}
