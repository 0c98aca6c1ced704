import { sha256Hex } from '../base/bytes.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { EdgeHealth, Manifest, Pointer } from '../config/kv-layout.ts';
import { parsePointer, parseShard, shardOf, union } from '../config/shards.ts';
import type { ProxyConfiguration, Site } from '../config/snapshot.ts';
import { diffConfigurations, isEmpty } from '../proxy/changes.ts';
import type { HttpProxy } from '../proxy/proxy.ts';
import type { SnapshotReader } from './snapshot-reader.ts';

export interface ConfigStoreOptions {
  readonly reader: SnapshotReader;
  /** Gets what changed, all at once. */
  readonly proxy: Pick<HttpProxy, 'update'>;
  /** Opens the secrets of a part; what cannot be opened is left out, so that nobody runs it. */
  readonly open: (part: ProxyConfiguration) => Promise<ProxyConfiguration>;
  readonly clock: Clock;
  readonly log: Logger;
  /** For so long a copy is used without being checked first; half of it later it is refreshed behind requests. */
  readonly freshnessMs: number;
}

/** The isolate's copy of the configuration, and how old it may become. */
export interface ConfigStore {
  /**
   * Brings the proxy's configuration for this host up to date; false when there is nothing at all to answer with. `waitUntil`
   * keeps work alive that no request waits for.
   */
  prepare(host: string, waitUntil: (promise: Promise<unknown>) => void): Promise<boolean>;
  site(id: string): Site | undefined;
  health(): EdgeHealth;
}

/** An older copy is checked first for so long; and so long does a request rely on a check that another one began. */
const CHECK_LIMIT_MS = 1000;
/** With nothing at all a request waits longer. */
const FIRST_LIMIT_MS = 4000;
/** After a check that failed or hung there is none for so long (at most the freshness); with nothing at all the next one comes sooner. */
const PAUSE_MS = 5000;
const FIRST_PAUSE_MS = 1000;

/** What is in force. `parts` are opened configurations by hash: the whole snapshot, or the shards that were asked for and the common one. */
interface Held {
  readonly pointer: Pointer;
  readonly sites: Readonly<Record<string, Site>>;
  readonly manifest: Manifest | undefined;
  readonly parts: ReadonlyMap<string, ProxyConfiguration>;
  readonly http: ProxyConfiguration;
}

const EMPTY: ProxyConfiguration = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };

