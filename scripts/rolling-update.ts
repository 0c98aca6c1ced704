import { NO_DOCKER, startEngine } from './swarm/engine.ts';
import { edge, host, measure, type StepReport, type Subject } from './swarm/measure.ts';
import { measureReaction, quantile } from './swarm/reaction.ts';
import { setUpContainers } from './swarm/stage-docker.ts';
import { setUpSwarm } from './swarm/stage-swarm.ts';

/**
 * The promise, measured: servers are updated, scaled and hurt, agents are restarted and replaced, while clients ask, and failed requests
 * are counted. Runs against our agent, against Traefik where TRAEFIK names its binary, and (EDGE=1) through the Worker with two agents.
 * REQUESTS for each step (20,000); STEP picks steps by a part of the name, SUBJECT one of edgeway, traefik, edge; the
 * step `reaction` is the time from an event of the engine to the changed choice.
 */
const requests = Number(process.env.REQUESTS ?? 20_000);
const { TRAEFIK, EDGE, SUBJECT, STEP = '' } = process.env;
const subjects = (folder: string): Subject[] =>
  [host(folder), ...(!TRAEFIK ? [] : [{ name: 'traefik', command: [TRAEFIK] }]), ...(!EDGE ? [] : [edge(folder)])].filter(
    ({ name }) => SUBJECT === undefined || name === SUBJECT,
  );

function print(subject: Subject, { step, requests: count, failed, failures, seconds, servers, published }: StepReport): void {
  const kinds = Object.entries(failures).map(([kind, times]) => `${kind} ×${times}`);
  const how = failed > 0 ? ` (${kinds.join(', ')})` : '';
  const rate = Math.round(count / seconds);
  console.log(
    `${subject.name.padEnd(8)} ${step.padEnd(33)} ${String(count).padStart(7)} requests, ${String(failed).padStart(4)} failed${how}; ${rate}/s from ${Object.keys(servers).length} servers${published === undefined ? '' : published ? '; KV was written' : '; nothing written to KV'}`,
  );
}

if (NO_DOCKER !== undefined) console.log(`rolling-update: skipped, ${NO_DOCKER}`);
else {
  for (const setUp of [setUpSwarm, setUpContainers]) {
    const engine = await startEngine();
    try {
      const stage = await setUp(engine);
      for (const subject of subjects(engine.folder)) {
        for (const report of await measure(stage, subject, requests, ({ name }) => name.includes(STEP))) {
          print(subject, report);
          if (subject.name !== 'traefik' && report.failed > 0 && !report.kills) process.exitCode = 1;
        }
      }
      if (setUp === setUpContainers && 'reaction'.includes(STEP)) {
        const times = await measureReaction(engine, 100);
        console.log(
          `edgeway  event to choice in all threads: p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`,
        );
      }
    } finally {
      await engine.remove();
    }
  }
}
