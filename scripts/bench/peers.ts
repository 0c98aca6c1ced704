/**
 * Edgeway beside nginx, HAProxy, Caddy and Traefik (the variable TRAEFIK names its program) in one run: proxy on the last core, load and
 * server on the first. What counts is CPU time a request; other work on the machine moves the rates and times beside it.
 * BENCH_WORK keeps works whose name has that in it, BENCH_SECONDS and BENCH_ROUNDS set the length.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cpuMicroseconds, LOAD_CORE, rssBytes, startPinned, wrk } from './support/machine.ts';
import { dynamicText, type PeerName, presentPeers, type Running, type Site, startPeer, startServer, type Task } from './support/peers.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);

interface Work {
  readonly name: string;
  readonly task: Task;
  readonly peers: readonly PeerName[];
  readonly path: string;
  readonly connections: number;
  /** CPU is divided by requests, or by GB. */
  readonly per: 'request' | 'GB';
  readonly newConnections?: boolean;
  /** At least these times the peer's work per CPU second. */
  readonly goals: Readonly<Partial<Record<PeerName, number>>>;
}

const HTTP: readonly PeerName[] = ['edgeway', 'nginx', 'haproxy', 'caddy', 'traefik'];
const work = (name: string, task: Task, goals: Work['goals'], more: Partial<Work> = {}): Work => ({
  ...{ name, task, goals, peers: HTTP, path: '/1k', connections: 64, per: 'request' },
  ...more,
});
const BOTH: readonly PeerName[] = ['edgeway', 'traefik'];

const WORKS: readonly Work[] = [
  work('HTTP keep-alive, 1 KB, 1 router', { routers: 1 }, { nginx: 0.65, traefik: 1.9 }),
  work('HTTP keep-alive, 1 KB, 10,000 routers, the last one hit', { routers: 10_000 }, {}, { peers: BOTH }),
  work(
    'headers, stripPrefix, rateLimit, JSON access log, metrics',
    { routers: 1, full: true },
    { traefik: 1.5 },
    { peers: BOTH, path: '/api/1k' },
  ),
  work('HTTP, 100 KB', { routers: 1 }, { traefik: 1.2 }, { path: '/100k', connections: 16 }),
  work('HTTP, 10 MB', { routers: 1 }, { traefik: 1.2 }, { path: '/10m', connections: 8, per: 'GB' }),
  work('HTTP, new connection each', { routers: 1 }, {}, { newConnections: true, connections: 32 }),
  work('HTTPS keep-alive, 1 KB', { routers: 1, tls: true }, { traefik: 1.7 }),
  work('HTTPS, full handshake each', { routers: 1, tls: true }, { traefik: 0.5 }, { newConnections: true, connections: 16 }),
  work(
    'TCP, bulk',
    { routers: 1, tcp: true },
    { haproxy: 1.2 },
    { peers: ['edgeway', 'haproxy', 'traefik'], path: '/10m', connections: 8, per: 'GB' },
  ),
  work(
    'TCP, new connection each',
    { routers: 1, tcp: true },
    { haproxy: 0.55 },
    { peers: ['edgeway', 'haproxy', 'traefik'], newConnections: true, connections: 32 },
  ),
];

interface Measured {
  /** µs a request, ms a GB. */
  readonly cpu: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly rssMb: number;
}

