import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { POSTGRES_REQUEST } from '../entrypoints/intake.ts';
import { type Endpoint, proxyHeader } from '../entrypoints/proxy-protocol.ts';
import { Channel, type ChannelOwner, nobody } from '../sockets/channel.ts';
import { Pipe } from './pipe.ts';
import type { TcpTarget } from './services.ts';

/** A connection that a TCP router took. */
export interface TcpConnection {
  readonly channel: Channel;
  /** Read from it already. */
  readonly first: Uint8Array;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** The server must grant Postgres TLS before the client's hello is sent on. */
  readonly postgres: boolean;
}

export interface TcpContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** Called once, when both sides are closed. */
  readonly onOver: () => void;
}

/** Something that lives on an entry point. */
export interface Live {
  /** Takes nothing new from its client, where its protocol can say so without losing a request. */
  leave?(): void;
  drain(): void;
  destroy(): void;
}

/** Connects a client with the server. */
export function serveTcp(connection: TcpConnection, target: TcpTarget, context: TcpContext): Live {
  const { channel: client, source, destination } = connection;
  let pipe: Pipe | undefined;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    cancelTimeout?.();
    context.onOver();
  };
  const dialing: ChannelOwner = {
    ...nobody,
    onClose(error) {
      context.log.debug('Cannot reach the server', { server: `${target.host}:${target.port}`, error: error?.message ?? 'it closed' });
      client.destroy();
      finish();
    },
  };
  const cancelTimeout = target.dialTimeoutMs > 0 ? context.clock.after(target.dialTimeoutMs, () => server.destroy()) : undefined;
  const server = dial(target, dialing, connected);
  client.owner = {
    ...nobody,
    onClose() {
      server.destroy();
      finish();
    },
  };

  function connected(): void {
    cancelTimeout?.();
    if (client.closed) {
      server.destroy();
      return;
    }
    if (target.keepAliveMs > 0)
      (server.socket as { setKeepAlive?: (on: boolean, ms: number) => void }).setKeepAlive?.(true, target.keepAliveMs);
    if (target.proxyProtocol > 0) server.write(proxyHeader(target.proxyProtocol, source, destination));
    if (connection.postgres) startTls();
    else join();
  }

  function startTls(): void {
    server.owner = {
      ...dialing,
      onBytes(buffer) {
        const granted = buffer[0] === 0x53;
        queueMicrotask(() => (granted ? join() : server.destroy()));
        return false;
      },
    };
    server.write(POSTGRES_REQUEST);
    server.resume();
  }

  function join(): void {
    const options = { clock: context.clock, terminationDelayMs: target.terminationDelayMs, onOver: finish };
    pipe = new Pipe(client, server, connection.first, options);
  }

  return {
    drain() {},
    destroy() {
      if (pipe !== undefined) pipe.destroy();
      else {
        client.destroy();
        server.destroy();
      }
    },
  };
}

export function dial({ host, port, tls }: TcpTarget, owner: ChannelOwner, connected: () => void): Channel {
  if (tls === undefined) return Channel.dial({ host, port }, owner, connected);
  return Channel.dialTls({ host, port, ...tls }, owner, connected);
}
