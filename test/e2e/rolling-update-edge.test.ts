import { expect, it } from 'vitest';
import { edge, measure } from '../../scripts/swarm/measure.ts';
import { describeSwarm } from '../support/swarm.ts';

/** Of each step; `scripts/rolling-update.ts` with EDGE=1 sends 20,000. */
const REQUESTS = Number(process.env.REQUESTS ?? 1_000);

describeSwarm('the edge under load', (swarm) => {
  it('loses no request while servers and agents are replaced, and nothing is published meanwhile', async () => {
    const { engine, stage } = swarm();
    const reports = await measure(stage, edge(engine.folder), REQUESTS, ({ name }) => /stop-first|restart/.test(name));
    for (const { step, requests, failed } of reports) console.log(`edge: ${step}: ${requests} requests, ${failed} failed`);
    expect(reports.map(({ step }) => step)).toEqual(['service update, stop-first', 'agents restart, one by one']);
    for (const { step, failures, published } of reports)
      expect({ step, failures, published }).toEqual({ step, failures: {}, published: false });
  }, 300_000);
});
