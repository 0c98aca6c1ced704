import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './engine.ts';
import { type LoadReport, startLoadProcess } from './load.ts';
import type { Running, Stage, Step } from './stage.ts';

/** A proxy that is driven through the steps: a command of Traefik's flags. */
export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
  /** Of its own, behind those of the stage. */
  readonly steps?: readonly Step[];
  /** Has a fleet of agents that publish, and answers `published`. */
  readonly publishes?: boolean;
}

export interface StepReport extends LoadReport {
  readonly step: string;
  readonly kills: boolean;
  /** Something else is published than before; undefined where nothing is. */
  readonly published?: boolean;
}

const PORT = 8_000;
const program = (...path: string[]): string => fileURLToPath(new URL(path.join('/'), import.meta.url));
const AGENT = [program('../../bin/edgeway'), 'agent'];

/** The agent at its own entry point; a second one takes over. */
export const host = (folder: string): Subject => ({
  name: 'edgeway',
  command: [...AGENT, '--edge.takeover=true', `--edge.stateDirectory=${folder}/state`],
  steps: [{ name: 'take-over by a new agent', act: (proxy) => proxy.replace() }],
});

/** Through the Worker, with its default freshness of a minute, and the relays of two agents. */
export const edge = (folder: string): Subject => ({
  name: 'edge',
  command: [process.execPath, '--disable-warning=ExperimentalWarning', program('edge-subject.ts'), folder],
  steps: [{ name: 'agents restart, one by one', act: (proxy) => proxy.ask('restart') }],
  publishes: true,
});

/** Drives one proxy through the steps that fit, each with at least so many requests. */
export async function measure(
  stage: Stage,
  subject: Subject,
  requests: number,
  fits: (step: Step) => boolean = () => true,
): Promise<StepReport[]> {
  const flags = [`--entryPoints.web.address=:${PORT}`, '--log.level=INFO', ...stage.flags];
  const steps = [...stage.steps, ...(subject.steps ?? [])].filter(fits);
  if (steps.length === 0) return [];
  await stage.reset();
  const proxy = startProxy(stage, [...subject.command, ...flags], `${subject.name}.log`);
  try {
    await until(() => answers(stage), 60_000, proxy.said);
    const reports: StepReport[] = [];
    for (const step of steps) {
      const before = subject.publishes ? (await proxy.ask('published')).published : undefined;
      const report = await measureStep(stage, step, requests, proxy);
      reports.push(subject.publishes ? { ...report, published: (await proxy.ask('published')).published !== before } : report);
    }
    return reports;
  } finally {
    await proxy.stop();
  }
}

function startProxy(stage: Stage, command: readonly string[], log: string) {
  let child = stage.enter(command, log);
  const said = (): string => readFileSync(join(stage.engine.folder, log), 'utf8').slice(-3_000);
  const exit = (of: ChildProcess): Promise<unknown> =>
    of.exitCode !== null ? Promise.resolve() : new Promise((resolve) => of.once('exit', resolve));
  return {
    said,
    ask: (message: string) =>
      new Promise<Record<string, unknown>>((resolve) => {
        child.once('message', (answer) => resolve(answer as Record<string, unknown>));
        child.send(message);
      }),
    async replace() {
      const old = child;
      child = stage.enter(command, log);
      const gone = exit(old);
      await until(() => old.exitCode !== null, 30_000, said);
      await gone;
    },
    async stop() {
      const gone = exit(child);
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await gone;
      clearTimeout(timer);
    },
  };
}

async function measureStep(stage: Stage, step: Step, requests: number, proxy: Running): Promise<StepReport> {
  const load = startLoadProcess(stage.enter, { host: '127.0.0.1', port: PORT, name: 'whoami' });
  await until(() => load.requests() > requests / 20, 60_000);
  await step.act(proxy);
  await until(() => load.requests() >= requests, 300_000);
  return { ...(await load.stop()), step: step.name, kills: step.kills === true };
}

/** Whether the proxy knows the service: asked from inside, as nobody else reaches it. */
function answers(stage: Stage): Promise<boolean> {
  return new Promise((resolve) => {
    const child = stage.enter(
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
