import { expect, it } from 'vitest';
import { follow } from '../../src/kv-sync/rounds.ts';
import { realClock } from '../support/provider.ts';

/** A stream that the test feeds. */
function createFeed<T>() {
  const waiting: T[] = [];
  let wake = (): void => {};
  let isOver = false;
  return {
    push(item: T): void {
      waiting.push(item);
      wake();
    },
    end(): void {
      isOver = true;
      wake();
    },
    async *stream(): AsyncGenerator<T> {
      while (true) {
        if (waiting.length > 0) yield waiting.shift()!;
        else if (isOver) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const watching = () => ({ clock: realClock, signal: new AbortController().signal });

it('gives every message its round when nothing is watched', async () => {
  const source = createFeed<number>();
  for (const message of [1, 2, 3]) source.push(message);
  source.end();
  const seen: [number, boolean][] = [];
  for await (const { message, isRepeat } of follow(source.stream(), undefined, undefined)) {
    seen.push([message, isRepeat]);
    await turn();
  }
  expect(seen).toEqual([
    [1, false],
    [2, false],
    [3, false],
  ]);
});

it('takes the newest of what came during a round', async () => {
  const source = createFeed<number>();
  const rounds = follow(source.stream(), undefined, watching());
  source.push(1);
  expect((await rounds.next()).value).toMatchObject({ message: 1 });
  source.push(2);
  source.push(3);
  await turn();
  expect((await rounds.next()).value).toMatchObject({ message: 3, isRepeat: false });
  source.end();
  expect((await rounds.next()).done).toBe(true);
});

it('repeats the last message when it is asked to, and when the target changes', async () => {
  const source = createFeed<number>();
  const target = createFeed<void>();
  const rounds = follow(source.stream(), () => target.stream(), watching());
  source.push(1);
  const { again } = (await rounds.next()).value!;
  again();
  expect((await rounds.next()).value).toMatchObject({ message: 1, isRepeat: true });
  target.push();
  target.push();
  expect((await rounds.next()).value).toMatchObject({ message: 1, isRepeat: true });
  source.end();
  target.end();
  expect((await rounds.next()).done).toBe(true);
});

it('watches a target again that was lost, and repeats then, since nobody knows what changed', async () => {
  const source = createFeed<number>();
  let opened = 0;
  const rounds = follow(
    source.stream(),
    async function* () {
      opened++;
      if (opened === 1) throw new Error('lost');
      yield;
      await new Promise(() => {});
    },
    watching(),
  );
  source.push(1);
  await rounds.next();
  expect((await rounds.next()).value).toMatchObject({ message: 1, isRepeat: true });
  expect(opened).toBe(2);
  source.end();
});

it('throws what the source throws', async () => {
  const failing = (async function* (): AsyncGenerator<number> {
    yield 1;
    throw new Error('broken');
  })();
  const rounds = follow(failing, undefined, undefined);
  await rounds.next();
  await expect(rounds.next()).rejects.toThrow('broken');
});
