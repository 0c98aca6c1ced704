import { encodeText, sha256Hex } from '../base/bytes.ts';
import { INLINE_LIMIT_BYTES, type Manifest, type Pointer } from './kv-layout.ts';
import { type ChildrenOf, closeOver, routersByParent } from './references.ts';
import { canonicalHost } from './rule/canonical-host.ts';
import { hostKey } from './rule/constraint.ts';
import { createSharedTexts, type SharedTexts } from './shard-text.ts';
import { canonicalJson, type ProxyConfiguration, type Snapshot } from './snapshot.ts';

/** What the hub writes: the objects first, then the pointer. */
export interface SplitSnapshot {
  readonly pointer: Pointer;
  readonly pointerText: string;
  /** By hash; empty when the snapshot travels in the pointer. */
  readonly objects: ReadonlyMap<string, string>;
}

const MAX_SHARDS = 1024;

/**
 * The texts of a snapshot. Equal snapshots give equal texts; one more router changes its own shard and the manifest, as long as
 * the number of shards, a power of two, stays.
 */
export async function splitSnapshot(snapshot: Snapshot, createdAt: number): Promise<SplitSnapshot> {
  const { revision } = snapshot;
  const texts = createSharedTexts();
  const length = texts.lengthOf(snapshot.http);
  const text = length <= INLINE_LIMIT_BYTES ? canonicalJson(snapshot) : undefined;
  if (text !== undefined && isWithinLimit(text)) {
    const pointer: Pointer = { schema: 1, revision, hash: await sha256Hex(text), createdAt, snapshot };
    return { pointer, pointerText: canonicalJson(pointer), objects: new Map() };
  }
  const objects = new Map<string, string>();
  const keep = async (object: string): Promise<string> => {
    const hash = await sha256Hex(object);
    objects.set(hash, object);
    return hash;
  };
  const { common, shards } = cut(snapshot.http, length, texts);
  const manifest: Manifest = {
    schema: 1,
    revision,
    sites: snapshot.sites,
    common: await keep(common),
    shards: await Promise.all(shards.map((shard) => (shard === null ? null : keep(shard)))),
  };
  const hash = await keep(canonicalJson(manifest));
  const pointer: Pointer = { schema: 1, revision, hash, createdAt, manifest: hash };
  return { pointer, pointerText: canonicalJson(pointer), objects };
}

/** Reads a pointer that `splitSnapshot` wrote; `inlineText` is what its hash stands for when the snapshot travels in it. Throws SyntaxError. */
export function parsePointer(text: string): { pointer: Pointer; inlineText: string | undefined } {
  const pointer = JSON.parse(text) as Pointer;
  if (pointer.snapshot === undefined) return { pointer, inlineText: undefined };
  // Keys are sorted and `snapshot` is the last, so its text need not be made again to be hashed.
  const start = text.indexOf(SNAPSHOT_KEY) + SNAPSHOT_KEY.length;
  return {
    pointer: { ...pointer, snapshot: { ...pointer.snapshot, http: revive(pointer.snapshot.http) } },
    inlineText: text.slice(start, -1),
  };
}

const SNAPSHOT_KEY = ',"snapshot":';

/** Reads a shard. Throws SyntaxError. */
export const parseShard = (text: string): ProxyConfiguration => revive(JSON.parse(text) as ProxyConfiguration);

/** Canonical JSON has bigints as texts. */
function revive(http: ProxyConfiguration): ProxyConfiguration {
  const large = Object.entries(http.routers).filter(([, { priority }]) => typeof priority === 'string');
  if (large.length === 0) return http;
  const revived = large.map(([name, router]) => [name, { ...router, priority: BigInt(router.priority) as never }] as const);
  return { ...http, routers: { ...http.routers, ...Object.fromEntries(revived) } };
}

