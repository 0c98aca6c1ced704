import { sha256Hex } from '../base/bytes.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { EdgeHealth, Manifest, Pointer } from '../config/kv-layout.ts';
import { parsePointer, parseShard, requestHostKey, shardOf, union } from '../config/shards.ts';
import type { ProxyConfiguration, Site } from '../config/snapshot.ts';
import { diffConfigurations, isEmpty } from '../proxy/changes.ts';
import type { HttpProxy } from '../proxy/proxy.ts';
import { createPart, type Part, selectHosts } from './part.ts';
import type { SnapshotReader } from './snapshot-reader.ts';

export interface ConfigStoreOptions {
  readonly reader: SnapshotReader;
  /** Gets what changed, all at once. */
  readonly proxy: Pick<HttpProxy, 'update'>;
  /** Opens the secrets of a configuration; what cannot be opened is left out, so that nobody runs it. */
  readonly open: (http: ProxyConfiguration) => Promise<ProxyConfiguration>;
  readonly clock: Clock;
  readonly log: Logger;
  /** For so long a copy is used without being checked first; after half of it, it is refreshed behind requests. */
  readonly freshnessMs: number;
}

/** The isolate's copy of the configuration, and how old it may become. */
export interface ConfigStore {
  /**
   * Brings the proxy's configuration for this host up to date; false when there is nothing at all to answer with. `waitUntil`
   * keeps work alive that no request waits for.
   */
  prepare(host: string, waitUntil: WaitUntil): Promise<boolean>;
  site(id: string): Site | undefined;
  health(): EdgeHealth;
}

type WaitUntil = (promise: Promise<unknown>) => void;

/** An older copy is checked first for so long; and so long does a request rely on a check that another one began. */
const CHECK_LIMIT_MS = 1000;
/** With nothing at all a request waits longer. */
const FIRST_LIMIT_MS = 4000;
/** After a check that failed or hung there is none for so long (at most the freshness); with nothing at all the next one comes sooner. */
const PAUSE_MS = 5000;
const FIRST_PAUSE_MS = 1000;

/** A revision: the whole snapshot, or the common shard and those that were asked for, by hash. */
interface Held {
  readonly pointer: Pointer;
  readonly sites: Readonly<Record<string, Site>>;
  readonly manifest: Manifest | undefined;
  readonly parts: ReadonlyMap<string, Part>;
}

/** What the proxy runs of it: the routers of hosts that were asked for, secrets opened. */
interface InForce {
  readonly held: Held;
  readonly hosts: ReadonlySet<string>;
  readonly http: ProxyConfiguration;
}

const EMPTY: ProxyConfiguration = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };

