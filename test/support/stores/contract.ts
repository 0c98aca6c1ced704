import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoreClient } from '../../../src/providers/clients/store.ts';

/** Reads a watch one step at a time. */
export function follow(client: StoreClient, prefixes: readonly string[]) {
  const abort = new AbortController();
  const steps = client.watch(prefixes, abort.signal)[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<unknown>> | undefined;
  return {
    /** Resolves at the next yield; false at the end of the stream. */
    step: async (): Promise<boolean> => !(await steps.next()).done,
    /** Whether a yield comes within `ms`. */
    async stepsWithin(ms: number): Promise<boolean> {
      next ??= steps.next();
      const came = await Promise.race([next.then(() => true), new Promise<false>((resolve) => setTimeout(() => resolve(false), ms))]);
      if (came) next = undefined;
      return came;
    },
    async stop(): Promise<void> {
      abort.abort();
      await next;
      await steps.return?.();
    },
  };
}

export interface ContractOptions {
  /** Another client of the same store at every call. */
  readonly open: () => Promise<StoreClient>;
  readonly isAtomic: boolean;
  /** The largest value that the store takes, in bytes. */
  readonly largestValue: number;
  /** Its watch names what changed. */
  readonly tellsKeys?: boolean;
}

/** What every client of a store does; run against each. */
export function describeStore({ open, isAtomic, largestValue, tellsKeys = false }: ContractOptions): void {
  describe('as every store', () => {
    let root: string;
    let count = 0;
    let one: StoreClient;
    let two: StoreClient;
    beforeEach(async () => {
      root = `t${process.pid}x${count++}`;
      one = await open();
      two = await open();
    });
    afterEach(() => Promise.all([one.close(), two.close()]));

    /** Writes under a lock of its own. */
    async function put(pairs: Record<string, string | undefined>): Promise<void> {
      const lock = (await two.lock(`${root}-lock`, 'put', 5_000))!;
      await two.write(
        Object.entries(pairs).map(([key, value]) => ({ key, value })),
        lock,
      );
      await lock.release();
    }
    const listed = async (prefix = `${root}/`) => Object.fromEntries(await one.read(prefix));

    it('reads what stands below a prefix, and nothing else', async () => {
      expect(await listed()).toEqual({});
      await put({ [`${root}/a`]: '1', [`${root}/b/c`]: 'two, „three“\n', [`${root}/b/d`]: ' ', [`${root}x/a`]: 'no' });
      expect(await listed()).toEqual({ [`${root}/a`]: '1', [`${root}/b/c`]: 'two, „three“\n', [`${root}/b/d`]: ' ' });
      expect(await listed(`${root}/b/`)).toEqual({ [`${root}/b/c`]: 'two, „three“\n', [`${root}/b/d`]: ' ' });
      expect(await one.get(`${root}/a`)).toBe('1');
      expect(await one.get(`${root}/nothing`)).toBeUndefined();
    });

    it('takes a prefix by its letters', async () => {
      await put({ [`${root}/*/x`]: '1', [`${root}/a/x`]: '2', [`${root}/[a]?/x`]: '3' });
      expect(await listed(`${root}/*/`)).toEqual({ [`${root}/*/x`]: '1' });
      expect(await listed(`${root}/[a]?/`)).toEqual({ [`${root}/[a]?/x`]: '3' });
    });

    it('changes and removes keys', async () => {
      await put({ [`${root}/a`]: '1', [`${root}/b`]: '1' });
      await put({ [`${root}/a`]: '2', [`${root}/b`]: undefined, [`${root}/gone`]: undefined, [`${root}/c`]: '3' });
      expect(await listed()).toEqual({ [`${root}/a`]: '2', [`${root}/c`]: '3' });
    });

    it('carries values as large as the store takes', async () => {
      const value = 'ä'.repeat(largestValue / 2);
      await put({ [`${root}/large`]: value });
      expect((await one.get(`${root}/large`)) === value).toBe(true);
      expect((await listed())[`${root}/large`] === value).toBe(true);
    });

    it('tells of changes below its prefixes, bursts as one', async () => {
      const watched = follow(one, [`${root}/`, `edge-${root}/`]);
      expect(await watched.step()).toBe(true);
      expect(await watched.stepsWithin(100)).toBe(false);
      await put({ [`${root}/a`]: '1' });
      expect(await watched.stepsWithin(5_000)).toBe(true);
      await put({ [`edge-${root}/deep/er`]: '1' });
      expect(await watched.stepsWithin(5_000)).toBe(true);
      while (await watched.stepsWithin(200));
      await put({ [`other-${root}/a`]: '1' });
      expect(await watched.stepsWithin(200)).toBe(false);
      await put({ [`${root}/a`]: undefined });
      expect(await watched.stepsWithin(5_000)).toBe(true);
      while (await watched.stepsWithin(200));
      await put(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${root}/n${i}`, `${i}`])));
      let steps = 0;
      while (await watched.stepsWithin(200)) steps++;
      expect(steps).toBeGreaterThan(0);
      expect(steps).toBeLessThan(10);
      await watched.stop();
    });

    it('names the keys that changed, where it does not say that it may be any', async () => {
      const abort = new AbortController();
      const steps = one.watch([`${root}/`], abort.signal)[Symbol.asyncIterator]();
      expect((await steps.next()).value).toBeUndefined();
      await put({ [`${root}/http/a b:c/é`]: '1' });
      const { value } = await steps.next();
      expect(value === undefined ? undefined : [...value]).toEqual(tellsKeys ? [`${root}/http/a b:c/é`] : undefined);
      abort.abort();
      await steps.return?.();
    });

    it('reads what its watch told of, also what went and came back', async () => {
      await put({ [`${root}/a/x`]: '1', [`${root}/a/y`]: '1' });
      const watched = follow(one, [`${root}/`]);
      await watched.step();
      for (const round of ['2', '3', '4', '5']) {
        await put({ [`${root}/a/x`]: undefined, [`${root}/a/y`]: undefined });
        await put({ [`${root}/a/x`]: round, [`${root}/b/${round}`]: round });
        await put({ [`${root}/a/x`]: `${round}!` });
      }
      const expected = { [`${root}/a/x`]: '5!', ...Object.fromEntries(['2', '3', '4', '5'].map((n) => [`${root}/b/${n}`, n])) };
      await expect.poll(() => listed(), { timeout: 5_000 }).toEqual(expected);
      while (await watched.stepsWithin(200));
      await put({ [`${root}/a/x`]: 'last' });
      expect(await watched.stepsWithin(5_000)).toBe(true);
      await expect.poll(() => listed(), { timeout: 5_000 }).toEqual({ ...expected, [`${root}/a/x`]: 'last' });
      await put(Object.fromEntries(Object.keys(expected).map((key) => [key, undefined])));
      await expect.poll(() => listed(), { timeout: 5_000 }).toEqual({});
      await put({ [`${root}/a/x`]: 'again' });
      await expect.poll(() => listed(), { timeout: 5_000 }).toEqual({ [`${root}/a/x`]: 'again' });
      await watched.stop();
      expect(await listed()).toEqual({ [`${root}/a/x`]: 'again' });
    });

    it('gives a lock to one, with a fence that grows', async () => {
      const key = `${root}/lock`;
      const first = (await one.lock(key, 'first', 5_000))!;
      expect(first.isHeld()).toBe(true);
      expect(await two.lock(key, 'second', 5_000)).toBeUndefined();
      await first.release();
      expect(first.isHeld()).toBe(false);
      const second = (await two.lock(key, 'second', 5_000))!;
      expect(second.fence).toBeGreaterThan(first.fence);
      await expect(one.write([{ key: `${root}/a`, value: 'late' }], first)).rejects.toMatchObject({ code: 'lost-lock' });
      await two.write([{ key: `${root}/a`, value: 'right' }], second);
      expect(await one.get(`${root}/a`)).toBe('right');
      await second.release();
    });

    it.runIf(isAtomic)('shows all of a write or nothing of it', async () => {
      const keys = Array.from({ length: Math.min(60, one.atomicChanges) }, (_, i) => `${root}/k${String(i).padStart(3, '0')}`);
      const lock = (await two.lock(`${root}-lock`, 'put', 5_000))!;
      let done = false;
      const writing = (async () => {
        for (let round = 0; round < 15; round++) {
          await two.write(
            keys.map((key) => ({ key, value: `${round}` })),
            lock,
          );
        }
        done = true;
      })();
      while (!done) expect(new Set((await one.read(`${root}/k`)).map(([, value]) => value)).size).toBeLessThan(2);
      await writing;
      await lock.release();
      expect((await one.read(`${root}/k`)).length).toBe(keys.length);
    });
  });
}
