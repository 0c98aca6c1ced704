import type { EdgeHealth, SiteHealth } from '../../config/kv-layout.ts';
import { canonicalJson } from '../../config/snapshot.ts';
import type { HubStorage, Row } from './storage.ts';

/** A publisher that is not heard of for so long is the last choice of the edge. */
export const LEASE_MS = 60_000;
/** An alarm that rings later than this was not let ring: the hub was away, and so were everybody's pings. */
export const AWAY_MS = 5_000;

/** Who is there. Only publishers with a relay have a lease. */
export interface Leases {
  /** The publisher is there, and says which of its services and routers have no healthy server. */
  renew(publisher: string, now: number, down?: readonly string[]): void;
  /** The hub was away: whoever had a lease has a full one from now on. */
  grantAll(now: number): void;
  /** Lets leases lapse; gives publishers whose publication is to be forgotten. */
  expire(now: number): string[];
  /** What the edge is told. */
  health(): EdgeHealth;
  /** When something lapses or is forgotten next; undefined when nothing does. */
  nextAt(): number | undefined;
}

interface LeaseRow {
  readonly name: string;
  readonly lease_until: number | null;
  readonly lapsed_at: number | null;
  readonly forget_at: number | null;
  readonly manifest: string;
  readonly down: string;
}

export function createLeases(storage: HubStorage): Leases {
  const rows = (): LeaseRow[] =>
    storage.sql(
      "SELECT name, lease_until, lapsed_at, forget_at, manifest, down FROM publishers WHERE manifest IS NOT NULL AND json_extract(manifest, '$.link') IS NOT NULL",
    ) as (Row & LeaseRow)[];

  return {
    renew(publisher, now, down) {
      storage.sql(
        'UPDATE publishers SET lease_until = ?, lapsed_at = NULL, forget_at = NULL, down = coalesce(?, down) WHERE name = ?',
        now + LEASE_MS,
        down === undefined ? null : canonicalJson([...new Set(down)].sort()),
        publisher,
      );
    },

    grantAll(now) {
      storage.sql(
        'UPDATE publishers SET lease_until = max(lease_until, ?) WHERE lapsed_at IS NULL AND lease_until IS NOT NULL',
        now + LEASE_MS,
      );
      storage.sql('UPDATE publishers SET forget_at = max(forget_at, ?) WHERE forget_at IS NOT NULL', now + LEASE_MS);
    },

    expire(now) {
      const forgotten: string[] = [];
      for (const { name, lease_until, lapsed_at, forget_at, manifest } of rows()) {
        if (lapsed_at === null && lease_until !== null && lease_until <= now) {
          const { forgetAfterMs } = JSON.parse(manifest) as { forgetAfterMs: number };
          const forgetAt = forgetAfterMs === 0 ? null : Math.max(lease_until - LEASE_MS + forgetAfterMs, now);
          storage.sql('UPDATE publishers SET lapsed_at = ?, forget_at = ? WHERE name = ?', now, forgetAt, name);
        } else if (lapsed_at !== null && forget_at !== null && forget_at <= now) {
          forgotten.push(name);
        }
      }
      return forgotten;
    },

    health() {
      const health: Record<string, SiteHealth> = {};
      for (const { name, lapsed_at, down } of rows()) {
        const names = JSON.parse(down) as string[];
        if (lapsed_at === null && names.length === 0) continue;
        health[name] = { ...(lapsed_at !== null && { lapsed: true as const }), ...(names.length > 0 && { down: names }) };
      }
      return health;
    },

    nextAt() {
      const times = rows().flatMap(({ lease_until, lapsed_at, forget_at }) => (lapsed_at === null ? [lease_until] : [forget_at]));
      const known = times.filter((time) => time !== null);
      return known.length === 0 ? undefined : Math.min(...known);
    },
  };
}
