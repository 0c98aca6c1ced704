import { expect, it } from 'vitest';
import { Cancellation } from '../../src/base/message.ts';

it.each([
  ['nobody', 0, [], []],
  ['one', 1, [], [0]],
  ['several', 3, [], [0, 1, 2]],
  ['none of those that left', 3, [0, 2], [1]],
  ['nobody when all left', 2, [0, 1], []],
])('calls %s', (_name, count, leaving, called) => {
  const cancellation = new Cancellation();
  const calls: number[] = [];
  const callbacks = Array.from({ length: count }, (_, i) => () => void calls.push(i));
  for (const callback of callbacks) cancellation.add(callback);
  for (const i of leaving) cancellation.remove(callbacks[i]!);
  cancellation.cancel();
  cancellation.cancel();
  expect(calls).toEqual(called);
});

it('calls at once when it is too late', () => {
  const cancellation = new Cancellation();
  cancellation.cancel();
  let calls = 0;
  cancellation.onCancel(() => void calls++)();
  expect(calls).toBe(1);
});

it('takes a callback back by the function it gave', () => {
  const cancellation = new Cancellation();
  let calls = 0;
  cancellation.onCancel(() => void calls++)();
  cancellation.cancel();
  expect(calls).toBe(0);
});
