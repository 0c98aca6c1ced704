import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './engine.ts';
import { type LoadReport, startLoadProcess } from './load.ts';
import type { Stage, Step } from './stage.ts';

/** A proxy that is driven through the steps: a command of Traefik's flags. */
export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
}

export interface StepReport extends LoadReport {
  readonly step: string;
  readonly kills: boolean;
}

const PORT = 8_000;

/** Drives one proxy through the steps, each with at least so many requests. */
export async function measure(stage: Stage, subject: Subject, steps: readonly Step[], requests: number): Promise<StepReport[]> {
  const flags = [`--entryPoints.web.address=:${PORT}`, '--log.level=INFO', ...stage.flags];
  const log = `${subject.name}.log`;
  await stage.reset();
  const proxy = stage.enter([...subject.command, ...flags], log);
  try {
    await until(
      () => answers(stage),
      30_000,
      () => readFileSync(join(stage.engine.folder, log), 'utf8').slice(-3_000),
    );
    const reports: StepReport[] = [];
    for (const step of steps) reports.push(await measureStep(stage, step, requests));
    return reports;
  } finally {
    const gone = new Promise((resolve) => proxy.once('exit', resolve));
    proxy.kill('SIGTERM');
    const timer = setTimeout(() => proxy.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(timer);
  }
}

async function measureStep(stage: Stage, step: Step, requests: number): Promise<StepReport> {
  const load = startLoadProcess(stage.enter, { host: '127.0.0.1', port: PORT, name: 'whoami' });
  await until(() => load.requests() > requests / 20, 60_000);
  await step.act();
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
