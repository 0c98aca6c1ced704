import { expect, it } from 'vitest';
import { host, measure, type StepReport } from '../../scripts/swarm/measure.ts';
import { describeSwarm } from '../support/swarm.ts';

/** Of each step; fewer only to look at something else. */
const REQUESTS = Number(process.env.REQUESTS ?? 20_000);
const CLIENTS = 16;

describeSwarm('a Swarm under load', (swarm) => {
  const print = (name: string, reports: readonly StepReport[]): void => {
    for (const { step, requests, failed, failures } of reports) {
      console.log(`${name}: ${step}: ${requests} requests, ${failed} failed ${failed > 0 ? JSON.stringify(failures) : ''}`);
    }
  };

  it('loses no request but those that a killed container was answering', async () => {
    const { engine, stage } = swarm();
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
      const { stage } = swarm();
      const reports = await measure(stage, { name: 'traefik', command: [process.env.TRAEFIK!] }, REQUESTS);
      print('traefik', reports);
      expect(reports).toHaveLength(stage.steps.length);
    },
    600_000,
  );
});
