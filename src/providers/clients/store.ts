import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Pair } from '../../config/keys.ts';

/** What a client needs beside its options. */
export interface StoreContext {
  readonly clock: Clock;
  readonly log: Logger;
}

/** A key-value store by its kind: one client for the provider, `edgeway sync` and the bootstrap. */
export interface StoreClient {
  /** As messages name it, without credentials: `redis at 127.0.0.1:6379`. */
  readonly name: string;
  /** All pairs whose key begins with `prefix`, from one state of the store where it has such (etcd, Consul). Throws StoreError. */
  read(prefix: string): Promise<readonly Pair[]>;
  /** One pair. Throws StoreError. */
  get(key: string): Promise<string | undefined>;
  /**
   * Yields once at first, when nothing that changes from now on is missed, then after changes below one of the prefixes, bursts
   * as one. Ends with the signal; throws StoreError when the connection is lost or the store cannot tell of changes.
   */
  watch(prefixes: readonly string[], signal: AbortSignal): AsyncIterable<Changed>;
  /**
   * All writes or none of them where the store can (`isAtomic`), else in the given order, and only while the lock is still
   * held. Throws StoreError (`lost-lock` when somebody else has it).
   */
  write(changes: readonly StoreChange[], lock: StoreLock): Promise<void>;
  /** Changes that one `write` carries out at once; longer ones are divided. Infinity where there is no limit. */
  readonly atomicChanges: number;
  /**
   * Takes the lock `key`, which ends with its holder's session: `ttlMs` after the process that holds it died. Undefined when
   * somebody else holds it. Renewed by itself until `release`.
   */
  lock(key: string, holder: string, ttlMs: number): Promise<StoreLock | undefined>;
  close(): Promise<void>;
}

/** What `openStore` gives: also a place for what holds only as long as this process lives. */
export interface OpenedStore extends StoreClient {
  /**
   * Sets a pair that goes by itself, at most `ttlMs` after this process died, and is renewed until `close` takes it away. The same
   * key again changes its value. Throws StoreError, `refused` when the credentials do not allow it.
   */
  announce(key: string, value: string, ttlMs: number): Promise<void>;
}

/** Keys that were written or went; undefined when it may be any. */
export type Changed = ReadonlySet<string> | undefined;

export interface StoreChange {
  readonly key: string;
  /** Undefined: the key goes. */
  readonly value: string | undefined;
}

export interface StoreLock {
  /** Grows with every holder, so that a late write of an earlier one can be refused. */
  readonly fence: number;
  /** False once it ran out or was taken by somebody else. */
  isHeld(): boolean;
  release(): Promise<void>;
}

/** What went wrong with a store, in words for the user. */
export class StoreError extends Error {
  readonly code: 'unreachable' | 'refused' | 'not-watchable' | 'lost-lock' | 'bad-answer';

  constructor(code: StoreError['code'], message: string) {
    super(message);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** Where sync keeps what it must know, beside `root` and never below it: Traefik refuses all keys when one below is unknown to it. */
export const bookkeepingPrefix = (root: string): string => `edgeway/${root}/`;

/**
 * `edgeway/<root>/revision`: what sync wrote last. A provider waits with a `writing` one until it is `written`, or
 * until it has stood unchanged for the settling time, because its writer died.
 */
export interface StoreRevision {
  /** One more for every plan that was carried out. */
  readonly revision: number;
  readonly state: 'writing' | 'written';
  /** SHA-256 of the canonical pairs below root, in hex. */
  readonly hash: string;
  readonly writer: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** While a newer revision is tried on some agents. */
  readonly rollOut?: RollOut;
}

/**
 * A revision on its way from agent to agent. Keys below root are everybody's, so what it changes stands apart until all have it:
 * `edgeway/<root>/staged/<revision>/set/<key>` has the new value of `<root>/<key>`, `…/gone/<key>` says that the key goes. An agent
 * that is named lays this over the pairs below root; since that gives the same when some of them are new already, nothing moves
 * for it when at the end all are written.
 */
export interface RollOut {
  readonly revision: number;
  /** As StoreRevision has it. */
  readonly hash: string;
  /** Agents that run it. */
  readonly nodes: readonly string[];
}

export const stagedPrefix = (root: string, revision: number): string => `${bookkeepingPrefix(root)}staged/${revision}/`;
