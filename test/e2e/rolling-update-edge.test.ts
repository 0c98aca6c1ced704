import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, NO_DOCKER, startEngine } from '../../scripts/swarm/engine.ts';
import { edge, measure } from '../../scripts/swarm/measure.ts';
import type { Stage } from '../../scripts/swarm/stage.ts';
import { setUpSwarm } from '../../scripts/swarm/stage-swarm.ts';

/** Of each step; `scripts/rolling-update.ts` with EDGE=1 sends 20,000. */
const REQUESTS = Number(process.env.REQUESTS ?? 1_000);

describe.skipIf(NO_DOCKER !== undefined)(`the edge under load${NO_DOCKER === undefined ? '' : ` (skipped: ${NO_DOCKER})`}`, () => {
  let engine: Engine;
  let stage: Stage;
  beforeAll(async () => {
    engine = await startEngine();
    stage = await setUpSwarm(engine);
  });
  afterAll(() => engine?.remove(), 60_000);

  it('loses no request while servers and agents are replaced, and nothing is published meanwhile', async () => {
    const reports = await measure(stage, edge(engine.folder), REQUESTS, ({ name }) => /stop-first|restart/.test(name));
    for (const { step, requests, failed } of reports) console.log(`edge: ${step}: ${requests} requests, ${failed} failed`);
    expect(reports.map(({ step }) => step)).toEqual(['service update, stop-first', 'agents restart, one by one']);
    for (const { step, failures, published } of reports)
      expect({ step, failures, published }).toEqual({ step, failures: {}, published: false });
  }, 300_000);
});
