import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import { ConfigError } from '../base/errors.ts';
import { parseListenAddress } from './listen-address.ts';
import { holderOf } from './port-holder.ts';

/**
 * Binds the port exclusively and lets go: with reusePort alone a forgotten second agent would share it unnoticed. `object` is where the
 * address is written. Throws ConfigError, which says who listens there.
 */
export async function probeAddress(object: string, address: string): Promise<void> {
  const { host, port } = parseListenAddress(address, object);
  const protocol = address.endsWith('/udp') ? 'udp' : 'tcp';
  try {
    await (protocol === 'udp' ? bindUdp(host, port) : bindTcp(host, port));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? `${holderOf(protocol, port) ?? 'another process'} listens there; stop it or choose another port`
        : code === 'EACCES'
          ? 'ports below 1024 need root, CAP_NET_BIND_SERVICE, or net.ipv4.ip_unprivileged_port_start=0'
          : message;
    throw new ConfigError('config.io', `Cannot listen on '${address}': ${why}`, { object }, { cause });
  }
}

async function bindTcp(host: string | undefined, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

async function bindUdp(host: string | undefined, port: number): Promise<void> {
  const socket = createSocket({ type: host === undefined || isIPv6(host) ? 'udp6' : 'udp4' });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ ...(host !== undefined && { address: host }), port, exclusive: true }, resolve);
  });
  await new Promise<void>((resolve) => socket.close(resolve));
}
