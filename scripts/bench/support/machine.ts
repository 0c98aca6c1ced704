import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

/** Load and servers run on the first core, the proxy under test on the last one. */
export const LOAD_CORE = '0';
export const PROXY_CORE = String(availableParallelism() - 1);

/** Starts a program on a core; its errors are shown. `children` is ended by whoever made it. */
export function startPinned(
  children: ChildProcess[],
  core: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn('taskset', ['-c', core, ...command], {
    stdio: ['ignore', 'pipe', process.env.BENCH_DEBUG === '1' ? 'inherit' : 'ignore'],
    env: { ...process.env, ...environment },
  });
  child.stdout!.resume();
  children.push(child);
  return child;
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}

/** Returns when something accepts there; throws when the program that should has ended. */
export async function reachable(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended`);
    const socket = net.connect(port, '127.0.0.1');
    const ok = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** User and system time of all its threads in µs (fields 14 and 15; the second field is a name in parentheses that may hold blanks). */
export async function cpuMicroseconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

export async function rssBytes(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

export interface WrkResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly bytes: number;
  readonly p99Ms: number;
  /** What went wrong, in wrk's words. */
  readonly failures: string | undefined;
}

export async function wrk(url: string, connections: number, seconds: number, fields: readonly string[]): Promise<WrkResult> {
  const { stdout } = await promisify(execFile)('taskset', [
    ...['-c', LOAD_CORE, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency'],
    ...fields.flatMap((field) => ['-H', field]),
    url,
  ]);
  const [, requests, size, unit] = /(\d+) requests in [\d.]+m?s?, ([\d.]+)([KMG]?)B read/.exec(stdout)!;
  return {
    requests: Number(requests),
    requestsPerSecond: Math.round(Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])),
    bytes: Number(size) * 1024 ** ['', 'K', 'M', 'G'].indexOf(unit!),
    p99Ms: toMs(/99%\s+([\d.]+\w+)/.exec(stdout)?.[1] ?? ''),
    failures: /Socket errors.*|Non-2xx.*/.exec(stdout)?.[0],
  };
}

const toMs = (text: string): number => Number.parseFloat(text) * (text.endsWith('us') ? 0.001 : text.endsWith('ms') ? 1 : 1000);
