import { describe, expect, it } from 'vitest';
import { createStreamBody, textResponse } from '../../../src/base/body.ts';
import { decodeText, encodeText } from '../../../src/base/bytes.ts';
import { UpstreamError } from '../../../src/base/errors.ts';
import { Cancellation, finish, type ProxyRequest, type ProxyResponse, whenFinished } from '../../../src/base/message.ts';
import { retry } from '../../../src/middlewares/http/retry.ts';
import { createManualClock, settle } from '../../support/manual-clock.ts';
import { build, makeRequest, refusal } from '../../support/middleware-harness.ts';

const failed = (
  sent: boolean,
  code: 'upstream.refused' | 'upstream.unavailable' | 'upstream.aborted' = 'upstream.refused',
): ProxyResponse => ({
  ...textResponse(502, 'Bad Gateway'),
  failure: new UpstreamError(code, 'down', { sent }),
});

/** A server that answers one after the other; what it read of the bodies is in `bodies`. */
function make(options: object, answers: (() => ProxyResponse)[], context: object = {}, reads = true) {
  const bodies: (string | undefined)[] = [];
  const trials: ProxyRequest[] = [];
  const server = async (request: ProxyRequest): Promise<ProxyResponse> => {
    trials.push(request);
    const answer = answers[Math.min(trials.length, answers.length) - 1]!();
    if (reads && answer.failure?.sent !== false) bodies.push(request.body && decodeText(await request.body.bytes(1e6)));
    request.headers.set('X-Changed', '1');
    return answer;
  };
  return { bodies, trials, ...build(retry, options, { server, ...context }) };
}

const ok = () => textResponse(200, 'ok');
const busy = () => textResponse(503, 'busy');

describe('by network error', () => {
  it.each<[string, object, string, (() => ProxyResponse)[], number, number]>([
    ['a refused connection', { attempts: 3 }, 'GET', [() => failed(false), ok], 200, 2],
    ['a refused connection of a POST', { attempts: 3 }, 'POST', [() => failed(false), ok], 200, 2],
    ['only refused connections', { attempts: 3 }, 'GET', [() => failed(false)], 502, 3],
    ['a connection that broke', { attempts: 3 }, 'GET', [() => failed(true), ok], 502, 1],
    ['a service without servers', { attempts: 3 }, 'GET', [() => failed(false, 'upstream.unavailable'), ok], 502, 1],
    ['a client that went', { attempts: 3 }, 'GET', [() => failed(false, 'upstream.aborted'), ok], 502, 1],
    ['an answer', { attempts: 3 }, 'GET', [busy, ok], 503, 1],
    ['one attempt', { attempts: 1 }, 'GET', [() => failed(false), ok], 502, 1],
    ['status only', { attempts: 3, status: ['500'], disableRetryOnNetworkError: true }, 'GET', [() => failed(false), ok], 502, 1],
  ])('%s', async (_, options, method, answers, status, tries) => {
    const { ask, trials } = make(options, answers);
    expect((await ask({ method })).status).toBe(status);
    expect(trials).toHaveLength(tries);
  });

  it('passes the body on untouched, which nobody has opened', async () => {
    const { run, trials } = make({ attempts: 2 }, [() => failed(false), ok], {}, false);
    const request = makeRequest({ method: 'POST', body: 'x' });
    await run(request);
    expect(trials.map(({ body }) => body)).toEqual([request.body, request.body]);
  });

  it('gives every try its own headers', async () => {
    const { ask, trials } = make({ attempts: 3 }, [() => failed(false), () => failed(false), ok]);
    await ask({ headers: [['X-A', '1']] });
    expect(trials.map(({ headers }) => headers.raw)).toEqual(Array(3).fill(['X-A', '1', 'X-Changed', '1']));
  });
});

describe('by status', () => {
  const options = { attempts: 3, status: ['502-503'] };
  it.each<[string, object, string, (() => ProxyResponse)[], number, number]>([
    ['until it is another', options, 'GET', [busy, () => textResponse(502, ''), ok], 200, 3],
    ['giving the last answer', options, 'GET', [busy], 503, 3],
    ['a connection that broke', options, 'GET', [() => failed(true), ok], 200, 2],
    ['not what is not listed', options, 'GET', [() => textResponse(500, ''), ok], 500, 1],
    ['not POST', options, 'POST', [busy, ok], 503, 1],
    ['not PATCH', options, 'PATCH', [busy, ok], 503, 1],
    ['not LOCK', options, 'LOCK', [busy, ok], 503, 1],
    ['PUT', options, 'PUT', [busy, ok], 200, 2],
    ['POST where that is allowed', { ...options, retryNonIdempotentMethod: true }, 'POST', [busy, ok], 200, 2],
  ])('%s', async (_, settings, method, answers, status, tries) => {
    const { ask, trials, bodies } = make(settings, answers);
    expect((await ask({ method, body: 'data' })).status).toBe(status);
    expect(trials).toHaveLength(tries);
    expect(bodies).toEqual(Array(tries).fill('data'));
  });

  it.each([
    [4, 'data', 2],
    [3, 'data', 1],
    [0, 'data', 1],
    [0, undefined, 2],
    [-1, 'data', 2],
  ])('with maxRequestBodyBytes %i a body of %s is sent %i times', async (maxRequestBodyBytes, body, tries) => {
    const { ask, bodies } = make({ ...options, maxRequestBodyBytes }, [busy, ok]);
    await ask({ method: 'PUT', body });
    expect(bodies).toEqual(Array(tries).fill(body));
  });

  it.each([
    [5, 2],
    [4, 1],
    [1, 1],
  ])('with maxRequestBodyBytes %i a body of unknown length is sent whole, %i times', async (maxRequestBodyBytes, tries) => {
    async function* chunks() {
      yield encodeText('ab');
      yield encodeText('cd');
      yield encodeText('e');
    }
    const { run, bodies } = make({ ...options, maxRequestBodyBytes }, [busy, ok]);
    await run({ ...makeRequest({ method: 'PUT' }), body: createStreamBody(chunks()) });
    expect(bodies).toEqual(Array(tries).fill('abcde'));
  });

  it('throws the other answers away', async () => {
    let discarded = 0;
    const { ask } = make(options, [
      () => {
        const answer = busy();
        answer.body!.discard = () => void discarded++;
        return answer;
      },
      ok,
    ]);
    await ask();
    expect(discarded).toBe(1);
  });
});

