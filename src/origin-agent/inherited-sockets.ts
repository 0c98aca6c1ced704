import { readFileSync, readlinkSync } from 'node:fs';
import { ConfigError } from '../base/errors.ts';

/** Number of the first file that systemd hands down (sd_listen_fds(3)). */
const FIRST_FILE = 3;

/**
 * Listening sockets of a service manager: number of the file by name of the entry point (`FileDescriptorName=`). Empty when there are none,
 * or when they are meant for another process. Throws ConfigError when two have one name.
 */
export function inheritedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number = process.pid,
): Readonly<Record<string, number>> {
  const count = Number(environment.LISTEN_FDS ?? 0);
  if (Number(environment.LISTEN_PID) !== pid || !Number.isInteger(count)) return {};
  const names = environment.LISTEN_FDNAMES?.split(':') ?? [];
  const sockets: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const name = names[i] || `LISTEN_FD_${FIRST_FILE + i}`;
    if (Object.hasOwn(sockets, name))
      throw new ConfigError('config.conflict', `Two sockets of systemd have the name '${name}'; an entry point has one`, {
        object: 'LISTEN_FDNAMES',
      });
    sockets[name] = FIRST_FILE + i;
  }
  return sockets;
}

/** Whether an inherited UDP socket is one of IPv6: Node must know that before it takes it. */
export function isUdp6(file: number): boolean {
  try {
    const inode = /\d+/.exec(readlinkSync(`/proc/self/fd/${file}`))![0];
    return readFileSync('/proc/net/udp6', 'utf8').includes(` ${inode} `);
  } catch {
    return false;
  }
}
