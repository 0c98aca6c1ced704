import type { JWK } from 'jose';
import { sha256Hex } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { createCode, readCode } from '../../config/codes.ts';
import { type Compiled, compileSnapshot } from '../../config/compile.ts';
import type {
  CodesRequest,
  EnrolRequest,
  HubKeys,
  HubStatus,
  PingAnswer,
  PublishAnswer,
  PublisherKind,
  PublisherStatus,
  RevisionDiff,
  RevisionKind,
  RevisionSummary,
} from '../../config/hub-protocol.ts';
import { POINTER_KEY, type SnapshotSource } from '../../config/kv-layout.ts';
import { checkPublisherName, type PublicationManifest, parseManifest } from '../../config/publication.ts';
import { canonicalJson } from '../../config/snapshot.ts';
import { createHistory } from './history.ts';
import { AWAY_MS, createLeases, LEASE_MS } from './leases.ts';
import { createPublications } from './publications.ts';
import { authenticate, enrol, forgetExpiredCodes, type SignedRequest, useAdminCode } from './publishers.ts';
import { Refusal } from './refusal.ts';
import { createTables, type HubStorage, readState, type State, writeState } from './storage.ts';
import { createWriter, type KvStore } from './writer.ts';

export interface HubOptions {
  readonly storage: HubStorage;
  readonly kv: KvStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Signs codes and sessions; 32 bytes, base64url. */
  readonly adminKey: string | undefined;
  readonly sealKey: string | undefined;
  /** Public halves. */
  readonly grantKeys: readonly JWK[];
}

/** The single writer of KV. Everything throws Refusal where the caller must do something else. */
export interface Hub extends SnapshotSource {
  enrol(request: SignedRequest, wanted: EnrolRequest): Promise<HubKeys>;
  /** Name of the publisher that signed the request. */
  authenticate(request: SignedRequest): Promise<string>;
  keys(): Promise<HubKeys>;
  ping(publisher: string, down: readonly string[]): Promise<PingAnswer>;
  upload(texts: Readonly<Record<string, string>>): Promise<void>;
  publish(publisher: string, manifest: unknown): Promise<PublishAnswer>;
  publication(publisher: string): PublicationManifest | undefined;
  shard(hash: string): string | undefined;
  openSession(adminCode: string, name: string): Promise<{ session: string; expiresAt: number }>;
  /** Name of the operator. */
  checkSession(session: string): Promise<string>;
  status(): HubStatus;
  history(limit: number): RevisionSummary[];
  diff(from: number, to: number): Promise<RevisionDiff>;
  rollback(revision: number, who: string): Promise<HubStatus>;
  release(who: string): Promise<HubStatus>;
  codes(wanted: CodesRequest): Promise<string[]>;
  removePublisher(name: string, who: string): Promise<HubStatus>;
  alarm(): Promise<void>;
}

const SESSION_MS = 30 * 86_400_000;
const CODE_MS = 3_600_000;
/** Rings when the hub was thrown out of memory in the middle of a write. */
const SAFETY_MS = 5_000;

/**
 * What publishers say → compile → history → KV. Changes are written down before anything is answered, and brought into force in
 * turns; what a turn could not finish, the alarm does.
 */
