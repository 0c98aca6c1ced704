import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { cpuMicroseconds, freePort, rssBytes } from './machine.ts';

const EDGEWAY = join(import.meta.dirname, '../../../bin/edgeway');
const AGENTS = 2;
const EDITS = 5;
/** Longer than an agent gathers changes behind one (providersThrottleDuration). */
const PAUSE_MS = 3_000;

/** A file of keys, with the host of one router. */
export type KeysOf = (host: string, serverUrl: string) => string;

interface Process {
  readonly name: string;
  readonly child: ChildProcess;
}

/**
 * A sync that follows a file, and agents that serve what it writes: from saving one changed line to the changed key, and to the
 * answer of every agent; the CPU time and memory of each.
 */
export async function followEdits(
  store: { readonly url: string; readonly provider: string },
  folder: string,
  keysOf: KeysOf,
): Promise<object[]> {
  const origin = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  const serverUrl = `http://127.0.0.1:${(await listening(origin)).port}`;
  const file = join(folder, 'followed.csv');
  const save = (host: string): void => writeFileSync(file, keysOf(host, serverUrl));
  save('edit0.example.com');
  const ports = await Promise.all(Array.from({ length: AGENTS }, freePort));
  const sync: Process = { name: 'sync', child: start(['sync', file, store.url, '--apply', '--prune', '--watch'], folder) };
  const agents = ports.map((port, index): Process => {
    const provider = `--providers.${store.provider}.endpoints=${new URL(store.url).host}`;
    return { name: `agent ${index + 1}`, child: start(['agent', `--entryPoints.web.address=127.0.0.1:${port}`, provider], folder) };
  });
  const all = [sync, ...agents];
  try {
    await saysChanged(sync.child);
    await Promise.all(ports.map((port) => answers(port, 'edit0.example.com')));
    const rows: object[] = [];
    for (let edit = 1; edit <= EDITS; edit++) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const host = `edit${edit}.example.com`;
      const before = await Promise.all(all.map(({ child }) => cpuMicroseconds(child.pid!)));
      const begin = performance.now();
      const written = saysChanged(sync.child);
      save(host);
      const since = async (event: Promise<unknown>): Promise<number> => event.then(() => performance.now() - begin);
      const [key, ...served] = await Promise.all([since(written), ...ports.map((port) => since(answers(port, host)))]);
      // What comes behind the change counts too: the echo of the write, the notes of the agents.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const after = await Promise.all(all.map(({ child }) => cpuMicroseconds(child.pid!)));
      rows.push({
        what: `saved line ${edit}`,
        'key written, s': seconds(key!),
        'agents serve it, s': served.map(seconds).join(' '),
        'CPU s (sync, agents)': after.map((now, index) => seconds((now - before[index]!) / 1_000)).join(' '),
        MB: (await Promise.all(all.map(({ child }) => rssBytes(child.pid!)))).map((bytes) => Math.round(bytes / 1024 / 1024)).join(' '),
      });
    }
    return rows;
  } finally {
    for (const { child } of all) child.kill('SIGKILL');
    origin.close();
  }
}

const seconds = (ms: number): number => +(ms / 1000).toFixed(2);

const start = (args: readonly string[], cwd: string): ChildProcess => spawn(EDGEWAY, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });

const listening = (server: Server): Promise<AddressInfo> =>
  new Promise((resolve) => server.once('listening', () => resolve(server.address() as AddressInfo)));

function saysChanged({ stdout }: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const onData = (chunk: Buffer): void => {
      if (!/^Revision.*keys changed\.$/m.test(String(chunk))) return;
      stdout!.off('data', onData);
      resolve();
    };
    stdout!.on('data', onData);
  });
}

const keepAlive = new Agent({ keepAlive: true });
const ASK_MS = 10;

/** When the host is routed. */
async function answers(port: number, host: string): Promise<void> {
  while ((await statusOf(port, host)) !== 200) await new Promise((resolve) => setTimeout(resolve, ASK_MS));
}

const statusOf = (port: number, host: string): Promise<number | undefined> =>
  new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, headers: { host }, agent: keepAlive }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    asked.once('error', () => resolve(undefined)).end();
  });
