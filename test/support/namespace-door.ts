import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Door } from './asking.ts';

/**
 * Sockets in a folder that lead to ports of the loopback of another network namespace; `enter` is the command that runs another one
 * there, such as `nsenter -t 4711 -n`. They go when this process does.
 */
export async function openDoors(
  enter: readonly string[],
  folder: string,
  ports: readonly number[],
): Promise<{ readonly doors: readonly Door[]; readonly close: () => Promise<void> }> {
  const [program, ...words] = [...enter, process.execPath, import.meta.filename, folder, ...ports.map(String)] as [string, ...string[]];
  const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`The doors ended with ${code}`)));
  });
  return {
    doors: ports.map((port) => ({ socketPath: socketOf(folder, String(port)) })),
    close() {
      child.kill('SIGKILL');
      return gone;
    },
  };
}

const socketOf = (folder: string, port: string): string => join(folder, `${port}.sock`);

/** As a process of its own, in the namespace. A connection that cannot be made or breaks off does so on both sides. */
if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  const [folder, ...ports] = process.argv.slice(2);
  await Promise.all(
    ports.map((port) => {
      const server = createServer({ allowHalfOpen: true }, (outside) => {
        const inside = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
        outside.pipe(inside).pipe(outside);
        outside.on('error', () => inside.destroy());
        inside.on('error', () => outside.destroy());
      });
      return new Promise<void>((resolve) => server.listen(socketOf(folder!, port), resolve));
    }),
  );
  process.once('disconnect', () => process.exit());
  process.send('open');
}
