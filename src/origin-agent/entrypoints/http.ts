import { createServer } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { finish, type Handler, type ProxyRequest } from '../../base/message.ts';
import type { EntryPoint } from '../../config/static.ts';
import { createHttp1Connection, peerOf } from '../http1/accept.ts';
import type { Http1Connection } from '../http1/connection.ts';
import { DEFAULT_LIMITS, type Http1Settings, type Outcome } from '../http1/settings.ts';
import { parseListenAddress } from '../listen-address.ts';

export interface Listener {
  readonly entryPoint: string;
  readonly port: number;
  /** Connections open now. */
  readonly open: () => number;
  /** Takes no new connections; resolves when the last one has ended by itself. */
  drain(): Promise<void>;
  /** Ends what is left. */
  close(): void;
}

export interface ListenOptions {
  readonly handler: Handler;
  readonly clock: Clock;
  readonly log: Logger;
  readonly reusePort: boolean;
  /** For access log and metrics. Must not throw. */
  readonly onOutcome?: (request: ProxyRequest, outcome: Outcome) => void;
}

/** Serves HTTP on the address of an entry point. Throws ConfigError on a wrong address, Node's error when it cannot listen. */
export async function listenHttp(name: string, entryPoint: EntryPoint, options: ListenOptions): Promise<Listener> {
  const connections = new Set<Http1Connection>();
  let drained: (() => void) | undefined;
  const settings: Http1Settings = {
    ...http1Settings(name, entryPoint, options),
    onOver(connection) {
      connections.delete(connection);
      if (connections.size === 0) drained?.();
    },
  };
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    connections.add(createHttp1Connection(socket, settings, peerOf(socket)));
  });
  const { host, port } = parseListenAddress(entryPoint.address ?? '', `entryPoints.${name}.address`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, reusePort: options.reusePort || entryPoint.reusePort === true }, resolve);
  });
  return {
    entryPoint: name,
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

function http1Settings(name: string, { transport, http }: EntryPoint, { handler, clock, log, onOutcome }: ListenOptions): Http1Settings {
  return {
    handler,
    entryPoint: name,
    clock,
    log: log.with({ entryPointName: name }),
    limits: {
      ...DEFAULT_LIMITS,
      maxHeaderBytes: http.maxHeaderBytes,
      readTimeoutMs: transport.respondingTimeouts.readTimeout,
      writeTimeoutMs: transport.respondingTimeouts.writeTimeout ?? 0,
      idleTimeoutMs: transport.respondingTimeouts.idleTimeout,
      keepAliveMaxRequests: transport.keepAliveMaxRequests ?? 0,
      keepAliveMaxTimeMs: transport.keepAliveMaxTime ?? 0,
    },
    onOutcome(request, outcome) {
      finish(request.facts);
      onOutcome?.(request, outcome);
    },
  };
}
