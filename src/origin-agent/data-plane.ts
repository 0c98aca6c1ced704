import type { JWK } from 'jose';
import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { EntryPoint } from '../config/static.ts';
import { unpackGzip } from '../middlewares/gzip-answer.ts';
import type { MiddlewarePlatform } from '../middlewares/middleware.ts';
import type { EntryPointOptions } from '../proxy/entry-point.ts';
import type { Platform } from '../proxy/platform.ts';
import { createProxy, type HttpProxy, type ProxyChanges } from '../proxy/proxy.ts';
import type { Listener } from './entrypoints/http.ts';
import { listenRelay, type RelayEntryPoint } from './entrypoints/relay.ts';
import { listenTcp } from './entrypoints/tcp.ts';
import { createFetch } from './fetch.ts';
import { createUpstream } from './http1/upstream.ts';
import { createInternalServices, TERMINATING } from './internal-services.ts';
import type { ThreadMetrics } from './metrics.ts';
import { createObserver, type ObserverOptions } from './observer.ts';
import { createRelay } from './relay.ts';
import type { StreamConfiguration } from './streams.ts';
import { createTcpRouting } from './tcp/routing.ts';
import { createTcpServices } from './tcp/services.ts';
import { HttpsHosts } from './tls/https-hosts.ts';
import { createTlsTermination, type TlsTermination } from './tls/termination.ts';
import { listenUdp } from './udp/listen.ts';
import { createUdpRouting } from './udp/services.ts';

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
  /** Status of `ping@internal` while the agent stops; 503 without. */
  readonly pingTerminatingStatus: number | undefined;
  readonly observed: ObserverOptions;
  /** Takes access log lines with their ends. */
  readonly writeLines: (lines: Uint8Array<ArrayBuffer>) => void;
  /** Several threads share each port. */
  readonly reusePort: boolean;
  /** Sockets that listen already, by entry point. */
  readonly inherited: Readonly<Record<string, number>>;
  /** Where the edge comes in; absent without an edge. */
  readonly relay: RelayEntryPoint | undefined;
}

/** What the relay serves and whom it believes: the publication in force. */
export interface RelayState {
  /** Publisher id of this agent. */
  readonly agentId: string;
  readonly grantKeys: readonly JWK[];
  /** `service name` and `router name` of what was published. */
  readonly published: readonly string[];
  /** The hub's clock minus ours. */
  readonly clockOffsetMs: number;
}

