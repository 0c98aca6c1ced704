import { DatabaseSync } from 'node:sqlite';
import { base64url, exportJWK, generateKeyPair, type JWK } from 'jose';
import { createLogger, type LogLine } from '../../../src/base/log.ts';
import { POINTER_KEY } from '../../../src/config/kv-layout.ts';
import { parsePointer } from '../../../src/config/shards.ts';
import type { Snapshot } from '../../../src/config/snapshot.ts';
import { createHubApp } from '../../../src/worker/hub/app.ts';
import { createHub, type Hub } from '../../../src/worker/hub/hub.ts';
import type { HubStorage, Row } from '../../../src/worker/hub/storage.ts';
import { createManualClock, type ManualClock } from '../manual-clock.ts';
import { SEAL_KEY } from '../publications.ts';
import type { Target } from './publisher-double.ts';

export const ADMIN_KEY = base64url.encode(new Uint8Array(32).fill(7));

/** Moves the clock until it is so; fails after ten seconds of the machine's time. */
export async function advanceUntil(clock: ManualClock, condition: () => boolean, stepMs = 1_000): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`It never came to be: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
    await clock.advance(stepMs);
  }
}

/** Waits for the work; where it waits for the clock, and not for long, the clock is moved. */
export async function finish<T>(clock: ManualClock, work: Promise<T>, atMostMs = 2_000): Promise<T> {
  const end = clock.now() + atMostMs;
  let done = false;
  const mark = (): void => void (done = true);
  work.then(mark, mark);
  while (!done) {
    await Promise.race([work.then(mark, mark), new Promise((resolve) => setTimeout(resolve, 2))]);
    const next = clock.nextAt();
    if (!done && next !== undefined && next <= end) await clock.advance(Math.max(0, next - clock.now()));
  }
  return work;
}

export interface MemoryKv {
  readonly values: Map<string, string>;
  /** Keys in the order in which they were written. */
  readonly writes: string[];
  /** Fails writes whose key passes. */
  fails: (key: string) => boolean;
  /** Writes whose key passes are not answered until it is called. */
  hold: ((key: string) => Promise<void>) | undefined;
}

/** The hub's core on node:sqlite, with a clock and a KV that tests hold in their hands. */
export interface MemoryHub {
  readonly hub: Hub;
  readonly clock: ManualClock;
  readonly kv: MemoryKv;
  readonly log: LogLine[];
  readonly grantKey: JWK;
  /** When the alarm rings; undefined when it is not set. */
  readonly alarmAt: () => number | undefined;
  /** The HTTP interface, as `fetch` of a publisher or an operator. */
  readonly fetch: typeof fetch;
  /** The same for a double. */
  readonly target: Target;
  /** What KV's pointer has in force; throws where nothing is, or where it names a manifest instead. */
  snapshot(): Snapshot;
  /** Moves time and rings the alarm when it is due. */
  advance(ms: number): Promise<void>;
  /** Throws the hub out of memory; the next call finds a new one. The alarm does not ring meanwhile. */
  evict(): void;
  /** While away it answers nothing and no alarm rings. */
  away: boolean;
}

export async function createMemoryHub(): Promise<MemoryHub> {
  const database = new DatabaseSync(':memory:');
  const clock = createManualClock();
  const log: LogLine[] = [];
  let alarmAt: number | undefined;
  const kv: MemoryKv = { values: new Map(), writes: [], fails: () => false, hold: undefined };
  const { publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const grantKey = { ...(await exportJWK(publicKey)), kid: 'grant-1' };
  const lastWrite = new Map<string, number>();

  const storage: HubStorage = {
    sql: (query, ...values) => database.prepare(query).all(...values) as Row[],
    transaction(work) {
      database.exec('SAVEPOINT work');
      try {
        const result = work();
        database.exec('RELEASE work');
        return result;
      } catch (error) {
        database.exec('ROLLBACK TO work; RELEASE work');
        throw error;
      }
    },
    setAlarm: (at) => void (alarmAt = at),
  };
  const build = (): Hub => {
    // Who was thrown out of memory does nothing more: answers that come later find nobody.
    const answered = <T>(value: T): T | Promise<T> => (built === hub ? value : new Promise(() => {}));
    const built: Hub = createHub({
      storage,
      kv: {
        get: async (key) => answered(kv.values.get(key) ?? null),
        async put(key, value) {
          if (kv.hold !== undefined) await kv.hold(key);
          if (kv.fails(key)) throw new Error(`KV PUT failed: 503 ${key}`);
          // Workers KV answers 429 to a second write of a key within a second.
          if (clock.now() - (lastWrite.get(key) ?? Number.NEGATIVE_INFINITY) < 1_000) throw new Error(`KV PUT failed: 429 ${key}`);
          lastWrite.set(key, clock.now());
          kv.values.set(key, value);
          kv.writes.push(key);
          return answered(undefined);
        },
        async delete(key) {
          kv.values.delete(key);
          return answered(undefined);
        },
      },
      clock,
      log: createLogger((line) => log.push(line), 'DEBUG'),
      adminKey: ADMIN_KEY,
      sealKey: SEAL_KEY,
      grantKeys: [grantKey],
    });
    return built;
  };

  let hub: Hub | undefined;
  const current = (): Hub => (hub ??= build());
  const memory: MemoryHub = {
    get hub() {
      return current();
    },
    clock,
    kv,
    log,
    grantKey,
    alarmAt: () => alarmAt,
    fetch: async (input, init) => {
      if (memory.away) throw new TypeError('fetch failed');
      const app = createHubApp(
        current(),
        clock,
        createLogger((line) => log.push(line), 'DEBUG'),
      );
      return finish(clock, Promise.resolve(app.fetch(new Request(input as string, init))));
    },
    target: { url: 'https://control.test', fetch: (input, init) => memory.fetch(input, init), now: clock.now },
    snapshot() {
      const { snapshot } = parsePointer(kv.values.get(POINTER_KEY)!).pointer;
      if (snapshot === undefined) throw new Error('The pointer names a manifest');
      return snapshot;
    },
    async advance(ms) {
      const end = clock.now() + ms;
      while (!memory.away && alarmAt !== undefined && alarmAt <= end) {
        await clock.advance(Math.max(0, alarmAt - clock.now()));
        alarmAt = undefined;
        await finish(clock, current().alarm());
      }
      await clock.advance(Math.max(0, end - clock.now()));
    },
    evict: () => void (hub = undefined),
    away: false,
  };
  return memory;
}