/** The snapshot of a pointer, without objects that no router reaches. `read` gives an object's text; throws when it has none. */
export async function joinSnapshot(pointer: Pointer, read: (hash: string) => Promise<string>): Promise<Snapshot> {
  if (pointer.snapshot !== undefined) return pointer.snapshot;
  const manifest = JSON.parse(await read(pointer.manifest!)) as Manifest;
  const hashes = [manifest.common, ...manifest.shards.filter((hash) => hash !== null)];
  const parts = await Promise.all(hashes.map(async (hash) => parseShard(await read(hash))));
  return { schema: 1, revision: manifest.revision, sites: manifest.sites, http: union(parts) };
}

/** One configuration of several that agree where they overlap. */
export function union(parts: readonly ProxyConfiguration[]): ProxyConfiguration {
  return {
    routers: Object.assign({}, ...parts.map((part) => part.routers)),
    services: Object.assign({}, ...parts.map((part) => part.services)),
    middlewares: Object.assign({}, ...parts.map((part) => part.middlewares)),
    serversTransports: Object.assign({}, ...parts.map((part) => part.serversTransports)),
  };
}

/** Index of the shard in which routers of this host stand (`hostKey`, `requestHostKey`). */
export function shardOf(host: string, shards: number): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < host.length; i++) hash = Math.imul(hash ^ host.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % shards;
}

/** The key under which the routers of a request's Host are found: no port, no brackets, no final dot, small letters. */
export const requestHostKey = (host: string): string => hostKey(canonicalHost(host));

/** Routers without parents by their hosts, and those of any host: all that a request can meet first. */
export function routersByHost(routers: ProxyConfiguration['routers']): {
  byHost: ReadonlyMap<string, readonly string[]>;
  anyHost: readonly string[];
} {
  const anyHost: string[] = [];
  const byHost = new Map<string, string[]>();
  for (const name of Object.keys(routers)) {
    const { parentRefs, hosts } = routers[name]!;
    if (parentRefs !== undefined && parentRefs.length > 0) continue;
    if (hosts === undefined) anyHost.push(name);
    for (const host of hosts ?? []) {
      const names = byHost.get(host);
      if (names === undefined) byHost.set(host, [name]);
      else names.push(name);
    }
  }
  return { byHost, anyHost };
}

const isWithinLimit = (text: string): boolean =>
  text.length <= INLINE_LIMIT_BYTES && (text.length * 3 <= INLINE_LIMIT_BYTES || encodeText(text).length <= INLINE_LIMIT_BYTES);

/** Texts of the shards: as few as keep each within the limit. `length`: of the text of all. */
function cut(http: ProxyConfiguration, length: number, texts: SharedTexts): { common: string; shards: (string | null)[] } {
  const children = routersByParent(http.routers);
  const { byHost, anyHost } = routersByHost(http.routers);
  const common = canonicalJson(closeOver(http, anyHost, children));
  for (let count = 2 ** Math.floor(Math.log2(Math.max(1, length / INLINE_LIMIT_BYTES))); ; count *= 2) {
    const parts = cutInto(count, http, byHost, children);
    const isLast = count >= MAX_SHARDS;
    if (!isLast && parts.some((part) => part !== null && texts.lengthOf(part) > INLINE_LIMIT_BYTES)) continue;
    const shards = parts.map((part) => (part === null ? null : texts.textOf(part)));
    if (isLast || shards.every((shard) => shard === null || isWithinLimit(shard))) return { common, shards };
  }
}

function cutInto(
  count: number,
  http: ProxyConfiguration,
  byHost: ReadonlyMap<string, readonly string[]>,
  children: ChildrenOf,
): (ProxyConfiguration | null)[] {
  const roots = Array.from({ length: count }, () => new Set<string>());
  byHost.forEach((names, host) => {
    const root = roots[shardOf(host, count)]!;
    for (const name of names) root.add(name);
  });
  return roots.map((names) => (names.size === 0 ? null : closeOver(http, names, children)));
}
