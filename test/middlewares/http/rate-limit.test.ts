import { expect, it } from 'vitest';
import { createLocalCells } from '../../../src/base/cells.ts';
import { Cancellation } from '../../../src/base/message.ts';
import { rateLimit } from '../../../src/middlewares/http/rate-limit.ts';
import type { MiddlewarePlatform } from '../../../src/middlewares/middleware.ts';
import { createManualClock, settle } from '../../support/manual-clock.ts';
import { type Ask, build, makeRequest, refusal } from '../../support/middleware-harness.ts';

const slow = { average: 1, period: '1h' };

it('lets a burst pass, then answers 429 with the time to wait', async () => {
  const { ask } = build(rateLimit, { average: 1, period: '60s', burst: 3 });
  for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(200);
  const answer = await ask();
  expect(answer).toMatchObject({
    status: 429,
    headers: [
      ['Retry-After', '60'],
      ['X-Retry-In', '1m0s'],
      ['Content-Length', '17'],
    ],
    body: 'Too Many Requests',
  });
});

it('holds back a request that need not wait long', async () => {
  const clock = createManualClock();
  const { ask, seen } = build(rateLimit, { average: 10 }, { clock });
  await ask();
  await clock.advance(60);
  const held = ask();
  await settle();
  expect(seen).toHaveLength(1);
  await clock.advance(39);
  expect(seen).toHaveLength(1);
  await clock.advance(1);
  expect((await held).status).toBe(200);
});

it.each([true, false])('stops waiting when the client goes away (before: %s)', async (before) => {
  const clock = createManualClock();
  const cancellation = new Cancellation();
  const { ask, run, seen } = build(rateLimit, { average: 10 }, { clock });
  await ask();
  await clock.advance(60);
  if (before) cancellation.cancel();
  const held = run({ ...makeRequest(), cancellation });
  await settle();
  cancellation.cancel();
  expect((await held).status).toBe(500);
  expect([seen.length, clock.waiting]).toEqual([1, 0]);
});

it.each<[string, object, Ask[], number[]]>([
  ['peers', slow, [{ clientAddress: '1.1.1.1' }, { clientAddress: '2.2.2.2' }, { clientAddress: '1.1.1.1' }], [200, 200, 429]],
  [
    'values of a field',
    { ...slow, sourceCriterion: { requestHeaderName: 'X-Key' } },
    [{ headers: [['X-Key', 'a']] }, { headers: [['X-Key', 'b']] }, { headers: [['X-Key', 'a']] }, {}, {}],
    [200, 200, 429, 200, 429],
  ],
  [
    'hosts with their ports',
    { ...slow, sourceCriterion: { requestHost: true } },
    [{ host: 'a' }, { host: 'a:81' }, { host: 'b' }, { host: 'a' }],
    [200, 200, 200, 429],
  ],
  [
    'IPv6 networks',
    { ...slow, sourceCriterion: { ipStrategy: { depth: 1, ipv6Subnet: 64 } } },
    ['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'].map((address) => ({ headers: [['X-Forwarded-For', address]] as [string, string][] })),
    [200, 429, 200],
  ],
])('tells %s apart', async (_, options, requests, statuses) => {
  const { ask } = build(rateLimit, options);
  const answers: number[] = [];
  for (const request of requests) answers.push((await ask(request)).status);
  expect(answers).toEqual(statuses);
});

it.each([
  ['no average', {}, 5],
  ['average 0', { average: 0, burst: 1 }, 5],
  ['a negative average', { average: -1 }, 5],
  ['burst 0, which counts as 1', { average: 1, period: '1h', burst: 0 }, 1],
  ['period 0, which counts as 1s', { average: 1, period: 0 }, 1],
])('%s lets %#', async (_, options, expected) => {
  const { ask } = build(rateLimit, { ...options, sourceCriterion: { requestHost: true } });
  let passed = 0;
  for (let i = 0; i < 5; i++) if ((await ask()).status === 200) passed++;
  expect(passed).toBe(expected);
});

it('counts across instances with the same cells', async () => {
  const sharedCells = createLocalCells();
  expect((await build(rateLimit, slow, { sharedCells }).ask()).status).toBe(200);
  expect((await build(rateLimit, slow, { sharedCells }).ask()).status).toBe(429);
});

it('asks Redis with the key that Traefik uses', async () => {
  const asked: unknown[] = [];
  const platform = {
    redis: (options: object) => ({
      evaluate: async (_: string, keys: readonly string[], args: readonly (string | number)[]) => {
        asked.push(options, keys, args);
        return '2000000';
      },
    }),
  };
  const answer = await build(rateLimit, { average: 10, burst: 5, redis: { endpoints: ['r:1'] } }, { platform }).ask({
    clientAddress: '1.1.1.1',
  });
  expect(answer).toMatchObject({
    status: 429,
    headers: [
      ['Retry-After', '2'],
      ['X-Retry-In', '2s'],
      ['Content-Length', '17'],
    ],
  });
  expect(asked).toEqual([
    { endpoints: ['r:1'], readTimeout: 3000, writeTimeout: 3000, dialTimeout: 5000 },
    ['rate:m@file:1.1.1.1'],
    [1e-5, 5, 50_000, 2],
  ]);
});

it('answers 500 when Redis is away, and passes with average 0', async () => {
  const platform = {
    redis: () => ({
      evaluate: async () => {
        throw new Error('away');
      },
    }),
  };
  const redis = { endpoints: ['r:1'] };
  expect(await build(rateLimit, { average: 1, redis }, { platform }).ask()).toMatchObject({
    status: 500,
    body: 'Could not insert/update bucket\n',
  });
  expect((await build(rateLimit, { average: 0, redis }, { platform }).ask()).status).toBe(200);
});

const REDIS: MiddlewarePlatform = { redis: () => ({ evaluate: async () => 0 }) };
it.each<[object, string, MiddlewarePlatform?]>([
  [{ average: 1, period: '-1s' }, "'period' is -1s; write a time above zero, as 1s"],
  [{ average: 1, period: 'soon' }, "period 'soon' is no duration; write '10s', '1m30s' or a number of seconds"],
  [
    { average: 1, sourceCriterion: { requestHost: true, ipStrategy: { depth: 1 } } },
    "'sourceCriterion' has ipStrategy and requestHost; write only one of them",
  ],
  [{ average: 1, redis: { tls: { ca: 'nonsense' } } }, "'redis.tls.ca' is neither PEM nor a file that can be read", REDIS],
  [{ average: 1, redis: { tls: { key: 'x' } } }, "'redis.tls' has 'key' alone; write 'cert' and 'key'", REDIS],
  [{ average: 1, redis: { db: 1 } }, "'redis' is not available here; leave it out to count in memory"],
])('refuses %j: %s', (options, message, platform = {}) => {
  expect(refusal(rateLimit, options, { platform })).toBe(message);
});
