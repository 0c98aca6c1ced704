import { execFile, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findProgram } from '../servers.ts';

const run = promisify(execFile);

/** Why no engine can be started here, or undefined. Suites are skipped by this. */
export const NO_DOCKER: string | undefined = (() => {
  if (process.getuid?.() !== 0) return 'not root';
  const missing = ['dockerd', 'docker', 'busybox', 'ip', 'nsenter', 'setpriv'].find((program) => findProgram(program) === undefined);
  if (missing !== undefined) return `${missing} is not installed`;
  const probe = spawnSync('ip', ['netns', 'add', `edgeway-probe-${process.pid}`]);
  if (probe.status !== 0) return 'network namespaces cannot be made';
  spawnSync('ip', ['netns', 'del', `edgeway-probe-${process.pid}`]);
  return undefined;
})();

/** A real engine in a network namespace of its own. */
export interface Engine {
  readonly socket: string;
  /** `unix:///…` */
  readonly endpoint: string;
  readonly namespace: string;
  readonly folder: string;
  /** Output of `docker …`, trimmed. Throws when it fails, or takes longer than 60 s. */
  docker(...args: string[]): Promise<string>;
  /** Asks the Engine API; the JSON of the answer. Throws when it refuses. Quicker than a process where there are hundreds. */
  post(path: string, body?: object, method?: string): Promise<unknown>;
  /** Starts a container of the small image, detached; its id. Arguments stand before the image. */
  start(name: string, ...args: string[]): Promise<string>;
  /** Ends the daemon with SIGTERM; containers end with it. */
  shutDown(): Promise<void>;
  /** Starts the daemon again on its data. */
  startAgain(): Promise<void>;
  /** Ends everything and removes it. */
  remove(): Promise<void>;
}

/** Name of an image with nothing but busybox: `sh`, `httpd`, `wget`, `sleep`. 2 MB, imported in 30 ms. */
export const IMAGE = 'small:1';

let engines = 0;

export async function startEngine(...daemonOptions: string[]): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-docker-'));
  const namespace = `edgeway-${process.pid}-${engines++}`;
  const socket = join(folder, 'docker.sock');
  const endpoint = `unix://${socket}`;
  await run('ip', ['netns', 'add', namespace]);
  await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);

  let daemon: { pid: number; exited: Promise<unknown> } | undefined;
  const startDaemon = async (): Promise<void> => {
    const log = openSync(join(folder, 'log'), 'a');
    // It must not outlive a test run that is killed.
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'TERM', 'nsenter', `--net=/run/netns/${namespace}`],
        'dockerd',
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
        ...['-H', endpoint, '--storage-driver', 'overlay2', ...daemonOptions],
      ],
      { stdio: ['ignore', log, log], detached: true },
    );
    daemon = { pid: child.pid!, exited: new Promise((resolve) => child.on('exit', resolve)) };
    await until(
      () => ping(socket),
      30_000,
      () => readFileSync(join(folder, 'log'), 'utf8').slice(-2_000),
    );
  };
  const shutDown = async (): Promise<void> => {
    if (daemon === undefined) return;
    const { pid, exited } = daemon;
    daemon = undefined;
    process.kill(pid, 'SIGTERM');
    const killer = setTimeout(() => process.kill(pid, 'SIGKILL'), 20_000);
    await exited;
    clearTimeout(killer);
  };
  const docker = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('docker', args, { env: { ...process.env, DOCKER_HOST: endpoint }, timeout: 60_000, maxBuffer: 64 << 20 });
    return stdout.trim();
  };

  await startDaemon();
  await importSmallImage(folder, docker);
  return {
    socket,
    endpoint,
    namespace,
    folder,
    docker,
    post: (path, body, method = 'POST') => ask(socket, method, path, body),
    start: (name, ...args) => docker('run', '-d', '--name', name, '--stop-timeout', '1', ...args, IMAGE),
    shutDown,
    startAgain: startDaemon,
    async remove() {
      if (daemon !== undefined) {
        const ids = (await docker('ps', '-aq').catch(() => '')).split('\n').filter((id) => id !== '');
        if (ids.length > 0) await docker('rm', '-f', ...ids).catch(() => {});
      }
      await shutDown();
      killBelow(folder);
      // What a daemon leaves mounted: namespaces of overlay networks, layers of containers that ended with it.
      const mounts = readFileSync('/proc/mounts', 'utf8')
        .split('\n')
        .map((line) => line.split(' ')[1] ?? '');
      for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`)).reverse()) spawnSync('umount', ['-l', mount]);
      await run('ip', ['netns', 'del', namespace]).catch(() => {});
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Ends what a daemon that had to be killed leaves: shims, known by the folder in their command line, and what runs in them. */
function killBelow(folder: string): void {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  const shims = new Set(processes.filter((pid) => read(pid, 'cmdline').includes(`${folder}/`)));
  const parentOf = (pid: string): string => /\) . (\d+)/.exec(read(pid, 'stat'))?.[1] ?? '';
  for (const pid of [...processes.filter((one) => shims.has(parentOf(one))), ...shims]) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
}

async function importSmallImage(folder: string, docker: Engine['docker']): Promise<void> {
  const root = join(folder, 'image');
  for (const path of ['bin', 'www/cgi-bin', 'tmp', 'etc']) mkdirSync(join(root, path), { recursive: true });
  cpSync(findProgram('busybox')!, join(root, 'bin/busybox'));
  for (const applet of ['sh', 'httpd', 'wget', 'sleep', 'touch', 'rm', 'test']) symlinkSync('busybox', join(root, 'bin', applet));
  const archive = join(folder, 'image.tar');
  await run('tar', ['-C', root, '-cf', archive, '.']);
  await docker('import', '-c', 'CMD ["httpd","-f","-p","80","-h","/www"]', '-c', 'EXPOSE 80', archive, IMAGE);
}

const ask = (socketPath: string, method: string, path: string, body?: object): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers: { 'content-type': 'application/json' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode! >= 400) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        else resolve(text === '' ? undefined : JSON.parse(text));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });

const ping = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    request({ socketPath, path: '/_ping' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('error', () => resolve(false))
      .end();
  });

/** Waits for a condition; throws with what `explain` says when it has not come true in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs = 10_000,
  explain: () => string = () => '',
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Not true within ${limitMs}ms. ${explain()}`);
    await delay(20);
  }
}
