/**
 * CPU per request of the HTTP/1.1 engine beside nginx in one run: proxy on the last core, wrk and the server behind on the first.
 * Only ratios mean anything; other work on the machine moves all numbers.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

export interface BenchRow {
  readonly proxy: string;
  readonly work: string;
  readonly requestsPerSecond: number;
  /** User and system time of the proxy over requests. */
  readonly cpuMicroseconds: number;
  readonly p99Ms: number;
  readonly rssMb: number;
}

interface Proxy {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 2);
/** `BENCH_WORK=100` keeps the works whose name has that in it. */
const ALL_WORKS = [
  { name: '1 KB keep-alive', path: '/1k', connections: 64, close: false },
  { name: '100 KB keep-alive', path: '/100k', connections: 16, close: false },
  { name: '1 KB, new connection each', path: '/1k', connections: 32, close: true },
];

const WORKS = ALL_WORKS.filter((work) => work.name.includes(process.env.BENCH_WORK ?? ''));

/** Needs nginx, wrk and taskset on the PATH. Prints a row per proxy and work, each the median of its rounds. */
export async function bench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'edgeway-bench-'));
  const children: ChildProcess[] = [];
  try {
    const lastCore = availableParallelism() - 1;
    await writeFile(path.join(folder, '1k'), 'x'.repeat(1024));
    await writeFile(path.join(folder, '100k'), 'x'.repeat(102_400));
    const backend = await startNginx(children, folder, 'backend', 0, `root ${folder}; access_log off;`);
    const proxies: Proxy[] = [
      { name: 'nginx', ...(await startNginx(children, folder, 'proxy', lastCore, PROXY_LOCATION, backend.port)) },
      { name: 'engine', ...(await startNode(children, 'engine', lastCore, backend.port)) },
      { name: 'node:http', ...(await startNode(children, 'node', lastCore, backend.port)) },
    ];
    const rows: BenchRow[] = [];
    for (const work of WORKS) {
      const rounds = new Map<string, BenchRow[]>();
      for (let round = 0; round <= ROUNDS; round++) {
        for (const proxy of proxies) {
          const row = await measure(proxy, work);
          // The first round warms up.
          if (round > 0) rounds.set(proxy.name, [...(rounds.get(proxy.name) ?? []), row]);
        }
      }
      for (const proxy of proxies) rows.push(median(rounds.get(proxy.name)!));
    }
    print(rows);
    return rows;
  } finally {
    for (const child of children) child.kill();
    await rm(folder, { recursive: true });
  }
}

const PROXY_LOCATION =
  'location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; access_log off; proxy_buffer_size 32k; proxy_buffers 8 32k; }';

async function startNginx(children: ChildProcess[], folder: string, name: string, core: number, server: string, upstream?: number) {
  const port = await freePort();
  const config = path.join(folder, `${name}.conf`);
  const up = upstream === undefined ? '' : `upstream up { server 127.0.0.1:${upstream}; keepalive 200; keepalive_requests 1000000; }`;
  await writeFile(
    config,
    `daemon off; master_process off; user root; pid ${folder}/${name}.pid; error_log ${folder}/${name}.log; events { worker_connections 2000; }
     http { keepalive_requests 1000000; client_body_temp_path ${folder}/${name}-b; proxy_temp_path ${folder}/${name}-p; fastcgi_temp_path ${folder}/${name}-f;
     uwsgi_temp_path ${folder}/${name}-u; scgi_temp_path ${folder}/${name}-s; sendfile on; tcp_nopush on; ${up}
     server { listen 127.0.0.1:${port} backlog=1024; ${server} } }`,
  );
  const child = spawn('taskset', ['-c', String(core), 'nginx', '-p', folder, '-c', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  await reachable(port, child);
  return { port, pid: child.pid! };
}

async function startNode(children: ChildProcess[], kind: string, core: number, serverPort: number) {
  const script = path.join(import.meta.dirname, 'http1-proxy.ts');
  const child = spawn('taskset', ['-c', String(core), process.execPath, script, kind, String(serverPort)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [text] = await once(child.stdout!, 'data');
  return { port: Number(String(text)), pid: child.pid! };
}

async function measure(proxy: Proxy, work: (typeof ALL_WORKS)[number]): Promise<BenchRow> {
  const before = await cpuTicks(proxy.pid);
  const close = work.close ? ['-H', 'Connection: close'] : [];
  const url = `http://127.0.0.1:${proxy.port}${work.path}`;
  const { stdout } = await promisify(execFile)('taskset', [
    ...['-c', '0', 'wrk', '-t1', `-c${work.connections}`, `-d${SECONDS}s`, '--latency', ...close, url],
  ]);
  const ticks = (await cpuTicks(proxy.pid)) - before;
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  const failed = /Socket errors|Non-2xx/.exec(stdout);
  if (failed !== null) console.warn(`${proxy.name}, ${work.name}: ${stdout}`);
  return {
    proxy: proxy.name,
    work: work.name,
    requestsPerSecond: Math.round(Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])),
    cpuMicroseconds: (ticks * 10_000) / requests,
    p99Ms: toMs(/99%\s+([\d.]+\w+)/.exec(stdout)?.[1] ?? ''),
    rssMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${proxy.pid}/status`, 'utf8'))?.[1]) / 1024),
  };
}

/** User and system time in ticks of 10 ms (fields 14 and 15; the second one is a name in parentheses that may hold blanks). */
async function cpuTicks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

const toMs = (text: string): number => Number.parseFloat(text) * (text.endsWith('us') ? 0.001 : text.endsWith('ms') ? 1 : 1000);

function median(rows: BenchRow[]): BenchRow {
  return rows.toSorted((a, b) => a.cpuMicroseconds - b.cpuMicroseconds)[Math.floor((rows.length - 1) / 2)]!;
}

function print(rows: BenchRow[]): void {
  for (const work of new Set(rows.map((row) => row.work))) {
    const group = rows.filter((row) => row.work === work);
    const base = group.find((row) => row.proxy === 'nginx')!.cpuMicroseconds;
    console.log(work);
    for (const row of group) {
      console.log(
        `  ${row.proxy.padEnd(10)} ${row.cpuMicroseconds.toFixed(1).padStart(7)} µs/request  × ${(row.cpuMicroseconds / base).toFixed(2)} nginx` +
          `  ${String(row.requestsPerSecond).padStart(6)}/s  p99 ${row.p99Ms.toFixed(1)} ms  ${row.rssMb} MB`,
      );
    }
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}

async function reachable(port: number, child: ChildProcess): Promise<void> {
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

if (import.meta.main) await bench();
