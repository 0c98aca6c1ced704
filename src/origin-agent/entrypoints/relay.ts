import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { finish } from '../../base/message.ts';
import { createHttp1Connection, peerOf } from '../http1/accept.ts';
import type { Http1Connection } from '../http1/connection.ts';
import { DEFAULT_LIMITS, type Http1Settings } from '../http1/settings.ts';
import { parseListenAddress } from '../listen-address.ts';
import { createFileLimit } from '../sockets/file-limit.ts';
import type { Listener, ListenOptions } from './http.ts';

/** `edge.relay`: where the edge comes in. Certificate and key are PEM texts; without them the way is trusted (a tunnel on this host). */
export interface RelayEntryPoint {
  readonly address: string;
  readonly tls?: { readonly certFile?: string; readonly keyFile?: string };
}

/** Uploads through the edge may take as long as they need: the client's own limits were the edge's to hold. */
const LIMITS = { ...DEFAULT_LIMITS, readTimeoutMs: 0, maxHeaderBytes: 262_144 };

/**
 * How long a relay that stops goes on listening, to answer `draining`. A Worker that has heard it asks elsewhere; one that has not would lose a
 * POST on a kept connection that closes at the same moment.
 */
const TELLING_MS = 2_000;

/** Serves the relay; requests come from Workers only, each with a grant. */
export async function listenRelay(
  { address, tls }: RelayEntryPoint,
  { handler, clock, log, reusePort, onOutcome }: ListenOptions,
): Promise<Listener> {
  const connections = new Set<Http1Connection>();
  const whenEmpty = new Set<() => void>();
  let telling = false;
  const checkEmpty = (): void => {
    if (!telling && connections.size === 0) for (const resolve of whenEmpty) resolve();
  };
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
      checkEmpty();
    },
  };
  const isTooMany = createFileLimit({ clock, log });
  const accept = (socket: Socket): void => {
    if (isTooMany(socket)) socket.destroy();
    else connections.add(createHttp1Connection(socket, settings, peerOf(socket)));
  };
  const server =
    tls?.certFile === undefined
      ? createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, accept)
      : createTlsServer({ cert: tls.certFile, key: tls.keyFile, ALPNProtocols: ['http/1.1'], allowHalfOpen: true, noDelay: true }, accept);
  const { host, port } = parseListenAddress(address, 'edge.relay.address');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, reusePort }, resolve);
  });
  server.on('error', (error) => log.error('Cannot accept a connection', { entryPointName: 'relay', error }));
  function leave(): void {
    server.close();
    for (const connection of connections) connection.leave();
  }
  function closeIdle(): void {
    telling = false;
    leave();
    for (const connection of connections) connection.drain();
    checkEmpty();
  }
  return {
    entryPoint: 'relay',
    open: () => connections.size,
    port: (server.address() as { port: number }).port,
    leave,
    async whenEmpty() {
      if (telling || connections.size > 0) await new Promise<void>((resolve) => whenEmpty.add(resolve));
    },
    drain() {
      // A successor listens already, or Workers must be told.
      if (!server.listening) return closeIdle();
      telling = true;
      clock.after(TELLING_MS, closeIdle);
    },
    close() {
      for (const connection of connections) connection.channel.destroy();
    },
  };
}
