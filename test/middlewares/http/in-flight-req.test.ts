import { expect, it } from 'vitest';
import { createStreamBody, textResponse } from '../../../src/base/body.ts';
import { createLocalCells } from '../../../src/base/cells.ts';
import { HeaderList } from '../../../src/base/message.ts';
import { inFlightReq } from '../../../src/middlewares/http/in-flight-req.ts';
import { build, makeRequest, refusal } from '../../support/middleware-harness.ts';

async function* twoChunks() {
  yield new Uint8Array(1);
  yield new Uint8Array(1);
}
const streaming = async () => ({ status: 200, headers: new HeaderList(), body: createStreamBody(twoChunks()) });

it('counts a request until its answer was read', async () => {
  const { run } = build(inFlightReq, { amount: 1 }, { server: streaming });
  const first = await run(makeRequest());
  const refused = await run(makeRequest());
  expect([refused.status, refused.headers.raw, await refused.body!.bytes(99)]).toEqual([
    429,
    ['Content-Length', '26'],
    new TextEncoder().encode('max connections reached: 1'),
  ]);
  const chunks = first.body!.chunks()[Symbol.asyncIterator]();
  await chunks.next();
  await chunks.next();
  expect((await run(makeRequest())).status).toBe(429);
  expect((await chunks.next()).done).toBe(true);
  expect((await run(makeRequest())).status).toBe(200);
});

it.each([
  ['discarded', async (run: ReturnType<typeof build>['run']) => (await run(makeRequest())).body!.discard()],
  [
    'broken off',
    async (run: ReturnType<typeof build>['run']) =>
      void (await (await run(makeRequest())).body!.chunks()[Symbol.asyncIterator]().return!()),
  ],
  ['read whole', async (run: ReturnType<typeof build>['run']) => void (await (await run(makeRequest())).body!.bytes(9))],
])('frees the place when the answer is %s', async (_, end) => {
  const { run } = build(inFlightReq, { amount: 1 }, { server: streaming });
  await end(run);
  expect((await run(makeRequest())).status).toBe(200);
});

it('frees the place when the server fails, has no body, or its tunnel closes', async () => {
  let close = (): void => {};
  const answers = [
    async () => {
      throw new Error('down');
    },
    async () => ({ status: 204, headers: new HeaderList(), body: undefined }),
    async () => ({
      status: 101,
      headers: new HeaderList(),
      body: undefined,
      tunnel: { onEnd: (callback: () => void) => void (close = callback) },
    }),
    async () => textResponse(200, 'last'),
  ];
  const { run } = build(inFlightReq, { amount: 1 }, { server: () => answers.shift()!() });
  await expect(run(makeRequest())).rejects.toThrow('down');
  expect((await run(makeRequest())).status).toBe(204);
  expect((await run(makeRequest())).status).toBe(101);
  expect((await run(makeRequest())).status).toBe(429);
  close();
  expect((await run(makeRequest())).status).toBe(200);
});

it('groups by host by default, or by what sourceCriterion says', async () => {
  const byHost = build(inFlightReq, { amount: 1 }, { server: streaming });
  expect((await byHost.run(makeRequest({ host: 'a' }))).status).toBe(200);
  expect((await byHost.run(makeRequest({ host: 'b' }))).status).toBe(200);
  expect((await byHost.run(makeRequest({ host: 'a' }))).status).toBe(429);
  const byHeader = build(inFlightReq, { amount: 1, sourceCriterion: { requestHeaderName: 'X-Who' } }, { server: streaming });
  const who = (name: string) => makeRequest({ headers: [['X-Who', name]] });
  expect((await byHeader.run(who('a'))).status).toBe(200);
  expect((await byHeader.run(who('a'))).status).toBe(429);
  expect((await byHeader.run(who('b'))).status).toBe(200);
});

it('counts across instances with the same cells', async () => {
  const cells = createLocalCells();
  const one = build(inFlightReq, { amount: 1 }, { cells, server: streaming });
  const other = build(inFlightReq, { amount: 1 }, { cells, server: streaming });
  await one.run(makeRequest());
  expect((await other.run(makeRequest())).status).toBe(429);
});

it.each([[{}], [{ amount: 0 }]])('%j refuses all', async (options) => {
  const options2 = Object.keys(options).length === 0 ? { sourceCriterion: { requestHost: true } } : options;
  expect(await build(inFlightReq, options2).ask()).toMatchObject({ status: 429, body: 'max connections reached: 0' });
});

it.each([
  [{ amount: 5, sourceCriterion: { requestHost: true, requestHeaderName: 'X' } }, /write only one of them$/],
  [{ amount: 'many' }, /^amount "many" is no whole number$/],
])('refuses %j', (options, message) => {
  expect(refusal(inFlightReq, options)).toMatch(message);
});