export function createHub(options: HubOptions): Hub {
  const { storage, kv, clock, log } = options;
  createTables(storage);
  const publications = createPublications(storage);
  const leases = createLeases(storage);
  const history = createHistory(storage, async () => {
    const text = await kv.get(POINTER_KEY);
    return text === null ? 0 : (JSON.parse(text) as { revision: number }).revision;
  });
  const writer = createWriter(storage, kv, clock, log);
  const adminKey = (): string => {
    if (options.adminKey === undefined) throw new Refusal('unauthorized', "EDGEWAY_ADMIN_KEY is not set; run 'edgeway edge init'");
    return options.adminKey;
  };
  let compiled: Compiled | undefined;
  let turns: Promise<unknown> = Promise.resolve();
  wake();

  function wake(): void {
    const dueAt = readState(storage, 'alarmAt');
    if (dueAt > 0 && clock.now() > dueAt + AWAY_MS) leases.grantAll(clock.now());
  }

  const compile = (): Compiled => (compiled ??= compileSnapshot(publications.inputs()));

  type Cause = NonNullable<State['dirty']>[number];
  function markDirty(who: string, kind: Cause['kind']): void {
    compiled = undefined;
    const causes = readState(storage, 'dirty') ?? [];
    if (!causes.some((cause) => cause.who === who && cause.kind === kind)) writeState(storage, 'dirty', [...causes, { who, kind }]);
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = turns.then(work, work);
    turns = turn.catch(() => {});
    return turn;
  }

  /** One turn. What is left to do afterwards has its alarm. */
  async function bringIntoForce(): Promise<void> {
    schedule();
    await recordChanges();
    const latest = history.latest();
    if (latest !== undefined && latest.revision > readState(storage, 'written') && (await writer.writeRevision(latest)))
      await writer.deleteObjects(history.prune(clock.now()));
    await writer.writeHealth(canonicalJson(leases.health()));
    schedule();
  }

  async function recordChanges(): Promise<void> {
    const causes = readState(storage, 'dirty');
    if (causes === null || readState(storage, 'pinned') !== null) return;
    const kind: RevisionKind = causes.some((cause) => cause.kind === 'release') ? 'release' : causes.at(-1)!.kind;
    const { snapshot } = compile();
    await history.add(snapshot, kind, [...new Set(causes.map(({ who }) => who))], clock.now());
    // More may have come while this was written down.
    const left = (readState(storage, 'dirty') ?? []).filter(
      (cause) => !causes.some((done) => done.who === cause.who && done.kind === cause.kind),
    );
    writeState(storage, 'dirty', compiled?.snapshot === snapshot ? null : left.length > 0 ? left : causes);
  }

  const isPending = (): boolean => (history.latest()?.revision ?? 0) > readState(storage, 'written');
  const isDirty = (): boolean => readState(storage, 'dirty') !== null && readState(storage, 'pinned') === null;

  /** Sets the alarm for what is to be done next, unless it rings before. */
  function schedule(): void {
    const now = clock.now();
    const times = [
      leases.nextAt(),
      isPending() || isDirty() ? (writer.retryAt() ?? now + SAFETY_MS) : undefined,
      canonicalJson(leases.health()) === readState(storage, 'health') ? undefined : Math.max(writer.healthAt(), writer.retryAt() ?? now),
    ];
    const next = Math.min(...times.filter((time) => time !== undefined));
    const current = readState(storage, 'alarmAt');
    if (next === Number.POSITIVE_INFINITY || (current > now && current <= next)) return;
    writeState(storage, 'alarmAt', next);
    storage.setAlarm(next);
  }

  async function alarm(): Promise<void> {
    const now = clock.now();
    const dueAt = readState(storage, 'alarmAt');
    writeState(storage, 'alarmAt', 0);
    if (dueAt > 0 && now > dueAt + AWAY_MS) leases.grantAll(now);
    for (const name of leases.expire(now)) {
      publications.remove(name);
      markDirty(name, 'forget');
    }
    publications.clean(now);
    forgetExpiredCodes(storage, now);
    await inTurn(bringIntoForce);
  }

  async function publish(publisher: string, value: unknown): Promise<PublishAnswer> {
    const manifest = parseManifest(value);
    if (manifest.publisher !== publisher) throw new Refusal('malformed', `'${publisher}' cannot publish as '${manifest.publisher}'`);
    const changed = publications.accept(manifest);
    if (manifest.link !== undefined) leases.renew(publisher, clock.now());
    if (changed) markDirty(publisher, 'publish');
    const before = history.latest()?.revision;
    await inTurn(bringIntoForce);
    const { conflicts, problems } = compile();
    const revision = history.latest()?.revision ?? 0;
    const isWritten = revision !== before && !isPending();
    return {
      revision,
      state: readState(storage, 'pinned') !== null ? 'pinned' : isPending() || isDirty() ? 'queued' : isWritten ? 'written' : 'unchanged',
      problems: problems.filter((problem) => problem.publisher === publisher),
      conflicts: conflicts.filter(({ winner, losers }) => [winner, ...losers].some(({ publishers }) => publishers.includes(publisher))),
    };
  }

  async function keys(): Promise<HubKeys> {
    const { grantKeys, sealKey } = options;
    if (sealKey === undefined || grantKeys.length === 0)
      throw new Refusal('internal', "EDGEWAY_SEAL_KEY or EDGEWAY_GRANT_KEY is not set; run 'edgeway edge init'");
    return { grantKeys, sealKey, id: (await sha256Hex(canonicalJson([grantKeys, sealKey]))).slice(0, 16) };
  }

  function status(): HubStatus {
    const { conflicts, problems } = compile();
    const latest = history.latest();
    return {
      now: clock.now(),
      revision: readState(storage, 'written'),
      pending: isPending() ? { revision: latest!.revision, error: writer.lastError() ?? null } : null,
      pinned: readState(storage, 'pinned'),
      publishers: storage.sql('SELECT * FROM publishers ORDER BY name').map(toPublisherStatus),
      conflicts,
      problems,
    };
  }

  async function rollback(revision: number, who: string): Promise<HubStatus> {
    await inTurn(async () => {
      const { revision: _old, ...content } = await history.read(revision);
      writeState(storage, 'pinned', { revision, by: who, at: clock.now() });
      await history.add(content, 'rollback', [who], clock.now());
      await bringIntoForce();
    });
    return status();
  }

  async function release(who: string): Promise<HubStatus> {
    if (readState(storage, 'pinned') === null) throw new Refusal('not-found', 'No revision is pinned');
    writeState(storage, 'pinned', null);
    markDirty(who, 'release');
    await inTurn(bringIntoForce);
    return status();
  }

  async function removePublisher(name: string, who: string): Promise<HubStatus> {
    if (storage.sql('SELECT 1 FROM publishers WHERE name = ?', name).length === 0)
      throw new Refusal('not-found', `There is no publisher '${name}'`);
    if (publications.remove(name)) markDirty(who, 'remove');
    storage.sql('DELETE FROM publishers WHERE name = ?', name);
    await inTurn(bringIntoForce);
    return status();
  }

  async function codes({ count = 1, name, replace, lifetimeMs = CODE_MS }: CodesRequest): Promise<string[]> {
    const problem = name === undefined ? undefined : checkPublisherName(name);
    if (problem !== undefined) throw new Refusal('malformed', problem);
    if (!(count >= 1 && count <= 50 && lifetimeMs >= 1_000)) throw new Refusal('malformed', 'Between 1 and 50 codes are made at once');
    return Promise.all(
      Array.from({ length: count }, () => createCode(adminKey(), { purpose: 'enrol', now: clock.now(), lifetimeMs, name, replace })),
    );
  }

  return {
    async enrol(request, wanted) {
      await enrol(storage, wanted, request, adminKey(), clock.now());
      log.info('A publisher is enrolled', { publisher: wanted.name, kind: wanted.kind });
      return keys();
    },
    authenticate: (request) => authenticate(storage, request, clock.now()),
    keys,
    async ping(publisher, down) {
      leases.renew(publisher, clock.now(), down);
      if (canonicalJson(leases.health()) !== readState(storage, 'health')) await inTurn(bringIntoForce);
      else schedule();
      const [row] = storage.sql('SELECT revision FROM publishers WHERE name = ?', publisher);
      const revision = row?.revision as number | null;
      return { leaseMs: LEASE_MS, keysId: (await keys()).id, ...(revision !== null && { revision }) };
    },
    upload: (texts) => publications.upload(texts, clock.now()),
    publish,
    publication: publications.manifestOf,
    shard: publications.shard,
    async openSession(code, name) {
      await useAdminCode(storage, code, adminKey(), clock.now());
      const now = clock.now();
      const session = await createCode(adminKey(), { purpose: 'session', now, lifetimeMs: SESSION_MS, name });
      return { session, expiresAt: now + SESSION_MS };
    },
    async checkSession(session) {
      const code = await readCode(adminKey(), 'session', session, clock.now());
      if (code === undefined) throw new Refusal('unauthorized', "No valid session; 'edgeway edge login' opens one");
      return code.name ?? 'operator';
    },
    status,
    history: (limit) => history.list(limit),
    diff: async (from, to) => ({ from, to, changes: await history.diff(from, to) }),
    rollback,
    release,
    codes,
    removePublisher,
    alarm,
    async readPointer() {
      const latest = history.latest();
      return latest === undefined ? null : latest.pointer;
    },
    readObject: async (hash) => history.object(hash) ?? null,
  };
}

function toPublisherStatus(row: Record<string, string | number | null>): PublisherStatus {
  const manifest = row.manifest === null ? undefined : (JSON.parse(row.manifest as string) as PublicationManifest);
  return {
    name: row.name as string,
    kind: row.kind as PublisherKind,
    enrolledAt: row.enrolled_at as number,
    seenAt: row.seen_at as number | null,
    lease: manifest?.link === undefined ? 'none' : row.lapsed_at === null ? 'active' : 'lapsed',
    revision: row.revision as number | null,
    routers: manifest?.routers ?? 0,
    link: manifest?.link ?? null,
    down: JSON.parse(row.down as string) as string[],
  };
}
