import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, NO_DOCKER, startEngine } from '../../scripts/swarm/engine.ts';
import { measureReaction, quantile } from '../../scripts/swarm/reaction.ts';
import { describeUnless } from '../support/describe-unless.ts';

describeUnless(NO_DOCKER, 'from event to choice', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine?.remove(), 60_000);

  it('no data thread chooses a server soon after the engine signals it, not after the throttle of two seconds', async () => {
    const times = await measureReaction(engine, 8);
    console.log(`event to choice: p50 ${quantile(times, 0.5).toFixed(0)} ms, worst ${times.at(-1)!.toFixed(0)} ms`);
    // Of a machine that is busy with other suites; scripts/rolling-update.ts measures a quiet one.
    expect(quantile(times, 0.5)).toBeLessThan(500);
  }, 60_000);
});
