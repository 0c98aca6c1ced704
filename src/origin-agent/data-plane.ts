import type { Server } from 'node:net';
import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { EntryPoint } from '../config/static.ts';
import type { MiddlewarePlatform } from '../middlewares/middleware.ts';
import type { EntryPointOptions } from '../proxy/entry-point.ts';
import type { Platform } from '../proxy/platform.ts';
import { createProxy, type HttpProxy } from '../proxy/proxy.ts';
import { createFetch } from './fetch.ts';
import { createInternalServices } from './internal-services.ts';
import { parseListenAddress } from './listen-address.ts';
import { createNodeHttpSender, createNodeHttpServer } from './rim/node-http.ts';
import { unpackGzip } from './unpack.ts';

export interface DataPlaneOptions {
  readonly entryPoints: Readonly<Record<string, EntryPoint>>;
  readonly precedence: readonly string[] | undefined;
  readonly hostname: string;
  readonly cells: Cells;
  readonly clock: Clock;
  readonly log: Logger;
  readonly middleware: MiddlewarePlatform;
  /** Unix socket on which the control thread answers `api@internal` and its like. */
  readonly controlSocket: string;
  /** Several threads share each port. */
  readonly reusePort: boolean;
}

/** All that serves requests: the proxy and its entry points. Runs in a data thread, and in tests without one. */
export interface DataPlane {
  readonly proxy: HttpProxy;
  /** Addresses in use by entry point, after `listen`. */
  listen(): Promise<Record<string, number>>;
  /** Takes no new connections; resolves when the last one has ended or `graceMs` are over. */
  drain(graceMs: number): Promise<void>;
}

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { log, clock } = options;
  const sender = createNodeHttpSender();
  const platform: Platform = {
    place: 'agent',
    clock,
    random: Math.random,
    cells: options.cells,
    log,
    send: sender.send,
    unpack: unpackGzip,
    fetch: createFetch(sender.send, clock),
    middleware: options.middleware,
    internal: createInternalServices({ controlSocket: options.controlSocket, send: sender.send, cells: options.cells }),
  };
  const tcp = Object.entries(options.entryPoints).filter(([, entryPoint]) => !entryPoint.address?.endsWith('/udp'));
  const proxy = createProxy({
    platform,
    entryPoints: Object.fromEntries(tcp.map(([name, entryPoint]) => [name, entryPointOptions(entryPoint)])),
    hostname: options.hostname,
    precedence: options.precedence,
  });
  const servers: Server[] = [];

  async function listen(): Promise<Record<string, number>> {
    const ports: Record<string, number> = {};
    for (const [name, { address = '', transport, http, reusePort }] of tcp) {
      const server = createNodeHttpServer({
        handler: proxy.handle,
        entryPoint: name,
        scheme: 'http',
        clock,
        log: log.with({ entryPointName: name }),
        readTimeoutMs: transport.respondingTimeouts.readTimeout,
        idleTimeoutMs: transport.respondingTimeouts.idleTimeout,
        maxHeaderBytes: http.maxHeaderBytes,
      });
      const { host, port } = parseListenAddress(address, name);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port, reusePort: options.reusePort || reusePort === true }, resolve);
      });
      ports[name] = (server.address() as { port: number }).port;
      servers.push(server);
    }
    return ports;
  }

  return {
    proxy,
    listen,
    async drain(graceMs) {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const server of servers) (server as { closeIdleConnections?: () => void }).closeIdleConnections?.();
      await Promise.race([Promise.all(closed), new Promise<void>((resolve) => clock.after(graceMs, resolve))]);
      for (const server of servers) (server as { closeAllConnections?: () => void }).closeAllConnections?.();
      sender.close();
    },
  };
}

const entryPointOptions = ({ http, forwardedHeaders }: EntryPoint): EntryPointOptions => ({ ...http, forwardedHeaders });
