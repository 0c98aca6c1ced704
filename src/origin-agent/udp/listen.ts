import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { EntryPoint } from '../../config/static.ts';
import type { Listener } from '../entrypoints/http.ts';
import { isUdp6 } from '../inherited-sockets.ts';
import { parseListenAddress } from '../listen-address.ts';
import type { UdpTarget } from './services.ts';

export interface UdpListenOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly reusePort: boolean;
  /** As in ListenOptions. */
  readonly inherited?: number | undefined;
  /** The server of a new session; undefined when there is none. */
  readonly choose: (entryPoint: string) => UdpTarget | undefined;
}

interface Session {
  readonly server: Socket;
  lastUse: number;
}

/** What one address may cost: beyond so many sessions of a thread new ones are dropped. */
const MAX_SESSIONS = 16_384;
const MAX_DATAGRAM_BUFFER = 1 << 20;

/** Serves datagrams: a session per client address, with a socket of its own towards its server, until it is silent for the timeout. */
export async function listenUdp(
  name: string,
  entryPoint: EntryPoint,
  { clock, log, reusePort, inherited, choose }: UdpListenOptions,
): Promise<Listener> {
  const { host, port } = parseListenAddress(entryPoint.address ?? '', `entryPoints.${name}.address`);
  const timeoutMs = entryPoint.udp.timeout;
  const sessions = new Map<string, Session>();
  let draining = false;
  let closed = false;
  const whenEmpty = new Set<() => void>();
  const socket = createSocket({
    type: (inherited === undefined ? host === undefined || isIPv6(host) : isUdp6(inherited)) ? 'udp6' : 'udp4',
    reusePort: reusePort || entryPoint.reusePort === true,
    recvBufferSize: MAX_DATAGRAM_BUFFER,
  });

  function end(key: string, { server }: Session): void {
    if (!sessions.delete(key)) return;
    server.close();
    if (sessions.size === 0) for (const resolve of whenEmpty) resolve();
  }

  /** One timer a session, which looks whether it was used since. */
  function watch(key: string, session: Session): void {
    clock.after(Math.max(1, session.lastUse + timeoutMs - clock.now()), () => {
      if (clock.now() >= session.lastUse + timeoutMs) end(key, session);
      else if (sessions.has(key)) watch(key, session);
    });
  }

  function begin(key: string, client: RemoteInfo): Session | undefined {
    if (draining || sessions.size >= MAX_SESSIONS) return undefined;
    const target = choose(name);
    if (target === undefined) {
      log.debug('No server for a datagram', { entryPointName: name });
      return undefined;
    }
    const server = createSocket({ type: isIPv6(target.host) ? 'udp6' : 'udp4', recvBufferSize: MAX_DATAGRAM_BUFFER });
    const session: Session = { server, lastUse: clock.now() };
    server.on('message', (datagram) => {
      session.lastUse = clock.now();
      if (!closed) socket.send(datagram, client.port, client.address);
    });
    server.on('error', (error) => {
      log.debug('A UDP session failed', { entryPointName: name, server: `${target.host}:${target.port}`, error });
      end(key, session);
    });
    server.connect(target.port, target.host);
    sessions.set(key, session);
    watch(key, session);
    return session;
  }

  socket.on('message', (datagram, client) => {
    const key = `${client.address} ${client.port}`;
    const session = sessions.get(key) ?? begin(key, client);
    if (session === undefined) return;
    session.lastUse = clock.now();
    sendWhenConnected(session.server, datagram);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(inherited === undefined ? { ...(host !== undefined && { address: host }), port } : { fd: inherited }, () => {
      socket.off('error', reject);
      socket.on('error', (error) => log.error('UDP entry point', { entryPointName: name, error }));
      resolve();
    });
  });
  function close(): void {
    if (closed) return;
    closed = true;
    for (const [key, session] of sessions) end(key, session);
    socket.close();
  }
  return {
    entryPoint: name,
    open: () => sessions.size,
    port: socket.address().port,
    // Nothing but this socket can answer its clients: whoever listens beside it begins sessions of its own.
    leave: close,
    async whenEmpty() {
      if (sessions.size > 0) await new Promise<void>((resolve) => whenEmpty.add(resolve));
    },
    drain() {
      draining = true;
    },
    close,
  };
}

/** Names are looked up first; datagrams that come meanwhile wait. */
function sendWhenConnected(server: Socket, datagram: Uint8Array): void {
  const send = (): void => server.send(datagram, (error) => error !== null && server.emit('error', error));
  try {
    server.remoteAddress();
  } catch {
    server.once('connect', send);
    return;
  }
  send();
}