export function createConfigStore({ reader, proxy, open, clock, log, freshnessMs }: ConfigStoreOptions): ConfigStore {
  let held: Held | undefined;
  let health: EdgeHealth = {};
  let checkedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let running: { readonly done: Promise<void>; readonly since: number } | undefined;

  async function prepare(host: string, waitUntil: (promise: Promise<unknown>) => void): Promise<boolean> {
    const age = clock.now() - checkedAt;
    if (held === undefined) await readFirst(host, waitUntil);
    else if (age >= freshnessMs / 2 && clock.now() - triedAt >= Math.min(PAUSE_MS, freshnessMs)) {
      const done = refresh(host, waitUntil);
      if (age >= freshnessMs) await atMost(CHECK_LIMIT_MS, done);
    }
    if (held === undefined) return false;
    let ready = false;
    await atMost(
      FIRST_LIMIT_MS,
      ensureShard(host).then((found) => void (ready = found)),
    );
    return ready;
  }

  async function readFirst(host: string, waitUntil: (promise: Promise<unknown>) => void): Promise<void> {
    if (running === undefined && clock.now() - triedAt < FIRST_PAUSE_MS) return;
    await atMost(CHECK_LIMIT_MS, refresh(host, waitUntil));
    // Another request began that check and may have been cut off since.
    if (held === undefined && running !== undefined) await atMost(FIRST_LIMIT_MS, refresh(host, waitUntil));
  }

  /**
   * The promise belongs to the request that began it and never settles when that one is cut off: everyone waits with a limit,
   * and a run that takes long is joined by nobody any more.
   */
  function refresh(host: string, waitUntil: (promise: Promise<unknown>) => void): Promise<void> {
    const now = clock.now();
    if (running !== undefined && now - running.since < CHECK_LIMIT_MS) return running.done;
    triedAt = now;
    const run = { since: now, done: check(host).then(succeed, fail) };
    function end(): void {
      if (running === run) running = undefined;
    }
    function succeed(): void {
      checkedAt = clock.now();
      triedAt = Number.NEGATIVE_INFINITY;
      end();
    }
    function fail(error: unknown): void {
      log.warn('The configuration cannot be refreshed; what is there stays', { error: String(error) });
      end();
    }
    running = run;
    waitUntil(run.done);
    return run.done;
  }

  async function check(host: string): Promise<void> {
    const current = await readCurrent();
    if (current.health !== null) health = readHealth(current.health);
    if (current.pointer === null) {
      if (held === undefined) throw new Error('Nothing was published yet');
      return;
    }
    const { pointer, inlineText } = parsePointer(current.pointer);
    if (held !== undefined && (pointer.revision < held.pointer.revision || pointer.hash === held.pointer.hash)) return;
    swap(inlineText === undefined ? await readShards(pointer, host) : await readInline(pointer, inlineText));
  }

  /** It only orders the sites, so a broken one must not keep a configuration away. */
  function readHealth(text: string): EdgeHealth {
    try {
      return JSON.parse(text) as EdgeHealth;
    } catch (error) {
      log.error('The health of the sites cannot be read', { error: String(error) });
      return health;
    }
  }

  /** With nothing in the isolate, the hub is asked as well: KV may be away, or remember that there was nothing. */
  async function readCurrent(): Promise<{ pointer: string | null; health: string | null }> {
    if (held !== undefined) return reader.readCurrent();
    const fromKv = await Promise.race([
      reader.readCurrent().catch(() => undefined),
      sleep(clock, FIRST_LIMIT_MS / 2).then(() => undefined),
    ]);
    if (fromKv !== undefined && fromKv.pointer !== null) return fromKv;
    return { pointer: await reader.readHubPointer(), health: fromKv?.health ?? null };
  }

  async function readInline(pointer: Pointer, text: string): Promise<Held> {
    if ((await sha256Hex(text)) !== pointer.hash) throw new Error(`The snapshot of revision ${pointer.revision} does not have its hash`);
    const { sites, http } = pointer.snapshot!;
    const part = await open(http);
    return { pointer, sites, manifest: undefined, parts: new Map([[pointer.hash, part]]), http: part };
  }

  /** The common shard, that of the host, and those that were read before: a request must not see some of the old and some of the new. */
  async function readShards(pointer: Pointer, host: string): Promise<Held> {
    const texts = await reader.readObjects([pointer.manifest!]);
    const manifest = JSON.parse(texts.get(pointer.manifest!)!) as Manifest;
    const wanted = new Set([manifest.common]);
    for (const index of [shardOf(host, manifest.shards.length), ...heldShards(manifest)]) {
      const hash = manifest.shards[index];
      if (hash != null) wanted.add(hash);
    }
    return { pointer, sites: manifest.sites, manifest, ...(await readParts(wanted)) };
  }

  function heldShards({ shards }: Manifest): number[] {
    const before = held?.manifest?.shards;
    if (before === undefined || before.length !== shards.length) return [];
    return before.flatMap((hash, index) => (hash !== null && held!.parts.has(hash) ? [index] : []));
  }

  async function readParts(hashes: ReadonlySet<string>): Promise<Pick<Held, 'parts' | 'http'>> {
    const before = held?.parts ?? new Map<string, ProxyConfiguration>();
    const texts = await reader.readObjects([...hashes].filter((hash) => !before.has(hash)));
    const parts = new Map<string, ProxyConfiguration>();
    for (const hash of hashes) parts.set(hash, before.get(hash) ?? (await open(parseShard(texts.get(hash)!))));
    return { parts, http: union([...parts.values()]) };
  }

  /** Nothing is waited for here: requests see the old configuration or the new one. */
  function swap(next: Held): void {
    if (held !== undefined && next.pointer.revision < held.pointer.revision) return;
    const changes = diffConfigurations(held?.http ?? EMPTY, next.http);
    if (!isEmpty(changes)) proxy.update(changes);
    if (held?.pointer.revision !== next.pointer.revision) log.info('Configuration in force', { revision: next.pointer.revision });
    held = next;
  }

  /** Reads the shard of a host that nobody asked for yet. False when it cannot be had. */
  async function ensureShard(host: string): Promise<boolean> {
    for (;;) {
      const { manifest, parts } = held!;
      const hash = manifest?.shards[shardOf(host, manifest.shards.length)];
      if (hash == null || parts.has(hash)) return true;
      try {
        const read = await readParts(new Set([...parts.keys(), hash]));
        // Another revision came in meanwhile: its shard is the one that counts.
        if (held!.manifest === manifest)
          swap({
            ...held!,
            parts: new Map([...held!.parts, ...read.parts]),
            http: union([...held!.parts.values(), ...read.parts.values()]),
          });
      } catch (error) {
        log.error('A shard cannot be had', { hash, error: String(error) });
        return false;
      }
    }
  }

  async function atMost(ms: number, work: Promise<void>): Promise<void> {
    const over = new AbortController();
    await Promise.race([work, sleep(clock, ms, over.signal)]);
    over.abort();
  }

  return { prepare, site: (id) => held?.sites[id], health: () => health };
}