/** Needs nginx, wrk and taskset on the PATH. */
export async function bench(): Promise<void> {
  const wanted = process.env.BENCH_WORK ?? '';
  const folder = await mkdtemp(path.join(tmpdir(), 'edgeway-bench-'));
  const children: ChildProcess[] = [];
  try {
    await writeFile(path.join(folder, '1k'), 'x'.repeat(1024));
    await writeFile(path.join(folder, '100k'), 'x'.repeat(102_400));
    await writeFile(path.join(folder, '10m'), 'x'.repeat(10 * 1024 * 1024));
    makeCertificate(folder);
    const site = { folder, children, serverPort: await startServer(children, folder) };
    const peers = presentPeers();
    console.log(`Beside: ${peers.slice(1).join(', ')}; ${ROUNDS} rounds of ${SECONDS} s, the median counts.`);
    for (const one of WORKS.filter(({ name }) => name.includes(wanted))) await compare(one, peers, site);
    if ('reload'.includes(wanted)) await benchReload(peers, site);
    if ('resumed'.includes(wanted)) await benchResumed(peers, site);
    if ('memory'.includes(wanted)) await benchMemory(site);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(one: Work, present: readonly PeerName[], site: Site): Promise<void> {
  const names = one.peers.filter((name) => present.includes(name));
  const rounds = new Map<PeerName, Measured[]>(names.map((name) => [name, []]));
  await withPeers(names, one.task, site, async (running) => {
    for (let round = 0; round <= ROUNDS; round++)
      for (const name of names) {
        const measured = await measure(running.get(name)!, name, one);
        // The first round warms up.
        if (round > 0) rounds.get(name)!.push(measured);
      }
  });
  console.log(`\n${one.name}`);
  const ours = median(rounds.get('edgeway')!);
  for (const name of names) {
    const { cpu, perSecond, p99Ms, rssMb } = median(rounds.get(name)!);
    const goal = one.goals[name];
    const ratio = name === 'edgeway' ? '' : `  Edgeway ${(cpu / ours.cpu).toFixed(2)} ×`;
    const verdict = goal === undefined ? '' : ` (at least ${goal}: ${cpu / ours.cpu >= goal ? 'met' : 'MISSED'})`;
    const unit = one.per === 'GB' ? 'ms/GB' : 'µs/request';
    console.log(
      `  ${name.padEnd(8)} ${cpu.toFixed(1).padStart(8)} ${unit}  ${String(perSecond).padStart(6)}/s  p99 ${p99Ms.toFixed(1)} ms  ${rssMb} MB${ratio}${verdict}`,
    );
  }
}

async function measure({ port, pid }: Running, name: PeerName, one: Work): Promise<Measured> {
  const before = await cpuMicroseconds(pid);
  const fields = [`Host: h${one.task.routers - 1}.test`, ...(one.newConnections ? ['Connection: close'] : [])];
  const result = await wrk(`${one.task.tls ? 'https' : 'http'}://127.0.0.1:${port}${one.path}`, one.connections, SECONDS, fields);
  if (result.failures !== undefined) console.warn(`  ${name}, ${one.name}: ${result.failures}`);
  const cpu = (await cpuMicroseconds(pid)) - before;
  return {
    cpu: one.per === 'GB' ? cpu / 1000 / (result.bytes / 1e9) : cpu / result.requests,
    perSecond: result.requestsPerSecond,
    p99Ms: result.p99Ms,
    rssMb: Math.round((await rssBytes(pid)) / 1e6),
  };
}

/** One of 10,000 routers changes every 3 s while requests come at a fixed rate, whether answered or not. */
async function benchReload(present: readonly PeerName[], site: Site): Promise<void> {
  const task: Task = { routers: 10_000 };
  console.log('\n10,000 routers, 500 requests/s: steady, then one router changed every 3 s (reload)');
  for (const name of BOTH.filter((peer) => present.includes(peer))) {
    await withPeers([name], task, site, async (running) => {
      const { port, dynamicFile } = running.get(name)!;
      await openLoop(site, port, 3);
      const steady = await openLoop(site, port, 12);
      const before = await cpuMicroseconds(running.get(name)!.pid);
      let change = 0;
      // Whole or not at all: a reader of half a file would be no fault of its own.
      const timer = setInterval(async () => {
        await writeFile(`${dynamicFile}.new`, dynamicText(task, site.folder, site.serverPort, ++change));
        await rename(`${dynamicFile}.new`, dynamicFile);
      }, 3000);
      const reloading = await openLoop(site, port, 18).finally(() => clearInterval(timer));
      const cpuSeconds = ((await cpuMicroseconds(running.get(name)!.pid)) - before) / 1e6;
      for (const [title, { sent, failed, p50Ms, p99Ms, worstMs }] of Object.entries({ steady, reloading }))
        console.log(
          `  ${name.padEnd(8)} ${title.padEnd(9)} ${failed} of ${sent} failed, median ${p50Ms} ms, p99 ${p99Ms} ms, worst ${worstMs} ms`,
        );
      console.log(
        `  ${name.padEnd(8)} p99 ${(reloading.p99Ms / steady.p99Ms).toFixed(2)} × steady, ${cpuSeconds.toFixed(1)} s CPU for ${change} changes and the requests`,
      );
    });
  }
}

interface OpenLoop {
  readonly sent: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

async function openLoop(site: Site, port: number, seconds: number): Promise<OpenLoop> {
  return JSON.parse(await runLoad(site, 'open-loop.ts', [port, seconds, 500])) as OpenLoop;
}

async function benchResumed(present: readonly PeerName[], site: Site): Promise<void> {
  console.log('\nHTTPS, resumed handshake each (a client of Node)');
  const names = HTTP.filter((name) => name !== 'caddy' && present.includes(name));
  await withPeers(names, { routers: 1, tls: true }, site, async (running) => {
    for (const name of names) {
      const { port, pid } = running.get(name)!;
      await runLoad(site, 'resume.ts', [port, 1]);
      const before = await cpuMicroseconds(pid);
      const { connections, resumed } = JSON.parse(await runLoad(site, 'resume.ts', [port, SECONDS])) as {
        connections: number;
        resumed: number;
      };
      const cpu = ((await cpuMicroseconds(pid)) - before) / connections;
      console.log(`  ${name.padEnd(8)} ${cpu.toFixed(1).padStart(8)} µs/connection, ${resumed} of ${connections} resumed`);
    }
  });
}

async function benchMemory(site: Site): Promise<void> {
  console.log('\nmemory');
  await withPeers(['edgeway'], { routers: 10_000, threads: 2 }, site, async (running) => {
    const { port, pid } = running.get('edgeway')!;
    await wrk(`http://127.0.0.1:${port}/1k`, 64, SECONDS, ['Host: h9999.test']);
    const before = await rssBytes(pid);
    console.log(`  10,000 routers, 2 threads, after traffic: ${Math.round(before / 1e6)} MB RSS (at most 200)`);
    const idle = startPinned(site.children, LOAD_CORE, [process.execPath, script('idle.ts'), String(port), '10000']);
    const [text] = await once(idle.stdout!, 'data');
    const used = (await rssBytes(pid)) - before;
    console.log(`  ${String(text).trim()} idle connections: ${(used / Number(text) / 1024).toFixed(1)} KB each (at most 10)`);
    idle.kill();
  });
}

async function runLoad(site: Site, name: string, args: readonly number[]): Promise<string> {
  const child = startPinned(site.children, LOAD_CORE, [process.execPath, script(name), ...args.map(String)]);
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += String(chunk)));
  await once(child, 'close');
  return text;
}

const script = (name: string): string => path.join(import.meta.dirname, 'support', name);

async function withPeers(
  names: readonly PeerName[],
  task: Task,
  site: Site,
  use: (running: ReadonlyMap<PeerName, Running>) => Promise<void>,
): Promise<void> {
  const children: ChildProcess[] = [];
  try {
    const running = new Map<PeerName, Running>();
    for (const name of names) running.set(name, await startPeer(name, task, { ...site, children }));
    await configured(running, task);
    await use(running);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

/** Ports open before the routers are there. */
async function configured(running: ReadonlyMap<PeerName, Running>, task: Task): Promise<void> {
  for (const [name, { port }] of running) {
    if (task.tls || task.tcp) continue;
    for (let tries = 0; ; tries++) {
      const { failures } = await wrk(`http://127.0.0.1:${port}${task.full ? '/api' : ''}/1k`, 1, 1, [`Host: h${task.routers - 1}.test`]);
      if (failures === undefined) break;
      if (tries === 60) throw new Error(`${name} does not answer for its last router: ${failures}`);
    }
  }
}

function makeCertificate(folder: string): void {
  const file = (name: string): string => path.join(folder, name);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=h0.test'],
      ...['-addext', 'subjectAltName=DNS:h0.test,IP:127.0.0.1', '-keyout', file('key.pem'), '-out', file('cert.pem')],
    ],
    { stdio: 'ignore' },
  );
  execFileSync('sh', ['-c', `cat ${file('cert.pem')} ${file('key.pem')} > ${file('both.pem')}`]);
}

const median = (rows: readonly Measured[]): Measured => rows.toSorted((a, b) => a.cpu - b.cpu)[Math.floor((rows.length - 1) / 2)]!;
