import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';

/** Path of a server's program; undefined where it is not installed: then its tests are skipped. */
export function findServer(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** A port of the loopback that nobody listened on a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export interface RunningServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a program and waits until its output says that it is ready, or until it listens. */
export async function startServer(path: string, args: readonly string[], port: number, ready: RegExp | 'listens'): Promise<RunningServer> {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    let text = '';
    const onData = (data: Buffer): void => {
      text += data;
      if (ready !== 'listens' && ready.test(text)) resolve();
    };
    if (ready === 'listens') untilListens(port, resolve, () => child.exitCode !== null || child.signalCode !== null);
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${path} ended with ${code}: ${text.slice(-500)}`)));
  });
  return { port, stop: () => stop(child) };
}

function untilListens(port: number, resolve: () => void, isOver: () => boolean): void {
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => {
    socket.destroy();
    resolve();
  });
  socket.once('error', () => isOver() || setTimeout(untilListens, 20, port, resolve, isOver));
}

const stop = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });

/** A Redis without a disk; `port` when one that was stopped shall come back. */
export async function startRedis(path: string, extra: readonly string[] = [], port?: number): Promise<RunningServer> {
  const chosen = port ?? (await freePort());
  const args = ['--bind', '127.0.0.1', '--port', String(chosen), '--save', '', '--appendonly', 'no', '--dir', '/tmp', ...extra];
  return startServer(path, args, chosen, /Ready to accept connections/);
}
