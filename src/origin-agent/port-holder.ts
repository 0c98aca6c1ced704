import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Tables of the kernel by protocol, and the state that means listening (UDP: not connected). */
const TABLES = { tcp: { files: ['tcp', 'tcp6'], state: '0A' }, udp: { files: ['udp', 'udp6'], state: '07' } } as const;

/**
 * The process that listens on a port, as `nginx (process 123)`; undefined where Linux does not tell: other systems, other users'
 * processes, other containers'.
 */
export function holderOf(protocol: 'tcp' | 'udp', port: number): string | undefined {
  const { files, state } = TABLES[protocol];
  const inodes = new Set<string>();
  for (const file of files) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
    for (const line of read(`/proc/net/${file}`).split('\n').slice(1)) {
      const [, local = '', , at, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (at === state && Number.parseInt(local.slice(local.indexOf(':') + 1), 16) === port) inodes.add(`socket:[${inode}]`);
    }
  }
  if (inodes.size === 0) return undefined;
  const pid = list('/proc').find(
    (name) => /^\d+$/.test(name) && list(`/proc/${name}/fd`).some((fd) => inodes.has(link(`/proc/${name}/fd/${fd}`))),
  );
  return pid === undefined ? undefined : `${basename(link(`/proc/${pid}/exe`))} (process ${pid})`;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
