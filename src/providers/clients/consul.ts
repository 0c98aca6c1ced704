import { type Clock, sleep } from '../../base/clock.ts';
import type { Infer } from '../../base/schema.ts';
import type { consul as consulOptions } from '../../config/static/stores.ts';
import { createAnnouncements } from './announcements.ts';
import { createChanges } from './changes.ts';
import { readClientTls } from './client-tls.ts';
import { holdLock } from './held-lock.ts';
import { createPairList } from './pair-list.ts';
import { type Changed, type OpenedStore, type StoreChange, type StoreContext, StoreError, type StoreLock } from './store.ts';
import { type Answer, createStoreHttp, parseAnswer, type Question, type StoreHttp } from './store-http.ts';
import { type PartLimits, partsOf } from './store-parts.ts';

/** `namespace` is one of `namespaces`: every one is a store of its own. */
export type ConsulStoreOptions = Omit<Infer<typeof consulOptions>, 'rootKey' | 'namespaces'> & { readonly namespace?: string };

/** Of one transaction before Consul 1.14 (128 since); the check of the session is one of them. */
const MAX_OPERATIONS = 64;
/** A transaction may have 512 KiB as a request, where values are in base64. */
const MAX_WRITE_BYTES = 300 * 1024;
const PARTS: PartLimits = { maxChanges: MAX_OPERATIONS - 1, maxBytes: MAX_WRITE_BYTES, overheadBytes: (key) => key.length + 100 };
/** How long an agent keeps a question without news, and by how much it may spread the answers (a sixteenth). */
const WAIT_MS = 60_000;
const PATIENCE_MS = WAIT_MS * (1 + 1 / 16) + 10_000;
/** A server that has just become the leader may otherwise answer before it has all keys again. */
const CONSISTENT = 'consistent';
/** Where nothing is, every key that changes anywhere ends a question: so long a rest before the next. */
const REST_MS = 100;
/** Shorter sessions are refused. Consul ends one only twice its TTL after it was last renewed (measured: 20.0 s of 10 s). */
const SHORTEST_TTL_MS = 10_000;

