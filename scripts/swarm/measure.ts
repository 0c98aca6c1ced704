import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Engine, IMAGE, startEngine, until } from './engine.ts';
import type { LoadOptions, LoadReport } from './load.ts';

/** A proxy that is driven through the steps: a command of Traefik's flags. */
export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
}

export interface Step {
  readonly name: string;
  /** What is done while clients ask; it has happened when this resolves. */
  readonly act: (swarm: Swarm) => Promise<unknown>;
  /** A server is killed: requests that it was answering are lost with it. */
  readonly kills?: boolean;
}

export interface StepReport extends LoadReport {
  readonly step: string;
  readonly kills: boolean;
}

/** A Swarm with a service `whoami` of three replicas, and a namespace in which its tasks are reached. */
export interface Swarm {
  readonly engine: Engine;
  /** Runs a command in that namespace. */
  readonly enter: (command: readonly string[], log: string) => ChildProcess;
  readonly remove: () => Promise<void>;
}

const PORT = 8_000;

export const STEPS: readonly Step[] = [
  { name: 'update, start-first', act: (swarm) => update(swarm, 'start-first') },
  { name: 'update, stop-first', act: (swarm) => update(swarm, 'stop-first') },
  { name: 'scale 3 → 1 → 5', act: ({ engine }) => scale(engine, 1).then(() => scale(engine, 5)) },
  { name: 'kill one container', act: ({ engine }) => killOne(engine), kills: true },
];

/** A variable that is new each time makes Docker replace every task. */
async function update({ engine }: Swarm, order: string): Promise<void> {
  const version = `VERSION=${Date.now()}`;
  await engine.docker('service', 'update', '-q', '-d', '--no-resolve-image', '--update-order', order, '--env-add', version, 'whoami');
  await settled(engine, 3, version);
}

async function scale(engine: Engine, replicas: number): Promise<void> {
  await engine.docker('service', 'scale', '-d', `whoami=${replicas}`);
  await settled(engine, replicas);
}

async function killOne(engine: Engine): Promise<void> {
  const before = await containersOf(engine);
  await engine.docker('kill', before[0]!);
  await until(async () => (await containersOf(engine)).some((id) => !before.includes(id)), 30_000);
  await settled(engine, before.length);
}

const containersOf = async (engine: Engine): Promise<string[]> =>
  (await engine.docker('ps', '-q', '--no-trunc', '--filter', 'label=com.docker.swarm.service.name=whoami')).split('\n');

interface Task {
  readonly Status: { readonly State: string };
  readonly Spec: { readonly ContainerSpec: { readonly Env?: readonly string[] } };
}

/** What `docker service update` waits for is sometimes the update before. So: all wanted tasks run, of this version, and no others. */
async function settled(engine: Engine, replicas: number, version?: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ service: ['whoami'], 'desired-state': ['running'] }));
  await until(async () => {
    const tasks = (await engine.post(`/tasks?filters=${filters}`, undefined, 'GET')) as Task[];
    const ready = tasks.filter(
      ({ Status, Spec }) => Status.State === 'running' && (version === undefined || Spec.ContainerSpec.Env?.includes(version)),
    );
    return ready.length === replicas && tasks.length === replicas && (await containersOf(engine)).length === replicas;
  }, 90_000);
}

