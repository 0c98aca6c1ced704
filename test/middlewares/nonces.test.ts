import { expect, it } from 'vitest';
import { createNonces } from '../../src/middlewares/nonces.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createContext } from '../support/middleware-harness.ts';

const make = (secret = 's', clock = createManualClock()) => createNonces(secret, createContext({ clock, random: Math.random }));

it('takes rising counts, calls a repeated one wrong and a late one stale', () => {
  const nonces = make();
  const nonce = nonces.create();
  expect([3, 4, 4, 2, 5].map((count) => nonces.use(nonce, count))).toEqual(['right', 'right', 'wrong', 'stale', 'right']);
});

it('takes what another instance with the same secret made, and nothing else', () => {
  const clock = createManualClock();
  const [one, twin, stranger] = [make('s', clock), make('s', clock), make('t', clock)];
  expect(twin.opaque).toBe(one.opaque);
  expect(twin.use(one.create(), 1)).toBe('right');
  expect(stranger.use(one.create(), 1)).toBe('wrong');
  for (const made of ['', 'x', '.', `${clock.now().toString(36)}.x.`, one.create().replace(/.$/, '!')])
    expect(one.use(made, 1)).toBe('wrong');
});

it('calls a nonce stale after an hour', async () => {
  const clock = createManualClock();
  const nonces = make('s', clock);
  const nonce = nonces.create();
  await clock.advance(60 * 60_000);
  expect(nonces.use(nonce, 1)).toBe('right');
  await clock.advance(1);
  expect(nonces.use(nonce, 2)).toBe('stale');
});

it('makes different ones', () => {
  const nonces = make();
  expect(nonces.create()).not.toBe(nonces.create());
});
