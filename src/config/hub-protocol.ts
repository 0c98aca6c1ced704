import type { JWK } from 'jose';
import type { CompileProblem, Conflict } from './compile.ts';
import type { SiteLink } from './snapshot.ts';

/**
 * How publishers and operators talk to the hub, on the control host. Publishers sign every request with their own key; operators
 * show a session. Every answer carries the hub's time.
 */
export const HUB_PATHS = {
  time: '/hub/time',
  enrol: '/hub/enrol',
  keys: '/hub/keys',
  ping: '/hub/ping',
  publication: '/hub/publication',
  shards: '/hub/shards',
  objects: '/hub/objects',
  session: '/hub/admin/session',
  status: '/hub/admin/status',
  history: '/hub/admin/history',
  diff: '/hub/admin/diff',
  rollback: '/hub/admin/rollback',
  release: '/hub/admin/release',
  codes: '/hub/admin/codes',
  publishers: '/hub/admin/publishers',
} as const;

/** Milliseconds since the epoch, in every answer. */
export const HUB_TIME_FIELD = 'edgeway-time';

/** Why the hub refuses. `clock`, `replay` and `stale` may be tried again with what the answer says. */
export const HUB_ERRORS = {
  malformed: 'The request is not what the path wants.',
  unauthorized: 'No valid token, code or session.',
  'unknown-publisher': 'Nobody of this name is enrolled; enrol again.',
  clock: 'The time of the token is too far from that of the hub.',
  replay: 'A token of this time or a later one was used already.',
  taken: 'Another key is enrolled under this name.',
  missing: 'Shards that the manifest names are not here: `missing` lists them.',
  stale: 'A later revision of the publication is here: `revision` tells which.',
  limit: 'A limit is exceeded.',
  'not-found': 'There is no such thing.',
  internal: 'The hub failed.',
} as const;
export type HubErrorCode = keyof typeof HUB_ERRORS;

export interface HubErrorBody {
  readonly code: HubErrorCode;
  readonly message: string;
  readonly missing?: readonly string[];
  readonly revision?: number;
  /** `replay`: the time that the next token must be later than. */
  readonly after?: number;
}

/** `agent` has a relay and a lease; `sync` publishes now and then and is never forgotten. */
export type PublisherKind = 'agent' | 'sync';

export interface EnrolRequest {
  readonly code: string;
  readonly name: string;
  readonly kind: PublisherKind;
  /** Public Ed25519 key. The request is signed with its private half. */
  readonly key: JWK;
}

/** What publishers pin. */
export interface HubKeys {
  /** Public keys that sign grants; two while they are changed. */
  readonly grantKeys: readonly JWK[];
  /** As EDGEWAY_SEAL_KEY. */
  readonly sealKey: string;
  /** Changes when any of them does; pings tell it. */
  readonly id: string;
}

export interface PingRequest {
  /** Names at the publisher's site (services, routers that are handed over) without any healthy server. */
  readonly down: readonly string[];
}

export interface PingAnswer {
  readonly leaseMs: number;
  readonly keysId: string;
  /** Of the publication that the hub has; absent when it has none, and the publisher should publish again. */
  readonly revision?: number;
}

export interface PublishAnswer {
  /** Of the snapshot in force, or on its way. */
  readonly revision: number;
  /** `unchanged`: nothing was written. `queued`: KV could not be written yet, and the hub goes on trying. `pinned`: it waits for a release. */
  readonly state: 'written' | 'unchanged' | 'queued' | 'pinned';
  /** Of this publisher's objects. */
  readonly problems: readonly CompileProblem[];
  /** Those in which this publisher is a side. */
  readonly conflicts: readonly Conflict[];
}

export type Lease = 'none' | 'active' | 'lapsed';

export interface PublisherStatus {
  readonly name: string;
  readonly kind: PublisherKind;
  readonly enrolledAt: number;
  readonly seenAt: number | null;
  readonly lease: Lease;
  readonly revision: number | null;
  readonly routers: number;
  readonly link: SiteLink | null;
  readonly down: readonly string[];
}

export interface HubStatus {
  readonly now: number;
  /** In KV; 0 when nothing was ever written. */
  readonly revision: number;
  /** On the way to KV. */
  readonly pending: { readonly revision: number; readonly error: string | null } | null;
  readonly pinned: Pin | null;
  readonly publishers: readonly PublisherStatus[];
  readonly conflicts: readonly Conflict[];
  readonly problems: readonly CompileProblem[];
}

/** A roll-back that stands until it is released. */
export interface Pin {
  /** The revision whose content is in force. */
  readonly revision: number;
  readonly by: string;
  readonly at: number;
}

export type RevisionKind = 'publish' | 'forget' | 'remove' | 'rollback' | 'release';

export interface RevisionSummary {
  readonly revision: number;
  readonly at: number;
  readonly who: readonly string[];
  readonly kind: RevisionKind;
  readonly changes: ChangeNames;
}

/** Names of changed objects, as `routers/blog@docker`; the first hundred of each. */
export interface ChangeNames {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** How many there are in all. */
  readonly count: number;
}

export interface RevisionDiff {
  readonly from: number;
  readonly to: number;
  readonly changes: readonly ObjectChange[];
}

/** Secrets are sealed; null where the object is not there. */
export interface ObjectChange {
  readonly object: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface CodesRequest {
  readonly count?: number;
  /** The only name that may be enrolled with it. */
  readonly name?: string;
  /** An enrolled name gets the new key. */
  readonly replace?: boolean;
  readonly lifetimeMs?: number;
}