interface Entry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
  /** Of whoever holds it. */
  readonly Session?: string;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const keyPath = (key: string): string => `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;

/** A Consul agent. Throws ConfigError when a TLS file cannot be read. */
export async function openConsulStore(options: ConsulStoreOptions, { clock, log }: StoreContext): Promise<OpenedStore> {
  const { endpoints, token, namespace, tls } = options;
  const http = createStoreHttp(endpoints, 8500, tls && (await readClientTls(tls)));
  const ask = createAsk(http, token, namespace);
  const sessions = new WeakMap<StoreLock, { key: string; session: string }>();
  const announcements = createAnnouncements({ clock, ...createNotes(ask) });
  const name = `consul at ${endpoints.join(', ')}${namespace ? ` (namespace ${namespace})` : ''}`;
  let isPartial = false;

  return {
    name,
    atomicChanges: MAX_OPERATIONS - 1,
    async read(prefix) {
      const list = createPairList(prefix);
      const answer = await ask({ method: 'GET', path: `${keyPath(prefix)}?recurse&${CONSISTENT}` });
      if (answer.status === 404) {
        // So it answers too when the token may see none of them; for a single key it says that.
        if (prefix !== '') await readEntry(ask, prefix);
        return [];
      }
      if (answer.headers['x-consul-results-filtered-by-acls'] === 'true' && !isPartial) {
        isPartial = true;
        log.warn('The token may not see all keys', { store: name, prefix });
      }
      for (const { Key, Value } of parseAnswer<Entry[]>(answer)) list.add(Key, decodeValue(Value));
      return list.pairs;
    },
    async get(key) {
      const entry = await readEntry(ask, key);
      return entry && decodeValue(entry.Value);
    },
    watch: (prefixes, signal) => watchConsul(ask, clock, prefixes, signal),
    async write(changes, lock) {
      const held = lock.isHeld() ? sessions.get(lock) : undefined;
      if (held === undefined) throw lostLock();
      for (const part of partsOf(changes, PARTS)) await writePart(ask, part, { ...held, namespace });
    },
    lock: async (key, holder, ttlMs) => {
      const taken = await takeLock(ask, clock, key, holder, Math.max(SHORTEST_TTL_MS, ttlMs));
      if (taken !== undefined) sessions.set(taken.lock, { key, session: taken.session });
      return taken?.lock;
    },
    announce: announcements.announce,
    async close() {
      await announcements.close();
      http.close();
    },
  };
}

type Ask = (question: Question) => Promise<Answer>;

/** 404 (no such key) and 409 (a transaction that was not done) are answers; other refusals are thrown. */
function createAsk(http: StoreHttp, token: string | undefined, namespace: string | undefined): Ask {
  const headers: Record<string, string> = token ? { 'x-consul-token': token } : {};
  return async (question) => {
    const path = namespace
      ? `${question.path}${question.path.includes('?') ? '&' : '?'}ns=${encodeURIComponent(namespace)}`
      : question.path;
    const answer = await http.ask({ ...question, path, headers });
    const { status, text } = answer;
    if (status === 200 || status === 404 || status === 409) return answer;
    const isOurs = status >= 400 && status < 500 && status !== 429;
    throw new StoreError(isOurs ? 'refused' : 'unreachable', `Consul answers ${status}: ${text.trim().slice(0, 200)}`);
  };
}

const decodeValue = (value: string | null): string => Buffer.from(value ?? '', 'base64').toString('utf8');

/** Blocking questions, one for each prefix. */
async function* watchConsul(ask: Ask, clock: Clock, prefixes: readonly string[], signal: AbortSignal): AsyncGenerator<Changed> {
  const changes = createChanges(signal);
  const over = new AbortController();
  const both = AbortSignal.any([over.signal, signal]);
  try {
    const starts = await Promise.all(prefixes.map((prefix) => askIndex(ask, prefix, undefined, both)));
    for (const [position, prefix] of prefixes.entries())
      followIndex(ask, clock, prefix, starts[position]!, changes.mark, both).catch((error: Error) => {
        if (!both.aborted) changes.fail(error);
      });
    changes.mark();
    yield* changes.stream();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    over.abort();
  }
}

interface Seen {
  readonly index: number;
  readonly isEmpty: boolean;
}

async function followIndex(ask: Ask, clock: Clock, prefix: string, start: Seen, mark: () => void, signal: AbortSignal): Promise<void> {
  let seen = start;
  while (!signal.aborted) {
    const told = await askIndex(ask, prefix, seen.index, signal);
    // To who waits while a snapshot is restored, Consul says once more what was before it; later it waits for the old index to come again.
    const next = told.index === seen.index ? await askIndex(ask, prefix, undefined, signal) : told;
    if (next.isEmpty && seen.isEmpty) await sleep(clock, REST_MS, signal);
    else if (next.index !== seen.index) mark();
    seen = next;
  }
}

/** The index of what stands below a prefix; with one, when it is another, or after WAIT_MS. Of keys only the first folders are named. */
async function askIndex(ask: Ask, prefix: string, index: number | undefined, signal: AbortSignal): Promise<Seen> {
  const wait = index === undefined ? '' : `&index=${index}&wait=${WAIT_MS / 1_000}s`;
  const path = `${keyPath(prefix)}?keys&separator=/${wait}`;
  const { headers, status } = await ask({ method: 'GET', path, signal, timeoutMs: index === undefined ? undefined : PATIENCE_MS });
  const next = Number(headers['x-consul-index']);
  if (!Number.isSafeInteger(next)) throw new StoreError('bad-answer', 'The answer has no X-Consul-Index; is this a Consul?');
  // 0 would not wait at all.
  return { index: Math.max(1, next), isEmpty: status === 404 };
}

async function takeLock(
  ask: Ask,
  clock: Clock,
  key: string,
  holder: string,
  ttlMs: number,
): Promise<{ lock: StoreLock; session: string } | undefined> {
  const session = await createSession(ask, ttlMs, 'release');
  if (!(await acquire(ask, key, session, holder))) {
    await endSession(ask, session);
    return undefined;
  }
  const entry = await readEntry(ask, key);
  const lock = holdLock({
    fence: entry?.ModifyIndex ?? 0,
    ttlMs,
    clock,
    renew: () => renewSession(ask, session),
    release: () => endSession(ask, session),
  });
  return { lock, session };
}

/** False when another session holds it. One that may not have it is ended. */
async function acquire(ask: Ask, key: string, session: string, value: string): Promise<boolean> {
  try {
    return (await ask({ method: 'PUT', path: `${keyPath(key)}?acquire=${session}`, body: value })).text.trim() === 'true';
  } catch (error) {
    await endSession(ask, session);
    throw error;
  }
}

async function readEntry(ask: Ask, key: string): Promise<Entry | undefined> {
  const answer = await ask({ method: 'GET', path: `${keyPath(key)}?${CONSISTENT}` });
  return answer.status === 404 ? undefined : parseAnswer<Entry[]>(answer)[0];
}

/** Pairs that go with a session of their own. */
function createNotes(ask: Ask) {
  const notes = new Map<string, { session: string; value: string }>();
  return {
    async put(key: string, value: string, ttlMs: number): Promise<void> {
      const known = notes.get(key);
      const isAlive = known !== undefined && (await renewSession(ask, known.session));
      if (isAlive && known.value === value) return;
      notes.delete(key);
      const session = isAlive ? known.session : await createSession(ask, ttlMs, 'delete');
      if (!(await acquire(ask, key, session, value))) {
        // What an earlier life of this process left: its session runs out late.
        await endSession(ask, (await readEntry(ask, key))?.Session ?? '');
        if (!(await acquire(ask, key, session, value))) {
          await endSession(ask, session);
          throw new StoreError('unreachable', `Another session still holds '${key}'`);
        }
      }
      notes.set(key, { session, value });
    },
    remove: (key: string): Promise<void> => endSession(ask, notes.get(key)?.session ?? ''),
  };
}

/**
 * LockDelay would keep the next one waiting after a holder died; the fence is what makes that safe. Without Checks the session is not
 * bound to the health of the one agent that was asked: another endpoint may go on with it.
 */
async function createSession(ask: Ask, ttlMs: number, behavior: 'release' | 'delete'): Promise<string> {
  const body = {
    Name: 'edgeway',
    TTL: `${Math.ceil(Math.max(SHORTEST_TTL_MS, ttlMs / 2) / 1_000)}s`,
    Behavior: behavior,
    LockDelay: '0s',
    Checks: [],
  };
  return parseAnswer<{ ID: string }>(await ask({ method: 'PUT', path: '/v1/session/create', body: JSON.stringify(body) })).ID;
}

const renewSession = async (ask: Ask, session: string): Promise<boolean> =>
  (await ask({ method: 'PUT', path: `/v1/session/renew/${session}` })).status === 200;

const endSession = (ask: Ask, session: string): Promise<void> =>
  ask({ method: 'PUT', path: `/v1/session/destroy/${session}` }).then(
    () => {},
    // It ends by itself.
    () => {},
  );

interface Held {
  readonly key: string;
  readonly session: string;
  readonly namespace: string | undefined;
}

/** Operations name their namespace each: a transaction does not take it from its query. */
async function writePart(ask: Ask, changes: readonly StoreChange[], { key, session, namespace }: Held): Promise<void> {
  const operation = (Verb: string, Key: string, more?: object) => ({
    KV: { Verb, Key, ...more, ...(namespace && { Namespace: namespace }) },
  });
  const operations = [
    operation('check-session', key, { Session: session }),
    ...changes.map(({ key, value }) => (value === undefined ? operation('delete', key) : operation('set', key, { Value: encode(value) }))),
  ];
  const answer = await ask({ method: 'PUT', path: '/v1/txn', body: JSON.stringify(operations) });
  if (answer.status === 200) return;
  const errors = parseAnswer<{ Errors?: { OpIndex: number; What: string }[] }>(answer).Errors ?? [];
  if (errors.some(({ OpIndex, What }) => OpIndex === 0 && !What.startsWith('Permission denied'))) throw lostLock();
  throw new StoreError('refused', errors.map(({ What }) => What).join('; ') || `Consul answers ${answer.status}`);
}

const lostLock = (): StoreError => new StoreError('lost-lock', 'Somebody else has taken the lock');