export function createConfigStore({ reader, proxy, open, clock, log, freshnessMs }: ConfigStoreOptions): ConfigStore {
  let inForce: InForce | undefined;
  let health: EdgeHealth = {};
  let checkedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let running: { readonly done: Promise<void>; readonly since: number } | undefined;

  async function prepare(requestHost: string, waitUntil: WaitUntil): Promise<boolean> {
    const host = requestHostKey(requestHost);
    const age = clock.now() - checkedAt;
    if (inForce === undefined) await readFirst(host, waitUntil);
    else if (age >= freshnessMs / 2 && clock.now() - triedAt >= Math.min(PAUSE_MS, freshnessMs)) {
      const done = refresh(host, waitUntil);
      if (age >= freshnessMs) await atMost(CHECK_LIMIT_MS, done);
    }
    if (inForce === undefined) return false;
    if (inForce.hosts.has(host)) return true;
    let ready = false;
    await atMost(
      FIRST_LIMIT_MS,
      addHost(host).then((found) => void (ready = found)),
    );
    return ready;
  }

  async function readFirst(host: string, waitUntil: WaitUntil): Promise<void> {
    if (running === undefined && clock.now() - triedAt < FIRST_PAUSE_MS) return;
    await atMost(CHECK_LIMIT_MS, refresh(host, waitUntil));
    // Another request began that check and may have been cut off since.
    if (inForce === undefined && running !== undefined) await atMost(FIRST_LIMIT_MS, refresh(host, waitUntil));
  }

  /**
   * The promise belongs to the request that began it and never settles when that one is cut off: everyone waits with a limit,
   * and a run that takes long is joined by nobody any more.
   */
  function refresh(host: string, waitUntil: WaitUntil): Promise<void> {
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
      if (inForce === undefined) log.warn('There is no configuration to answer with', { error: String(error) });
      else log.warn('The configuration cannot be refreshed; what is there stays', { error: String(error) });
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
      if (inForce === undefined) throw new Error('Nothing was published yet');
      return;
    }
    const { pointer, inlineText } = parsePointer(current.pointer);
    const before = inForce?.held.pointer;
    if (before !== undefined && (pointer.revision < before.revision || pointer.hash === before.hash)) return;
    const held = inlineText === undefined ? await readShards(pointer, host) : await readInline(pointer, inlineText);
    await swap(held, new Set([...(inForce?.hosts ?? []), host]));
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
    if (inForce !== undefined) return reader.readCurrent();
    const limit = sleep(clock, FIRST_LIMIT_MS / 2).then(() => undefined);
    const fromKv = await Promise.race([reader.readCurrent().catch(() => undefined), limit]);
    if (fromKv !== undefined && fromKv.pointer !== null) return fromKv;
    return { pointer: await reader.readHubPointer(), health: fromKv?.health ?? null };
  }

  async function readInline(pointer: Pointer, text: string): Promise<Held> {
    if ((await sha256Hex(text)) !== pointer.hash) throw new Error(`The snapshot of revision ${pointer.revision} does not have its hash`);
    const { sites, http } = pointer.snapshot!;
    return { pointer, sites, manifest: undefined, parts: new Map([[pointer.hash, createPart(http)]]) };
  }

  /** The common shard, and those of hosts that were asked for: a request must not see some of the old and some of the new. */
  async function readShards(pointer: Pointer, host: string): Promise<Held> {
    const texts = await reader.readObjects([pointer.manifest!]);
    const manifest = JSON.parse(texts.get(pointer.manifest!)!) as Manifest;
    const wanted = new Set([manifest.common]);
    for (const asked of [host, ...(inForce?.hosts ?? [])]) {
      const hash = shardHash(manifest, asked);
      if (hash !== undefined) wanted.add(hash);
    }
    return { pointer, sites: manifest.sites, manifest, parts: await readParts(wanted) };
  }

  async function readParts(hashes: ReadonlySet<string>): Promise<Map<string, Part>> {
    const before = inForce?.held.parts ?? new Map<string, Part>();
    const texts = await reader.readObjects([...hashes].filter((hash) => !before.has(hash)));
    const parts = new Map<string, Part>();
    for (const hash of hashes) parts.set(hash, before.get(hash) ?? createPart(parseShard(texts.get(hash)!)));
    return parts;
  }

  /** Requests see the old configuration or the new one: after the last `await` everything changes at once. */
  async function swap(held: Held, asked: ReadonlySet<string>): Promise<void> {
    const parts = [...held.parts.values()];
    // Hosts without routers are not kept: anybody can make them up.
    const hosts = new Set([...asked].filter((host) => parts.some(({ byHost }) => byHost.has(host))));
    const http = await open(union(parts.map((part) => selectHosts(part, hosts))));
    const before = inForce;
    if (before !== undefined && held.pointer.revision < before.held.pointer.revision) return;
    // Another host came in while secrets were opened.
    if (before?.held.pointer === held.pointer && [...before.hosts].some((host) => !hosts.has(host)))
      return swap(held, new Set([...hosts, ...before.hosts]));
    const changes = diffConfigurations(before?.http ?? EMPTY, http);
    if (!isEmpty(changes)) proxy.update(changes);
    if (before?.held.pointer.revision !== held.pointer.revision) log.info('Configuration in force', { revision: held.pointer.revision });
    inForce = { held, hosts, http };
  }

  /** Brings in the routers of a host that nobody asked for yet. False when its shard cannot be had. */
  async function addHost(host: string): Promise<boolean> {
    for (;;) {
      const { held, hosts } = inForce!;
      const hash = held.manifest === undefined ? held.pointer.hash : shardHash(held.manifest, host);
      if (hash === undefined || held.parts.get(hash)?.byHost.has(host) === false) return true;
      try {
        const parts = await readParts(new Set([...held.parts.keys(), hash]));
        await swap({ ...held, parts: new Map([...inForce!.held.parts, ...parts]) }, new Set([...hosts, host]));
      } catch (error) {
        log.error('A shard cannot be had', { hash, error: String(error) });
        return false;
      }
      // Another revision came in meanwhile: its shard is the one that counts.
      if (inForce!.held.pointer === held.pointer) return true;
    }
  }

  async function atMost(ms: number, work: Promise<void>): Promise<void> {
    const over = new AbortController();
    await Promise.race([work, sleep(clock, ms, over.signal)]);
    over.abort();
  }

  return { prepare, site: (id) => inForce?.held.sites[id], health: () => health };
}

const shardHash = ({ shards }: Manifest, host: string): string | undefined => shards[shardOf(host, shards.length)] ?? undefined;
