import { createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createIpMatcher } from '../../base/cidr.ts';
import type { TlsFacts } from '../../base/message.ts';
import type { EntryPoint } from '../../config/static.ts';
import { createHttp1Connection, peerOf } from '../http1/accept.ts';
import { Http1Connection } from '../http1/connection.ts';
import type { Http1Settings, Peer } from '../http1/settings.ts';
import { serveHttp2 } from '../http2/door.ts';
import { http2Settings } from '../http2/settings.ts';
import { parseListenAddress } from '../listen-address.ts';
import { Channel, nobody } from '../sockets/channel.ts';
import { createFileLimit } from '../sockets/file-limit.ts';
import type { TcpRoute, TcpRouting } from '../tcp/routing.ts';
import { type Live, serveTcp } from '../tcp/serve.ts';
import type { TcpServices } from '../tcp/services.ts';
import type { ClientHello } from '../tls/hello.ts';
import type { HttpsHosts } from '../tls/https-hosts.ts';
import { type TlsTermination, terminateTls, UNRECOGNIZED_NAME } from '../tls/termination.ts';
import { http1Settings, type Listener, type ListenOptions } from './http.ts';
import { type Greeting, Intake } from './intake.ts';
import type { Endpoint } from './proxy-protocol.ts';

/** What connections are judged by; always what is in force. */
export interface StreamState {
  readonly https: HttpsHosts;
  routing(entryPoint: string): TcpRouting;
  services(): TcpServices;
  tls(): TlsTermination | undefined;
}

export interface TcpListenOptions extends ListenOptions {
  readonly streams: StreamState;
}

