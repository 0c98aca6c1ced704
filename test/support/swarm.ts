import { afterAll, beforeAll } from 'vitest';
import { type Engine, NO_DOCKER, startEngine } from '../../scripts/swarm/engine.ts';
import type { Stage } from '../../scripts/swarm/stage.ts';
import { setUpSwarm } from '../../scripts/swarm/stage-swarm.ts';
import { describeUnless } from './describe-unless.ts';

/** Tests with a Swarm that is there while they run; skipped, with the reason in their name, where Docker cannot be had. */
export function describeSwarm(name: string, tests: (swarm: () => { engine: Engine; stage: Stage }) => void): void {
  describeUnless(NO_DOCKER, name, () => {
    let engine: Engine;
    let stage: Stage;
    beforeAll(async () => {
      engine = await startEngine();
      stage = await setUpSwarm(engine);
    });
    afterAll(() => engine?.remove(), 60_000);
    tests(() => ({ engine, stage }));
  });
}
