import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { JWK } from 'jose';
import { createLocalCells } from '../../../src/base/cells.ts';
import { createLogger, type LogLine } from '../../../src/base/log.ts';
import { createFacts, type ProxyRequest, whenFinished } from '../../../src/base/message.ts';
import type { ProxyConfiguration } from '../../../src/config/snapshot.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { createFetch } from '../../../src/origin-agent/fetch.ts';
import { createMiddlewarePlatform } from '../../../src/origin-agent/middleware-platform.ts';
import { createRelay } from '../../../src/origin-agent/relay.ts';
import { createNodeHttpSender, createNodeHttpServer } from '../../../src/origin-agent/rim/node-http.ts';
import { diffConfigurations } from '../../../src/proxy/changes.ts';
import { createProxy, type HttpProxy } from '../../../src/proxy/proxy.ts';
import type { Certificate } from './certificates.ts';

/** An agent as the edge meets it: the relay behind TLS, the proxy, connections to servers. */
export interface Site {
  readonly id: string;
  /** Where the relay listens; the same after `restart`. */
  readonly port: number;
  readonly proxy: HttpProxy;
  readonly log: LogLine[];
  /** Requests that reached the relay, as they came. */
  readonly received: ProxyRequest[];
  /** Those of them whose answer has not left. */
  inFlight(): number;
  draining: boolean;
  /** Added to the time of the machine. */
  clockOffsetMs: number;
  grantKeys: readonly JWK[];
  /** Replaces the configuration. */
  configure(configuration: ProxyConfiguration): void;
  /** Stops listening and cuts every connection, as a crash does. */
  cut(): Promise<void>;
  listen(): Promise<void>;
  stop(): Promise<void>;
}

const EMPTY: ProxyConfiguration = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };

export async function startSite(id: string, tls: Certificate, grantKeys: readonly JWK[]): Promise<Site> {
  const lines: LogLine[] = [];
  const log = createLogger((line) => lines.push(line), 'DEBUG');
  const sender = createNodeHttpSender();
  let configuration = EMPTY;
  let port = 0;
  let inFlight = 0;
  const proxy = createProxy({
    platform: {
      place: 'agent',
      clock: systemClock,
      random: Math.random,
      cells: createLocalCells(),
      log,
      send: sender.send,
      unpack: (response) => response,
      fetch: createFetch(sender.send, systemClock),
      middleware: createMiddlewarePlatform(),
    },
    entryPoints: { http: {}, https: {} },
    hostname: id,
  });
  const relay = createRelay({
    proxy,
    agentId: () => id,
    grantKeys: () => site.grantKeys,
    clock: { ...systemClock, now: () => systemClock.now() + site.clockOffsetMs },
    log,
    isDraining: () => site.draining,
    isPublished: (kind, name) => Object.hasOwn(configuration[`${kind}s`], name),
  });
  const http = createNodeHttpServer({
    handler: (request) => {
      site.received.push({ ...request, headers: request.headers.clone(), facts: createFacts(0) });
      inFlight++;
      whenFinished(request.facts, () => inFlight--);
      return relay(request);
    },
    entryPoint: 'relay',
    scheme: 'https',
    clock: systemClock,
    log,
  });
  const sockets = new Set<Socket>();
  const server = createTlsServer({ key: tls.key, cert: tls.certificate, noDelay: true }, (socket) => void http.emit('connection', socket));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});

  const site: Site = {
    id,
    get port() {
      return port;
    },
    proxy,
    log: lines,
    received: [],
    inFlight: () => inFlight,
    draining: false,
    clockOffsetMs: 0,
    grantKeys,
    configure(next) {
      proxy.update(diffConfigurations(configuration, next));
      configuration = next;
    },
    async cut() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async listen() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
    },
    async stop() {
      if (server.listening) await site.cut();
      sender.close();
    },
  };
  await site.listen();
  return site;
}