export async function startSwarm(): Promise<Swarm> {
  const engine = await startEngine();
  try {
    await engine.docker('swarm', 'init', '--advertise-addr', '127.0.0.1', '--listen-addr', '127.0.0.1:2377');
    await engine.docker('network', 'create', '-d', 'overlay', '--attachable', 'gw');
    // The kernel of a test machine has no virtual servers, and tasks are reached from the overlay network only.
    await engine.docker('run', '-d', '--name', 'anchor', '--network', 'gw', IMAGE, 'sleep', '86400');
    const pid = await engine.docker('inspect', '-f', '{{.State.Pid}}', 'anchor');
    const mounts = Object.entries({
      '/lib': '/lib',
      '/lib64': '/lib64',
      '/usr/lib': '/usr/lib',
      [process.execPath]: '/bin/node',
      [fileURLToPath(new URL('./whoami.ts', import.meta.url))]: '/whoami.ts',
    }).flatMap(([source, target]) => ['--mount', `type=bind,source=${source},target=${target},readonly`]);
    await engine.docker(
      ...['service', 'create', '-q', '-d=false', '--no-resolve-image', '--name', 'whoami', '--network', 'gw', '--replicas', '3', ...mounts],
      ...['--update-parallelism', '1', '--stop-grace-period', '10s', '--update-monitor', '500ms'],
      ...['-l', 'traefik.http.routers.whoami.rule=Host(`whoami`)', '-l', 'traefik.http.services.whoami.loadbalancer.server.port=80'],
      ...[IMAGE, '/bin/node', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '/whoami.ts'],
    );
    return {
      engine,
      enter(command, log) {
        const output = openSync(join(engine.folder, log), 'a');
        return spawn('nsenter', ['-t', pid, '-n', ...command], { stdio: ['ignore', output, output, 'ipc'] });
      },
      remove: engine.remove,
    };
  } catch (error) {
    await engine.remove();
    throw error;
  }
}

/** Drives one proxy through the steps, each with at least so many requests. */
export async function measure(swarm: Swarm, subject: Subject, steps: readonly Step[], requests: number): Promise<StepReport[]> {
  const flags = [
    `--entryPoints.web.address=:${PORT}`,
    '--providers.swarm=true',
    `--providers.swarm.endpoint=${swarm.engine.endpoint}`,
    '--providers.swarm.network=gw',
    '--log.level=INFO',
  ];
  const log = `${subject.name}.log`;
  await scale(swarm.engine, 3);
  const proxy = swarm.enter([...subject.command, ...flags], log);
  try {
    await until(
      () => answers(swarm),
      30_000,
      () => readFileSync(join(swarm.engine.folder, log), 'utf8').slice(-3_000),
    );
    const reports: StepReport[] = [];
    for (const step of steps) reports.push(await measureStep(swarm, step, requests));
    return reports;
  } finally {
    const gone = new Promise((resolve) => proxy.once('exit', resolve));
    proxy.kill('SIGTERM');
    const timer = setTimeout(() => proxy.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(timer);
  }
}

async function measureStep(swarm: Swarm, step: Step, requests: number): Promise<StepReport> {
  const load = startLoadProcess(swarm, { host: '127.0.0.1', port: PORT, name: 'whoami' });
  await until(() => load.requests() > requests / 20, 60_000);
  await step.act(swarm);
  await until(() => load.requests() >= requests, 300_000);
  return { ...(await load.stop()), step: step.name, kills: step.kills === true };
}

/** The clients, in the namespace and on a core of their own. */
function startLoadProcess(swarm: Swarm, options: LoadOptions): { requests(): number; stop(): Promise<LoadReport> } {
  const script = fileURLToPath(new URL('./load.ts', import.meta.url));
  const child = swarm.enter([process.execPath, '--disable-warning=ExperimentalWarning', script, JSON.stringify(options)], 'load.log');
  let requests = 0;
  let report: LoadReport | undefined;
  child.on('message', (message: { requests?: number; report?: LoadReport }) => {
    requests = message.requests ?? requests;
    report = message.report ?? report;
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    requests: () => {
      if (child.exitCode !== null) throw new Error(`The clients ended: ${readFileSync(join(swarm.engine.folder, 'load.log'), 'utf8')}`);
      return requests;
    },
    async stop() {
      child.send('stop');
      await gone;
      if (report === undefined) throw new Error('The clients ended without a report');
      return report;
    },
  };
}

/** Whether the proxy knows the service: asked from inside, as nobody else reaches it. */
function answers(swarm: Swarm): Promise<boolean> {
  return new Promise((resolve) => {
    const child = swarm.enter(
      [
        process.execPath,
        '-e',
        `require('http').get({host:'127.0.0.1',port:${PORT},headers:{host:'whoami'}},(r)=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))`,
      ],
      'probe.log',
    );
    child.once('exit', (code) => resolve(code === 0));
  });
}
