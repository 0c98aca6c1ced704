import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from '../servers.ts';

/** Consul is in no package list that tests may use: a fake of its API, in a process of its own. Its keys go with it. */
export async function startFakeConsul(tls?: { certificate: string; key: string }, port?: number): Promise<RunningServer> {
  const chosen = port ?? (await freePort());
  const args = [join(import.meta.dirname, 'fake-consul-server.ts'), String(chosen), ...(tls ? [tls.key, tls.certificate] : [])];
  return startServer(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], chosen, /ready/);
}
