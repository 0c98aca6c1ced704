import { expect, it } from 'vitest';
import { pollStore } from '../../../src/providers/clients/poll.ts';
import { createManualClock, settle } from '../../support/manual-clock.ts';
import { createMemoryStore } from '../../support/stores/memory-store.ts';

/** Looks every 2 s; `seen` counts what it yielded. */
function poll() {
  const { store, put } = createMemoryStore();
  const clock = createManualClock();
  const ending = new AbortController();
  let seen = 0;
  const done = (async () => {
    for await (const _ of pollStore(store.read, ['a/'], 2_000, clock, ending.signal)) seen++;
  })();
  const end = (): Promise<void> => {
    ending.abort();
    return done;
  };
  return { clock, put, seen: () => seen, end };
}

it('tells of the start, and of a change once it stands', async () => {
  const { clock, put, seen, end } = poll();
  await settle();
  expect(seen()).toBe(1);
  await clock.advance(10_000);
  expect(seen()).toBe(1);
  put('b/x', '1');
  await clock.advance(2_100);
  expect(seen()).toBe(1);
  for (let i = 0; i < 25; i++) {
    put('a/x', `${i}`);
    await clock.advance(90);
    expect(seen()).toBe(1);
  }
  await clock.advance(300);
  expect(seen()).toBe(2);
  await clock.advance(10_000);
  expect(seen()).toBe(2);
  put('a/x', undefined);
  await clock.advance(2_300);
  expect(seen()).toBe(3);
  await end();
});

it('does not wait for ever for a store without rest', async () => {
  const { clock, put, seen, end } = poll();
  await settle();
  for (let i = 0; i < 50 && seen() === 1; i++) {
    put('a/x', `${i}`);
    await clock.advance(90);
  }
  expect(seen()).toBe(2);
  await end();
});
