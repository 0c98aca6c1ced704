import type { Site, Snapshot } from './snapshot.ts';

/**
 * What stands in Workers KV. The hub is the only writer; every Worker reads. Keys travel independently, so nothing but hashes
 * proves that texts belong together: `current/<schema>` names a hash, `objects/<hash>` never changes.
 */
export const KV_PREFIX = 'edgeway/';
export const POINTER_KEY = `${KV_PREFIX}current/1`;
export const HEALTH_KEY = `${KV_PREFIX}health`;
export const objectKey = (hash: string): string => `${KV_PREFIX}objects/${hash}`;

/** A snapshot up to this size (UTF-8 bytes of its canonical text) travels inside the pointer; a shard is never larger if it can be helped. */
export const INLINE_LIMIT_BYTES = 256 * 1024;

/** The value of `current/1`, canonical JSON: exactly one of `snapshot` and `manifest` is there. */
export interface Pointer {
  readonly schema: 1;
  /** Grows with every change; a reader ignores older ones than it has. */
  readonly revision: number;
  /** SHA-256 (hex) of the canonical text of `snapshot`, or of the manifest's text, which is then the same as `manifest`. */
  readonly hash: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly snapshot?: Snapshot;
  /** Hash of the manifest. */
  readonly manifest?: string;
}

/** Value of the object that a pointer names when the snapshot is too large for it. Shards hold a ProxyConfiguration each. */
export interface Manifest {
  readonly schema: 1;
  readonly revision: number;
  readonly sites: Readonly<Record<string, Site>>;
  /** Routers that may match any host; always read. */
  readonly common: string;
  /** By `shardOf(host, shards.length)`; null where no router's host falls. */
  readonly shards: readonly (string | null)[];
}

/**
 * Value of `health`, by site: written when something in it changes between none and some, at most every 5 s. It changes the order
 * in which sites are asked, never whether: a site that is named here is the last choice.
 */
export type EdgeHealth = Readonly<Record<string, SiteHealth>>;

export interface SiteHealth {
  /** The lease of the agent has lapsed. */
  readonly lapsed?: true;
  /** Names there (as errands name them: services, and routers that are handed over) without any healthy server. */
  readonly down?: readonly string[];
}

/** Where a reader turns when KV lacks a text: the hub offers these two as methods of its Durable Object. */
export interface SnapshotSource {
  /** The text of `current/1`; null when nothing was ever published. */
  readPointer(): Promise<string | null>;
  /** The text of an object; null when it is unknown. */
  readObject(hash: string): Promise<string | null>;
}

/** Name of the one hub among the Durable Objects of its class. */
export const HUB_NAME = 'hub';
