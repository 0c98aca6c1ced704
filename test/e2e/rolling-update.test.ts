import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, NO_DOCKER, startEngine } from '../../scripts/swarm/engine.ts';
import { host, measure, type StepReport } from '../../scripts/swarm/measure.ts';
import type { Stage } from '../../scripts/swarm/stage.ts';
import { setUpSwarm } from '../../scripts/swarm/stage-swarm.ts';

/** Of each step; fewer only to look at something else. */
const REQUESTS = Number(process.env.REQUESTS ?? 20_000);
const CLIENTS = 16;

describe.skipIf(NO_DOCKER !== undefined)(`a Swarm under load${NO_DOCKER === undefined ? '' : ` (skipped: ${NO_DOCKER})`}`, () => {
  let engine: Engine;
  let stage: Stage;
  beforeAll(async () => {
    engine = await startEngine();
    stage = await setUpSwarm(engine);
  });
  afterAll(() => engine?.remove(), 60_000);

  const print = (name: string, reports: readonly StepReport[]): void => {
    for (const { step, requests, failed, failures } of reports) {
      console.log(`${name}: ${step}: ${requests} requests, ${failed} failed ${failed > 0 ? JSON.stringify(failures) : ''}`);
    }
  };

  it('loses no request but those that a killed container was answering', async () => {
    const reports = await measure(stage, host(engine.folder), REQUESTS);
    print('edgeway', reports);
    for (const { step, requests, failed, failures, kills } of reports) {
      expect(requests).toBeGreaterThanOrEqual(REQUESTS);
      if (kills) expect(failed, JSON.stringify(failures)).toBeLessThanOrEqual(CLIENTS);
      else expect(failures, step).toEqual({});
    }
  }, 600_000);

  it.skipIf(!process.env.TRAEFIK)(
    'is measured with Traefik beside (TRAEFIK)',
    async () => {
      const reports = await measure(stage, { name: 'traefik', command: [process.env.TRAEFIK!] }, REQUESTS);
      print('traefik', reports);
      expect(reports).toHaveLength(stage.steps.length);
    },
    600_000,
  );
});
