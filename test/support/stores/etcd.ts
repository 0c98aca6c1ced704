import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findServer, freePort, type RunningServer, startServer } from '../servers.ts';

export const etcdPath = findServer('etcd');

/** A single etcd; `makeTls` puts certificate and key into its folder. What was stopped comes back with `again`. */
export async function startEtcd(
  makeTls?: (folder: string) => { certificate: string; key: string },
  again?: StartedEtcd,
): Promise<StartedEtcd> {
  const folder = again?.folder ?? mkdtempSync(join(tmpdir(), 'edgeway-etcd-'));
  const tls = makeTls?.(folder);
  const [port, peer] = again === undefined ? [await freePort(), await freePort()] : [again.port, await freePort()];
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const args = {
    'data-dir': join(folder, 'data'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    ...(tls && { 'cert-file': tls.certificate, 'key-file': tls.key }),
  };
  const list = [...Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]), '--unsafe-no-fsync', '--logger', 'zap'];
  const server = await startServer(etcdPath!, list, port, /serving (insecure )?client (requests|traffic)|ready to serve client/);
  return { ...server, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface StartedEtcd extends RunningServer {
  readonly folder: string;
  remove(): void;
}
