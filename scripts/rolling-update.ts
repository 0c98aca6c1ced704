import { fileURLToPath } from 'node:url';
import { NO_DOCKER } from './swarm/engine.ts';
import { measure, STEPS, type StepReport, type Subject, startSwarm } from './swarm/measure.ts';

/**
 * The promise, measured: a Swarm service is updated, scaled and hurt while clients ask, and failed requests are counted. Runs
 * against our agent, and against Traefik where TRAEFIK names its binary. `REQUESTS` per step (20,000), `STEP` picks steps by name.
 */
const requests = Number(process.env.REQUESTS ?? 20_000);
const steps = STEPS.filter(({ name }) => name.includes(process.env.STEP ?? ''));
const subjects: Subject[] = [{ name: 'edgeway', command: [fileURLToPath(new URL('../bin/edgeway', import.meta.url)), 'agent'] }];
if (process.env.TRAEFIK) subjects.push({ name: 'traefik', command: [process.env.TRAEFIK] });

const describeFailures = ({ failures }: StepReport): string =>
  Object.entries(failures)
    .map(([kind, count]) => `${kind} ×${count}`)
    .join(', ');

if (NO_DOCKER !== undefined) {
  console.log(`rolling-update: skipped, ${NO_DOCKER}`);
} else {
  const swarm = await startSwarm();
  try {
    for (const subject of subjects) {
      for (const report of await measure(swarm, subject, steps, requests)) {
        const { step, requests: count, failed, seconds, servers, kills } = report;
        const rate = Math.round(count / seconds);
        console.log(
          `${subject.name.padEnd(8)} ${step.padEnd(20)} ${String(count).padStart(7)} requests, ${String(failed).padStart(5)} failed` +
            `${failed > 0 ? ` (${describeFailures(report)})` : ''}; ${rate}/s from ${Object.keys(servers).length} servers`,
        );
        if (subject.name === 'edgeway' && failed > 0 && !kills) process.exitCode = 1;
      }
    }
  } finally {
    await swarm.remove();
  }
}
