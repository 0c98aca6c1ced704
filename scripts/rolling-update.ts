import { fileURLToPath } from 'node:url';
import { NO_DOCKER, startEngine } from './swarm/engine.ts';
import { measure, type StepReport, type Subject } from './swarm/measure.ts';
import { setUpContainers } from './swarm/stage-docker.ts';
import { setUpSwarm } from './swarm/stage-swarm.ts';

/**
 * The promise, measured: servers are updated, scaled and hurt while clients ask, and failed requests are counted. Runs against our
 * agent, and against Traefik where TRAEFIK names its binary. REQUESTS for each step (20,000); STEP picks steps by a part of the name.
 */
const requests = Number(process.env.REQUESTS ?? 20_000);
const subjects: Subject[] = [{ name: 'edgeway', command: [fileURLToPath(new URL('../bin/edgeway', import.meta.url)), 'agent'] }];
if (process.env.TRAEFIK) subjects.push({ name: 'traefik', command: [process.env.TRAEFIK] });

function print(subject: Subject, { step, requests: count, failed, failures, seconds, servers }: StepReport): void {
  const kinds = Object.entries(failures).map(([kind, times]) => `${kind} ×${times}`);
  const how = failed > 0 ? ` (${kinds.join(', ')})` : '';
  const rate = Math.round(count / seconds);
  console.log(
    `${subject.name.padEnd(8)} ${step.padEnd(33)} ${String(count).padStart(7)} requests, ${String(failed).padStart(4)} failed${how}; ${rate}/s from ${Object.keys(servers).length} servers`,
  );
}

if (NO_DOCKER !== undefined) console.log(`rolling-update: skipped, ${NO_DOCKER}`);
else {
  for (const setUp of [setUpSwarm, setUpContainers]) {
    const engine = await startEngine();
    try {
      const stage = await setUp(engine);
      const steps = stage.steps.filter(({ name }) => name.includes(process.env.STEP ?? ''));
      for (const subject of steps.length === 0 ? [] : subjects) {
        for (const report of await measure(stage, subject, steps, requests)) {
          print(subject, report);
          if (subject.name === 'edgeway' && report.failed > 0 && !report.kills) process.exitCode = 1;
        }
      }
    } finally {
      await engine.remove();
    }
  }
}
