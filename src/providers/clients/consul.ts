import type { Clock } from '../../base/clock.ts';
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

/** Of one transaction; the check of the session is one of them. */
const MAX_OPERATIONS = 64;
/** A transaction may have 512 KiB as a request, where values are in base64. */
const MAX_WRITE_BYTES = 300 * 1024;
const PARTS: PartLimits = { maxChanges: MAX_OPERATIONS - 1, maxBytes: MAX_WRITE_BYTES, overheadBytes: (key) => key.length + 100 };
/** How long an agent keeps a question without news, and by how much it may spread the answers (a sixteenth). */
const WAIT_MS = 60_000;
const PATIENCE_MS = WAIT_MS * (1 + 1 / 16) + 10_000;
/** Shorter sessions are refused. */
const SHORTEST_TTL_MS = 10_000;

interface Entry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const keyPath = (key: string): string => `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;

/** A Consul agent. Throws ConfigError when a TLS file cannot be read. */
export async function openConsulStore(options: ConsulStoreOptions, { clock }: StoreContext): Promise<OpenedStore> {
  const { endpoints, token, namespace, tls } = options;
  const http = createStoreHttp(endpoints, 8500, tls && (await readClientTls(tls)));
  const ask = createAsk(http, token, namespace);
  const sessions = new WeakMap<StoreLock, { key: string; session: string }>();
  const notes = new Map<string, { session: string; value: string }>();
  const announcements = createAnnouncements({
    clock,
    async put(key, value, ttlMs) {
      const known = notes.get(key);
      if (known?.value === value && (await renewSession(ask, known.session))) return;
      if (known !== undefined) await endSession(ask, known.session);
      const session = await createSession(ask, ttlMs, 'delete');
      const { text } = await ask({ method: 'PUT', path: `${keyPath(key)}?acquire=${session}`, body: value });
      if (text.trim() !== 'true') throw new StoreError('unreachable', `Another session still holds '${key}'`);
      notes.set(key, { session, value });
    },
    remove: async (key) => endSession(ask, notes.get(key)?.session ?? ''),
  });

  return {
    name: `consul at ${endpoints.join(', ')}${namespace ? ` (namespace ${namespace})` : ''}`,
    atomicChanges: MAX_OPERATIONS - 1,
    async read(prefix) {
      const list = createPairList(prefix);
      const answer = await ask({ method: 'GET', path: `${keyPath(prefix)}?recurse` });
      if (answer.status === 404) return [];
      for (const { Key, Value } of parseAnswer<Entry[]>(answer)) list.add(Key, decodeValue(Value));
      return list.pairs;
    },
    async get(key) {
      const answer = await ask({ method: 'GET', path: keyPath(key) });
      return answer.status === 404 ? undefined : decodeValue(parseAnswer<Entry[]>(answer)[0]?.Value ?? null);
    },
    watch: (prefixes, signal) => watchConsul(ask, prefixes, signal),
    async write(changes, lock) {
      const held = lock.isHeld() ? sessions.get(lock) : undefined;
      if (held === undefined) throw lostLock();
      for (const part of partsOf(changes, PARTS)) await writePart(ask, part, held);
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
async function* watchConsul(ask: Ask, prefixes: readonly string[], signal: AbortSignal): AsyncGenerator<Changed> {
  const changes = createChanges(signal);
  const over = new AbortController();
  const both = AbortSignal.any([over.signal, signal]);
  try {
    const starts = await Promise.all(prefixes.map((prefix) => askIndex(ask, prefix, undefined, both)));
    for (const [position, prefix] of prefixes.entries())
      followIndex(ask, prefix, starts[position]!, changes.mark, both).catch((error: Error) => {
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

async function followIndex(ask: Ask, prefix: string, start: number, mark: () => void, signal: AbortSignal): Promise<void> {
  let index = start;
  while (!signal.aborted) {
    const next = await askIndex(ask, prefix, index, signal);
    if (next !== index) mark();
    // An index that went back is that of another history (a restored snapshot): it counts from here.
    index = next;
  }
}

/** The index of what stands below a prefix; with one, when it is another, or after WAIT_MS. */
async function askIndex(ask: Ask, prefix: string, index: number | undefined, signal: AbortSignal): Promise<number> {
  const wait = index === undefined ? '' : `&index=${index}&wait=${WAIT_MS / 1_000}s`;
  const path = `${keyPath(prefix)}?keys${wait}`;
  const { headers } = await ask({ method: 'GET', path, signal, timeoutMs: index === undefined ? undefined : PATIENCE_MS });
  const next = Number(headers['x-consul-index']);
  if (!Number.isSafeInteger(next)) throw new StoreError('bad-answer', 'The answer has no X-Consul-Index; is this a Consul?');
  // 0 would not wait at all.
  return Math.max(1, next);
}

async function takeLock(
  ask: Ask,
  clock: Clock,
  key: string,
  holder: string,
  ttlMs: number,
): Promise<{ lock: StoreLock; session: string } | undefined> {
  const session = await createSession(ask, ttlMs, 'release');
  const { text } = await ask({ method: 'PUT', path: `${keyPath(key)}?acquire=${session}`, body: holder });
  if (text.trim() !== 'true') {
    await endSession(ask, session);
    return undefined;
  }
  const entry = parseAnswer<Entry[]>(await ask({ method: 'GET', path: keyPath(key) }))[0];
  const lock = holdLock({
    fence: entry?.ModifyIndex ?? 0,
    ttlMs,
    clock,
    renew: () => renewSession(ask, session),
    release: () => endSession(ask, session),
  });
  return { lock, session };
}

/** LockDelay would keep the next one waiting after a holder died; the fence is what makes that safe. */
async function createSession(ask: Ask, ttlMs: number, behavior: 'release' | 'delete'): Promise<string> {
  const body = { Name: 'edgeway', TTL: `${Math.ceil(Math.max(SHORTEST_TTL_MS, ttlMs) / 1_000)}s`, Behavior: behavior, LockDelay: '0s' };
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

async function writePart(ask: Ask, changes: readonly StoreChange[], { key, session }: { key: string; session: string }): Promise<void> {
  const operations = [
    { KV: { Verb: 'check-session', Key: key, Session: session } },
    ...changes.map(({ key, value }) => ({
      KV: value === undefined ? { Verb: 'delete', Key: key } : { Verb: 'set', Key: key, Value: encode(value) },
    })),
  ];
  const answer = await ask({ method: 'PUT', path: '/v1/txn', body: JSON.stringify(operations) });
  if (answer.status === 200) return;
  const errors = parseAnswer<{ Errors?: { OpIndex: number; What: string }[] }>(answer).Errors ?? [];
  if (errors.some(({ OpIndex }) => OpIndex === 0)) throw lostLock();
  throw new StoreError('refused', errors.map(({ What }) => What).join('; ') || `Consul answers ${answer.status}`);
}

const lostLock = (): StoreError => new StoreError('lost-lock', 'Somebody else has taken the lock');
