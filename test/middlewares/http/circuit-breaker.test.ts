import { expect, it } from 'vitest';
import { createStreamBody, textResponse, tooLarge } from '../../../src/base/body.ts';
import { createLocalCells } from '../../../src/base/cells.ts';
import { HeaderList, type ProxyResponse } from '../../../src/base/message.ts';
import { circuitBreaker } from '../../../src/middlewares/http/circuit-breaker.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { build, makeRequest, refusal } from '../../support/middleware-harness.ts';

const CODES = 'ResponseCodeRatio(500, 600, 0, 600) > 0.30';

/** A breaker before a server whose next answers a test sets. */
function make(options: object, clock = createManualClock(), cells = createLocalCells()) {
  const plan = { status: 200, latencyMs: 0 };
  const server = async () => {
    const { status, latencyMs } = plan;
    if (latencyMs > 0) await clock.advance(latencyMs);
    return textResponse(status, `own ${status}`);
  };
  const { ask, seen } = build(circuitBreaker, options, { server, clock, cells });
  const answer = async (status = 200, latencyMs = 0) => {
    Object.assign(plan, { status, latencyMs });
    const before = seen.length;
    const { status: got, body } = await ask();
    return `${got} ${body}${seen.length === before ? ' (spared)' : ''}`;
  };
  return { answer, clock, cells };
}

it('opens on response codes, stays open, and recovers', async () => {
  const { answer, clock } = make({ expression: CODES });
  expect(await answer(500)).toBe('500 own 500');
  expect(await answer()).toBe('503 Service Unavailable (spared)');
  await clock.advance(9_999);
  expect(await answer()).toBe('503 Service Unavailable (spared)');
  await clock.advance(1);
  // Recovering: at first nobody passes, then up to half of them.
  let passed = 0;
  for (let i = 0; i < 100; i++) {
    if ((await answer()).startsWith('200')) passed++;
    await clock.advance(100);
  }
  expect(passed).toBeGreaterThan(40);
  expect(passed).toBeLessThan(50);
  await clock.advance(1);
  for (let i = 0; i < 5; i++) expect(await answer()).toBe('200 own 200');
});

it('lets through while recovering what Traefik’s ramp lets through', async () => {
  const { answer, clock } = make({ expression: CODES, fallbackDuration: '1s', recoveryDuration: '10s' });
  await answer(500);
  await clock.advance(1_000);
  const pattern: string[] = [];
  for (let i = 0; i < 20; i++) {
    pattern.push((await answer()).startsWith('200') ? 'x' : '.');
    await clock.advance(500);
  }
  expect(pattern.join('')).toBe('......x..x.x.xx.xxxx');
});

it('opens again when the server still fails', async () => {
  const { answer, clock } = make({ expression: CODES, fallbackDuration: '1s', recoveryDuration: '2s' });
  await answer(500);
  await clock.advance(1_000);
  let tries = 0;
  while (!(await answer(500)).startsWith('500')) {
    tries++;
    await clock.advance(100);
  }
  expect(tries).toBeGreaterThan(0);
  await clock.advance(999);
  expect(await answer()).toContain('spared');
});

it.each<[string, [number, number?][], boolean]>([
  [CODES, [[200], [200], [200], [500]], false],
  [CODES, [[200], [200], [500]], true],
  ['ResponseCodeRatio(400, 500, 400, 600) > 0.50', [[500], [404]], false],
  ['ResponseCodeRatio(400, 500, 400, 600) > 0.49', [[500], [404]], true],
  ['ResponseCodeRatio(0, 0, 0, 0) > 0.0', [[500]], false],
  ['NetworkErrorRatio() > 0.10', [[500], [503]], false],
  ['NetworkErrorRatio() > 0.10', [[502]], true],
  ['NetworkErrorRatio() >= 0.5', [[200], [504]], true],
  ['LatencyAtQuantileMS(50.0) > 100', [[200, 100]], false],
  ['LatencyAtQuantileMS(50.0) > 100', [[200, 101]], true],
  ['LatencyAtQuantileMS(50.0) > 100 && NetworkErrorRatio() > 0.1', [[200, 200]], false],
  ['LatencyAtQuantileMS(50.0) > 100 || NetworkErrorRatio() > 0.1', [[502, 1]], true],
])('%s after %j opens: %s', async (expression, answers, opens) => {
  const { answer, clock } = make({ expression, checkPeriod: '1ms' });
  for (const [status, latency] of answers) {
    expect(await answer(status, latency)).toBe(`${status} own ${status}`);
    await clock.advance(2);
  }
  expect((await answer()).includes('spared')).toBe(opens);
});

it('looks at the expression once a period', async () => {
  const { answer, clock } = make({ expression: CODES, checkPeriod: '1s' });
  await answer(200);
  await answer(500);
  expect(await answer(500)).toBe('500 own 500');
  await clock.advance(1_001);
  expect(await answer(500)).toBe('500 own 500');
  expect(await answer(500)).toContain('spared');
});

it('answers with responseCode and its text', async () => {
  const { answer } = make({ expression: CODES, responseCode: 418 });
  await answer(500);
  expect(await answer()).toBe("418 I'm a teapot (spared)");
});

it('shares its state through cells, and begins anew with another expression', async () => {
  const { answer, clock, cells } = make({ expression: CODES });
  await answer(500);
  expect(await make({ expression: CODES }, clock, cells).answer()).toContain('spared');
  expect(await make({ expression: 'NetworkErrorRatio() > 0.5' }, clock, cells).answer()).toBe('200 own 200');
});

it('measures until the body is over', async () => {
  const clock = createManualClock();
  async function* slowly() {
    yield new Uint8Array(1);
    await clock.advance(500);
  }
  const server = async (): Promise<ProxyResponse> => ({ status: 200, headers: new HeaderList(), body: createStreamBody(slowly()) });
  const { ask } = build(circuitBreaker, { expression: 'LatencyAtQuantileMS(50.0) > 400' }, { clock, server });
  expect((await ask()).status).toBe(200);
  expect((await ask()).status).toBe(503);
});

it.each([
  [new Error('bug'), 503],
  [tooLarge(1), 'rejects'],
])('counts %s as what it becomes', async (error, expected) => {
  const server = async () => {
    throw error;
  };
  const { run } = build(circuitBreaker, { expression: CODES }, { server });
  await expect(run(makeRequest())).rejects.toBe(error);
  const second = run(makeRequest()).then(
    ({ status }) => status,
    () => 'rejects',
  );
  expect(await second).toBe(expected);
});

it.each([
  [{}, "'expression' is empty; write when the circuit opens, as NetworkErrorRatio() > 0.30"],
  [
    { expression: 'Nope() > 1' },
    `'expression' "Nope() > 1": there is no function 'Nope'; known are NetworkErrorRatio(), ResponseCodeRatio(), LatencyAtQuantileMS()`,
  ],
  [{ expression: 'NetworkErrorRatio()' }, `'expression' "NetworkErrorRatio()": a value alone is no condition; compare it, as > 0.30`],
])('refuses %j', (options, message) => {
  expect(refusal(circuitBreaker, options)).toBe(message);
});
