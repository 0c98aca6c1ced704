import { expect, it } from 'vitest';
import { createLocalCells } from '../../../src/base/cells.ts';
import { finish, HeaderList } from '../../../src/base/message.ts';
import { inFlightReq } from '../../../src/middlewares/http/in-flight-req.ts';
import { build, makeRequest, refusal } from '../../support/middleware-harness.ts';

const ok = async () => ({ status: 200, headers: new HeaderList(), body: undefined });

it('counts a request until its answer has left', async () => {
  const { run } = build(inFlightReq, { amount: 1 }, { server: ok });
  const first = makeRequest();
  expect((await run(first)).status).toBe(200);
  const refused = await run(makeRequest());
  expect([refused.status, refused.headers.raw, await refused.body!.bytes(99)]).toEqual([
    429,
    ['Content-Length', '26'],
    new TextEncoder().encode('max connections reached: 1'),
  ]);
  finish(first.facts);
  expect((await run(makeRequest())).status).toBe(200);
});

it('frees the place also when the server fails', async () => {
  const { run } = build(inFlightReq, { amount: 1 }, { server: () => Promise.reject(new Error('down')) });
  for (let i = 0; i < 2; i++) {
    const request = makeRequest();
    await expect(run(request)).rejects.toThrow('down');
    finish(request.facts);
  }
});

it('groups by host by default, or by what sourceCriterion says', async () => {
  const byHost = build(inFlightReq, { amount: 1 }, { server: ok });
  expect((await byHost.run(makeRequest({ host: 'a' }))).status).toBe(200);
  expect((await byHost.run(makeRequest({ host: 'b' }))).status).toBe(200);
  expect((await byHost.run(makeRequest({ host: 'a' }))).status).toBe(429);
  const byHeader = build(inFlightReq, { amount: 1, sourceCriterion: { requestHeaderName: 'X-Who' } }, { server: ok });
  const who = (name: string) => makeRequest({ headers: [['X-Who', name]] });
  expect((await byHeader.run(who('a'))).status).toBe(200);
  expect((await byHeader.run(who('a'))).status).toBe(429);
  expect((await byHeader.run(who('b'))).status).toBe(200);
});

it('counts across instances with the same cells', async () => {
  const sharedCells = createLocalCells();
  const one = build(inFlightReq, { amount: 1 }, { sharedCells, server: ok });
  const other = build(inFlightReq, { amount: 1 }, { sharedCells, server: ok });
  await one.run(makeRequest());
  expect((await other.run(makeRequest())).status).toBe(429);
});

it.each([[{}], [{ amount: 0 }]])('%j refuses all', async (options) => {
  const options2 = Object.keys(options).length === 0 ? { sourceCriterion: { requestHost: true } } : options;
  expect(await build(inFlightReq, options2).ask()).toMatchObject({ status: 429, body: 'max connections reached: 0' });
});

it.each([
  [{ amount: 5, sourceCriterion: { requestHost: true, requestHeaderName: 'X' } }, /write only one of them$/],
  [{ amount: 'many' }, /^amount 'many' is no whole number$/],
])('refuses %j', (options, message) => {
  expect(refusal(inFlightReq, options)).toMatch(message);
});