/** Both ends of a connection, as the PROXY protocol has them. */
interface Ends {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/**
 * Serves an entry point: accept → PROXY protocol → peek → TCP router, TLS, HTTP. Where there is nothing to look for, a connection is
 * HTTP's at once. Throws ConfigError on a wrong address, Node's error when it cannot listen.
 */
export async function listenTcp(name: string, entryPoint: EntryPoint, options: TcpListenOptions): Promise<Listener> {
  const { streams, clock, log } = options;
  const { https } = streams;
  const connections = new Set<Http1Connection>();
  const others = new Set<Live>();
  let leaving = false;
  const whenEmpty = new Set<() => void>();
  const common = http1Settings(name, entryPoint, options);
  const http2 = http2Settings(common, entryPoint);
  const settings: Http1Settings = {
    ...common,
    onOver(connection) {
      connections.delete(connection);
      checkDrained();
    },
    onHttp2: enterHttp2,
  };
  const believes = proxyProtocolTest(entryPoint);
  const isTooMany = createFileLimit({ clock, log: settings.log });

  function checkDrained(): void {
    if (connections.size === 0 && others.size === 0) for (const resolve of whenEmpty) resolve();
  }

  function serveHttp1(connection: Http1Connection): void {
    connections.add(connection);
    // It was accepted before, and known as HTTP only now.
    if (leaving) connection.leave();
  }

  function leave(live: Live | undefined): void {
    if (live !== undefined) others.delete(live);
    checkDrained();
  }

  const looksForTls = (): boolean => https.serves(name) || streams.routing(name).tls;

  function accept(socket: Socket): void {
    if (isTooMany(socket)) return void socket.destroy();
    const { plain, tls } = streams.routing(name);
    if (believes === undefined && !plain && !tls && !https.serves(name)) {
      serveHttp1(createHttp1Connection(socket, settings, peerOf(socket)));
      return;
    }
    const ends: Ends = {
      source: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
      destination: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    };
    const intake = new Intake(Channel.accept(socket, nobody), {
      clock,
      timeoutMs: settings.limits.readTimeoutMs,
      proxyProtocol: believes !== undefined,
      peek: looksForTls,
      postgres: () => streams.routing(name).tls,
      onGreeting: (channel, greeting) => dispatch(channel, greeting, believes?.(ends.source.address) ? endsOf(ends, greeting) : ends),
      onOver: leave,
    });
    if (!intake.channel.closed && !intake.over) others.add(intake);
  }

  function dispatch(channel: Channel, { hello, first, postgres }: Greeting, ends: Ends): void {
    const routing = streams.routing(name);
    const client = { clientAddress: ends.source.address, serverName: hello?.serverName ?? '', protocols: hello?.protocols ?? [] };
    if (hello === undefined) {
      const route = routing.plain ? routing.match('plain', client) : undefined;
      if (route !== undefined) serveRoute(channel, route, { first, ends, postgres });
      else serveHttp(channel, { ...ends.source, scheme: 'http', tls: undefined }, first.toString('latin1'));
      return;
    }
    const options = postgres ? undefined : https.optionsOf(name, hello.serverName);
    const route = options === undefined && routing.tls ? routing.match('tls', client) : undefined;
    const httpFirst = route === undefined || (route.open && !postgres && https.isOpen(name));
    if (postgres && route === undefined) channel.destroy();
    else if (httpFirst)
      terminate(channel, first, { options: options ?? 'default', hello, ends }, (socket, tls) => serveHttps(socket, tls, ends));
    else if (route.passthrough) serveRoute(channel, route, { first, ends, postgres });
    else {
      terminate(channel, first, { options: route.options, hello, ends }, (socket) =>
        serveRoute(Channel.over(socket, nobody), route, { first: new Uint8Array(), ends, postgres: false }),
      );
    }
  }

  function serveHttp(channel: Channel, peer: Peer, first: string): void {
    serveHttp1(new Http1Connection(channel, settings, peer, first));
  }

  function serveHttps(socket: TLSSocket, tls: TlsFacts, { source }: Ends): void {
    const peer: Peer = { ...source, scheme: 'https', tls };
    if (socket.alpnProtocol === 'h2') enterHttp2(socket, peer);
    else serveHttp1(createHttp1Connection(socket, settings, peer));
  }

  function enterHttp2(socket: Socket, peer: Peer, first?: Buffer): void {
    const live: Live = serveHttp2(socket, http2, peer, first, () => leave(live));
    others.add(live);
    if (leaving) live.leave?.();
  }

  function serveRoute(
    channel: Channel,
    route: TcpRoute,
    { first, ends, postgres }: { first: Uint8Array; ends: Ends; postgres: boolean },
  ): void {
    const done = route.admit(ends.source.address);
    const target = done === undefined ? undefined : streams.services().choose(route.service);
    if (done === undefined || target === undefined) {
      log.debug('No way for a connection', { routerName: route.name, reason: done === undefined ? 'middleware' : 'no server' });
      done?.();
      channel.destroy();
      return;
    }
    const onOver = (): void => {
      done();
      leave(live);
    };
    const live: Live = serveTcp({ channel, first, ...ends, postgres }, target, { clock, log, onOver });
    others.add(live);
  }

  function terminate(
    channel: Channel,
    first: Uint8Array,
    { options, hello, ends }: { options: string; hello: ClientHello; ends: Ends },
    secured: (socket: TLSSocket, facts: TlsFacts) => void,
  ): void {
    // Who names nobody means the address.
    const plan = streams.tls()?.plan(options, hello.serverName || ends.destination.address);
    if (plan === undefined) return channel.destroy();
    if (plan === 'refused') {
      channel.write(UNRECOGNIZED_NAME);
      return channel.end();
    }
    const socket = channel.release();
    if (socket === undefined) return;
    const tls = terminateTls(socket, first, plan, hello, isSpoken, (secure, facts) => {
      done();
      secured(secure, facts);
    });
    const live: Live = { drain: () => tls.destroy(), destroy: () => tls.destroy() };
    const { readTimeoutMs } = settings.limits;
    const cancel = readTimeoutMs > 0 ? clock.after(readTimeoutMs, live.destroy) : undefined;
    const done = (): void => {
      cancel?.();
      leave(live);
    };
    others.add(live);
    tls.once('close', done);
  }

  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, accept);
  const { host, port } = parseListenAddress(entryPoint.address ?? '', `entryPoints.${name}.address`);
  const shares = options.reusePort || entryPoint.reusePort === true;
  const where = options.inherited === undefined ? { host, port, reusePort: shares } : { fd: options.inherited };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
  server.on('error', (error) => settings.log.error('Cannot accept a connection', { error }));
  function stopAccepting(): void {
    leaving = true;
    server.close();
    for (const connection of connections) connection.leave();
    for (const live of others) live.leave?.();
  }
  return {
    entryPoint: name,
    open: () => connections.size + others.size,
    port: (server.address() as { port: number }).port,
    leave: stopAccepting,
    async whenEmpty() {
      if (connections.size > 0 || others.size > 0) await new Promise<void>((resolve) => whenEmpty.add(resolve));
    },
    drain() {
      stopAccepting();
      for (const live of [...connections, ...others]) live.drain();
    },
    close() {
      for (const connection of connections) connection.channel.destroy();
      for (const live of others) live.destroy();
    },
  };
}

/** Whether a peer's PROXY header is believed, or read and dropped; undefined when none is read. */
function proxyProtocolTest({ proxyProtocol }: EntryPoint): ((address: string) => boolean) | undefined {
  if (proxyProtocol === undefined) return undefined;
  return proxyProtocol.insecure === true ? () => true : createIpMatcher(proxyProtocol.trustedIPs ?? []);
}

const endsOf = (ends: Ends, { header }: Greeting): Ends =>
  header?.source === undefined || header.destination === undefined ? ends : { source: header.source, destination: header.destination };

/** Certificate challenges are nobody's to answer here. */
const isSpoken = (protocol: string): boolean => protocol !== 'acme-tls/1';
