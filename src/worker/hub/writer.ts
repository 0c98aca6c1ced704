import { createBackoff } from '../../base/backoff.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { HEALTH_KEY, objectKey, POINTER_KEY } from '../../config/kv-layout.ts';
import type { StoredRevision } from './history.ts';
import { type HubStorage, readState, writeState } from './storage.ts';

/** What the hub asks of Workers KV. */
export interface KvStore {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** The only one that writes KV: objects first, then the pointer; no key more than once a second; nothing twice. */
export interface Writer {
  /** Puts the revision in force. False when KV cannot be written now; `retryAt` then tells when to try again. */
  writeRevision(revision: StoredRevision): Promise<boolean>;
  /** The same for `health`. False also while it is too early, or there is nothing to write. */
  writeHealth(text: string): Promise<boolean>;
  deleteObjects(hashes: readonly string[]): Promise<void>;
  /** Undefined when nothing waits. */
  retryAt(): number | undefined;
  /** Why the last write failed. */
  lastError(): string | undefined;
  /** When `health` may be written next. */
  healthAt(): number;
}

/** Workers KV takes one write a second for a key. */
const KEY_PAUSE_MS = 1_000;
const HEALTH_PAUSE_MS = 5_000;
/** A Worker has six connections that wait for an answer; one stays free for requests. */
const WRITES_AT_ONCE = 5;

export function createWriter(storage: HubStorage, kv: KvStore, clock: Clock, log: Logger): Writer {
  const backoff = createBackoff({ firstMs: 1_000, limitMs: 60_000 });
  let retryAt: number | undefined;
  let lastError: string | undefined;

  async function attempt(what: string, write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      backoff.reset();
      retryAt = undefined;
      lastError = undefined;
      return true;
    } catch (error) {
      lastError = error instanceof Error ? error.message : String(error);
      retryAt = clock.now() + backoff.next();
      log.warn('KV cannot be written, trying again', { key: what, error: lastError });
      return false;
    }
  }

  async function putObjects(hashes: readonly string[]): Promise<void> {
    const missing = hashes.flatMap((hash) => storage.sql('SELECT hash, text FROM objects WHERE hash = ? AND in_kv = 0', hash));
    for (let from = 0; from < missing.length; from += WRITES_AT_ONCE) {
      await Promise.all(
        missing.slice(from, from + WRITES_AT_ONCE).map(async ({ hash, text }) => {
          await kv.put(objectKey(hash as string), text as string);
          storage.sql('UPDATE objects SET in_kv = 1 WHERE hash = ?', hash!);
        }),
      );
    }
  }

  const healthAt = (): number => readState(storage, 'healthWrittenAt') + HEALTH_PAUSE_MS;

  return {
    writeRevision: ({ revision, pointer, objects }) =>
      attempt(POINTER_KEY, async () => {
        await putObjects(objects);
        const waitMs = readState(storage, 'pointerWrittenAt') + KEY_PAUSE_MS - clock.now();
        if (waitMs > 0) await sleep(clock, waitMs);
        // Before the write, for one that is cut off counts, and after it, for KV counts from when it arrives.
        writeState(storage, 'pointerWrittenAt', clock.now());
        await kv.put(POINTER_KEY, pointer);
        writeState(storage, 'pointerWrittenAt', clock.now());
        writeState(storage, 'written', revision);
      }),

    async writeHealth(text) {
      if (text === readState(storage, 'health') || clock.now() < healthAt()) return false;
      return attempt(HEALTH_KEY, async () => {
        writeState(storage, 'healthWrittenAt', clock.now());
        await kv.put(HEALTH_KEY, text);
        writeState(storage, 'health', text);
      });
    },

    async deleteObjects(hashes) {
      for (const hash of hashes)
        await kv.delete(objectKey(hash)).catch((error: unknown) => log.warn('An old object stays in KV', { hash, error: String(error) }));
    },

    retryAt: () => retryAt,
    lastError: () => lastError,
    healthAt,
  };
}
