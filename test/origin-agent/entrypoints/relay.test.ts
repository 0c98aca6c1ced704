import { Agent, request } from 'node:http';
import { expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import { listenRelay } from '../../../src/origin-agent/entrypoints/relay.ts';
import { createTestPlatform } from '../../support/platform.ts';

it('goes on answering for two seconds when it stops, so that Workers hear of it on connections that they have', async () => {
  const { clock, log, advance } = createTestPlatform();
  let draining = false;
  const listener = await listenRelay(
    { address: '127.0.0.1:0' },
    { handler: async () => textResponse(draining ? 503 : 200, ''), clock, log, reusePort: false },
  );
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (agent: Agent | false = kept): Promise<number | string> =>
    new Promise((resolve) => {
      const outgoing = request({ host: '127.0.0.1', port: listener.port, agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode!));
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code!)).end();
    });
  expect(await ask()).toBe(200);
  draining = true;
  listener.drain();
  let empty = false;
  const whenEmpty = listener.whenEmpty().then(() => (empty = true));
  expect(await ask()).toBe(503);
  expect(await ask()).toBe(503);
  expect(await ask(false)).toBe(503);
  expect(empty).toBe(false);
  advance(2_000);
  await whenEmpty;
  expect(await ask(false)).toBe('ECONNREFUSED');
  kept.destroy();
});

it('has nobody to tell when a successor has its place already', async () => {
  const { clock, log } = createTestPlatform();
  const listener = await listenRelay(
    { address: '127.0.0.1:0' },
    { handler: async () => textResponse(200, ''), clock, log, reusePort: false },
  );
  listener.leave();
  listener.drain();
  await listener.whenEmpty();
  expect(listener.open()).toBe(0);
});
