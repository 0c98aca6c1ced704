import { WorkerEntrypoint } from 'cloudflare:workers';
import type { KvCommand, Report } from '../commands.ts';

/** What the real KV does and miniflare's does not. One store for all locations; each has a cache of its own. */
interface Store {
  /** Every value that a key ever had, oldest first; null is a deletion. */
  readonly writes: Map<string, { at: number; value: string | null }[]>;
  readonly caches: Map<string, Map<string, { value: string | null; until: number }>>;
  /** Milliseconds that a write of keys with this prefix takes to be seen where it was not written. */
  delays: Record<string, number>;
  /** Added to the time of the machine. */
  offsetMs: number;
  mode: NonNullable<KvCommand['mode']>;
  writeMode: NonNullable<KvCommand['writeMode']>;
  counts: Report['kv']['counts'];
}

const store: Store = {
  writes: new Map(),
  caches: new Map(),
  delays: {},
  offsetMs: 0,
  mode: 'well',
  writeMode: 'well',
  counts: { reads: 0, keysRead: 0, writes: 0, refusedWrites: 0, misses: 0 },
};

const now = (): number => Date.now() + store.offsetMs;

function delayOf(key: string): number {
  let delay = 0;
  let longest = -1;
  for (const [prefix, ms] of Object.entries(store.delays)) {
    if (!key.startsWith(prefix) || prefix.length <= longest) continue;
    delay = ms;
    longest = prefix.length;
  }
  return delay;
}

function read(location: string, key: string, cacheTtlS: number): string | null {
  store.counts.keysRead++;
  const cache = store.caches.get(location) ?? store.caches.set(location, new Map()).get(location)!;
  const cached = cache.get(key);
  if (cached !== undefined && cached.until > now()) return cached.value;
  const visible = (store.writes.get(key) ?? []).findLast(({ at }) => at + delayOf(key) <= now());
  const value = visible?.value ?? null;
  if (value === null) store.counts.misses++;
  // A miss is remembered like a value.
  cache.set(key, { value, until: now() + cacheTtlS * 1000 });
  return value;
}

function write(key: string, value: string | null): void {
  const writes = store.writes.get(key) ?? store.writes.set(key, []).get(key)!;
  const last = writes.at(-1);
  if (last !== undefined && now() - last.at < 1000) {
    store.counts.refusedWrites++;
    throw new Error('KV PUT failed: 429 Too Many Requests');
  }
  store.counts.writes++;
  writes.push({ at: now(), value });
}

interface GetOptions {
  readonly cacheTtl?: number;
}

/** Stands in for a KV binding at the location that its props name. */
export class KvDouble extends WorkerEntrypoint<unknown, { location: string }> {
  async get(keys: string | string[], options: GetOptions | string = {}): Promise<string | null | Map<string, string | null>> {
    store.counts.reads++;
    if (store.mode === 'failing') throw new Error('KV GET failed: 500 Internal Server Error');
    if (store.mode === 'hanging') await new Promise(() => {});
    const cacheTtl = typeof options === 'string' ? 60 : (options.cacheTtl ?? 60);
    if (cacheTtl < 30) throw new Error(`KV GET failed: 400 Invalid cache_ttl of ${cacheTtl}. Cache TTL must be at least 30.`);
    const { location } = this.ctx.props;
    if (typeof keys === 'string') return read(location, keys, cacheTtl);
    if (keys.length > 100) throw new Error('KV GET_BULK failed: 400 You can request a maximum of 100 keys');
    return new Map(keys.map((key) => [key, read(location, key, cacheTtl)]));
  }

  async put(key: string, value: string): Promise<void> {
    if (store.writeMode === 'failing') throw new Error('KV PUT failed: 500 Internal Server Error');
    if (store.writeMode === 'hanging') await new Promise(() => {});
    write(key, value);
  }

  async delete(key: string): Promise<void> {
    write(key, null);
  }

  async list({ prefix = '' }: { prefix?: string } = {}): Promise<unknown> {
    const names = [...store.writes]
      .filter(([key, writes]) => key.startsWith(prefix) && writes.at(-1)!.value !== null)
      .map(([name]) => ({ name }));
    return { keys: names.sort((a, b) => (a.name < b.name ? -1 : 1)), list_complete: true };
  }
}

export function commandKv(command: KvCommand): Report['kv'] {
  if (command.delays !== undefined) store.delays = { ...command.delays };
  if (command.advanceMs !== undefined) store.offsetMs += command.advanceMs;
  if (command.mode !== undefined) store.mode = command.mode;
  if (command.writeMode !== undefined) store.writeMode = command.writeMode;
  if (command.resetCounts) store.counts = { reads: 0, keysRead: 0, writes: 0, refusedWrites: 0, misses: 0 };
  for (const [key, value] of Object.entries(command.put ?? {})) write(key, value);
  const values = Object.fromEntries([...store.writes].map(([key, writes]) => [key, writes.at(-1)!.value]));
  return { counts: store.counts, values };
}