it('counts the tries for the log', async () => {
  const { run } = make({ attempts: 4, status: ['503'] }, [busy, busy, ok]);
  const request = makeRequest();
  await run(request);
  expect(request.facts.retryAttempts).toBe(2);
});

it('ends each try that is thrown away before the next begins', async () => {
  const events: string[] = [];
  let count = 0;
  const server = async ({ facts }: ProxyRequest) => {
    const name = String(++count);
    events.push(`begin ${name}`);
    whenFinished(facts, () => events.push(`end ${name}`));
    return count < 3 ? busy() : ok();
  };
  const request = makeRequest();
  whenFinished(request.facts, () => events.push('end of all'));
  await build(retry, { attempts: 3, status: ['503'] }, { server }).run(request);
  expect(events).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3']);
  finish(request.facts);
  expect(events.slice(5)).toEqual(['end of all', 'end 3']);
});

it('lets only the last try send interim answers', async () => {
  const { run, trials } = make({ attempts: 2, status: ['503'] }, [busy, ok]);
  const interim = () => {};
  await run({ ...makeRequest(), interim });
  expect(trials.map((trial) => trial.interim)).toEqual([undefined, interim]);
});

describe('waiting', () => {
  it('grows to twice the interval over all tries', async () => {
    const clock = createManualClock();
    const { ask, trials } = make({ attempts: 5, initialInterval: '100ms', status: ['503'] }, [busy], { clock, random: () => 0.5 });
    const answer = ask();
    const times: number[] = [];
    for (let at = 0; at <= 1000; at++) {
      await clock.advance(at === 0 ? 0 : 1);
      if (trials.length > times.length) times.push(at);
    }
    expect(times).toEqual([0, 100, 219, 361, 529]);
    expect((await answer).status).toBe(503);
  });

  it.each([
    [0, 50],
    [0.999, 149],
  ])('differs by chance: with %f it is %i ms', async (random, expected) => {
    const clock = createManualClock();
    const { ask, trials } = make({ attempts: 2, initialInterval: '100ms', status: ['503'] }, [busy], { clock, random: () => random });
    const answer = ask();
    await clock.advance(expected - 1);
    expect(trials).toHaveLength(1);
    await clock.advance(2);
    expect(trials).toHaveLength(2);
    await answer;
  });

  it('goes on for as long as attempts are left', async () => {
    const clock = createManualClock();
    const { ask, trials } = make({ attempts: 4, initialInterval: '10m', status: ['503'] }, [busy], { clock });
    const answer = ask();
    await clock.advance(60 * 60_000);
    expect((await answer).status).toBe(503);
    expect(trials).toHaveLength(4);
  });

  it('ends with the client', async () => {
    const clock = createManualClock();
    const { run } = make({ attempts: 2, initialInterval: '1s', status: ['503'] }, [busy], { clock });
    const cancellation = new Cancellation();
    const answer = run({ ...makeRequest(), cancellation });
    await settle();
    cancellation.cancel();
    await expect(answer).rejects.toMatchObject({ code: 'upstream.aborted' });
    expect(clock.waiting).toBe(0);
  });
});

it.each([
  [0, 3],
  [1, 3],
  [250, 2],
  [100, 1],
])('with a timeout of %i ms tries %i times', async (timeout, tries) => {
  const clock = createManualClock();
  let count = 0;
  const server = async () => {
    count++;
    await clock.advance(timeout === 1 ? 0 : 150);
    return busy();
  };
  await build(retry, { attempts: 3, status: ['503'], timeout: `${timeout}ms` }, { clock, server }).ask();
  expect(count).toBe(tries);
});

it.each([
  [{ status: ['500'] }, "'attempts' is 0; write how often a request is tried at most, as 3"],
  [{ attempts: -1 }, "'attempts' is -1; write how often a request is tried at most, as 3"],
  [{ attempts: 3, disableRetryOnNetworkError: true }, "nothing is left to try again: with 'disableRetryOnNetworkError' write 'status' too"],
  [{ attempts: 3, status: ['5xx'] }, "'5xx' in 'status' is no status and no range of statuses; write 404 or 500-599"],
])('refuses %j', (options, message) => {
  expect(refusal(retry, options)).toBe(message);
});