/** All that serves requests: the proxy and its entry points. Runs in a data thread, and in tests without one. */
export interface DataPlane {
  readonly proxy: HttpProxy;
  /** From here on new requests see the changes. */
  update(changes: ProxyChanges): void;
  /** From here on new connections are judged by this; those that live go on as they began. */
  setStreams(configuration: StreamConfiguration): void;
  setRelayState(state: RelayState): void;
  /** Addresses in use by entry point, after `listen`. */
  listen(): Promise<Record<string, number>>;
  /** Numbers so far. */
  metrics(): ThreadMetrics;
  /** Listens no more; what is open goes on (`Listener.leave`). */
  leave(): void;
  /** Resolves when the last connection has ended. */
  whenEmpty(): Promise<void>;
  /** Takes no new connections; resolves when the last one has ended or `graceMs` are over. */
  drain(graceMs: number): Promise<void>;
}

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { log, clock } = options;
  const upstream = createUpstream({ clock });
  const platform: Platform = {
    place: 'agent',
    clock,
    random: Math.random,
    cells: options.cells,
    log,
    send: upstream.send,
    unpack(response) {
      unpackGzip(response, options.middleware);
      return response;
    },
    fetch: createFetch(upstream.send, clock),
    middleware: options.middleware,
    internal: createInternalServices({
      controlSocket: options.controlSocket,
      send: upstream.send,
      cells: options.cells,
      terminatingStatus: options.pingTerminatingStatus,
    }),
  };
  const tcp = Object.entries(options.entryPoints).filter(([, entryPoint]) => !entryPoint.address?.endsWith('/udp'));
  const observer = createObserver(options.observed, { cells: options.cells, clock, writeLines: options.writeLines });
  const proxy = createProxy({
    platform,
    entryPoints: Object.fromEntries(tcp.map(([name, entryPoint]) => [name, entryPointOptions(entryPoint)])),
    hostname: options.hostname,
    precedence: options.precedence,
    observed: observer && Object.fromEntries(tcp.map(([name, { observability }]) => [name, observability])),
  });
  const listeners: Listener[] = [];
  const https = new HttpsHosts();
  const noTcp = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };
  let routing = createTcpRouting(noTcp, options);
  let services = createTcpServices(noTcp, options.cells);
  let udp = createUdpRouting({ routers: {}, services: {} }, options.cells);
  let tls: TlsTermination | undefined;
  const streams = { https, routing: (entryPoint: string) => routing(entryPoint), services: () => services, tls: () => tls };
  let relayState: RelayState = { agentId: '', grantKeys: [], published: [], clockOffsetMs: 0 };
  let published = new Set<string>();
  const terminating = options.cells.counter(TERMINATING);

  return {
    proxy,
    update(changes) {
      https.update(changes);
      proxy.update(changes);
    },
    setStreams(configuration) {
      routing = createTcpRouting(configuration.tcp, options);
      services = createTcpServices(configuration.tcp, options.cells);
      udp = createUdpRouting(configuration.udp, options.cells);
      tls = createTlsTermination(configuration.tls, log);
    },
    setRelayState(state) {
      relayState = state;
      published = new Set(state.published);
    },
    async listen() {
      for (const [name, entryPoint] of tcp) {
        listeners.push(
          await listenTcp(name, entryPoint, {
            handler: proxy.handle,
            clock,
            log,
            reusePort: options.reusePort,
            inherited: options.inherited[name],
            streams,
            ...(observer && { onOutcome: observer.outcome }),
          }),
        );
      }
      for (const [name, entryPoint] of Object.entries(options.entryPoints)) {
        if (!entryPoint.address?.endsWith('/udp')) continue;
        const { reusePort, inherited } = options;
        listeners.push(
          await listenUdp(name, entryPoint, { clock, log, reusePort, inherited: inherited[name], choose: (from) => udp(from) }),
        );
      }
      if (options.relay !== undefined) {
        const relay = createRelay({
          proxy,
          agentId: () => relayState.agentId,
          grantKeys: () => relayState.grantKeys,
          clock: { ...clock, now: () => clock.now() + relayState.clockOffsetMs },
          log,
          isDraining: () => terminating.get() !== 0,
          isPublished: (kind, name) => published.has(`${kind} ${name}`),
        });
        listeners.push(
          await listenRelay(options.relay, {
            handler: relay,
            clock,
            log,
            reusePort: options.reusePort,
            ...(observer && { onOutcome: observer.outcome }),
          }),
        );
      }
      return Object.fromEntries(listeners.map(({ entryPoint, port }) => [entryPoint, port]));
    },
    metrics: () => ({
      requests: observer?.metrics() ?? { counters: new Map(), histograms: new Map() },
      open: Object.fromEntries(
        listeners.filter(({ entryPoint }) => entryPoint in options.entryPoints).map(({ entryPoint, open }) => [entryPoint, open()]),
      ),
    }),
    leave() {
      for (const listener of listeners) listener.leave();
    },
    async whenEmpty() {
      await Promise.all(listeners.map((listener) => listener.whenEmpty()));
    },
    async drain(graceMs) {
      for (const listener of listeners) listener.drain();
      await Promise.race([this.whenEmpty(), new Promise<void>((resolve) => clock.after(graceMs, resolve))]);
      for (const listener of listeners) listener.close();
      observer?.flush();
      upstream.close();
    },
  };
}

const entryPointOptions = ({ http, forwardedHeaders }: EntryPoint): EntryPointOptions => ({ ...http, forwardedHeaders });
