import { createAnnouncements } from './announcements.ts';
import { createChanges } from './changes.ts';
import { createEtcdCalls, type EtcdCalls, type EtcdStoreOptions } from './etcd-calls.ts';
import { holdLock } from './held-lock.ts';
import { createPairList } from './pair-list.ts';
import { type Changed, type OpenedStore, type StoreChange, type StoreContext, StoreError, type StoreLock } from './store.ts';
import { type PartLimits, partsOf } from './store-parts.ts';

/** Of one transaction, as servers are set up (--max-txn-ops, --max-request-bytes 1.5 MiB). */
const MAX_OPERATIONS = 128;
const MAX_WRITE_BYTES = 1024 * 1024;
const PARTS: PartLimits = { maxChanges: MAX_OPERATIONS, maxBytes: MAX_WRITE_BYTES, overheadBytes: (key) => key.length };
const PAGE = 5_000;

interface Header {
  readonly header: { readonly revision?: string };
}
interface RangeAnswer extends Header {
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
  readonly more?: boolean;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

/** The range of all keys with this prefix: to the first that is greater than all of them. */
export function rangeOf(prefix: string): { key: string; range_end: string } {
  const end = Buffer.from(prefix);
  let length = end.length;
  while (length > 0 && end[length - 1] === 0xff) length--;
  if (length === 0) return { key: Buffer.from([0]).toString('base64'), range_end: Buffer.from([0]).toString('base64') };
  end[length - 1]! += 1;
  return { key: encode(prefix), range_end: end.subarray(0, length).toString('base64') };
}

/** An etcd 3.4 or later. Throws ConfigError when a TLS file cannot be read. */
export async function openEtcdStore(options: EtcdStoreOptions, { clock }: StoreContext): Promise<OpenedStore> {
  const calls = await createEtcdCalls(options);
  const fences = new WeakMap<StoreLock, string>();
  const leases = new Map<string, Lease>();
  const announcements = createAnnouncements({
    clock,
    async put(key, value, ttlMs) {
      const lease = leases.get(key);
      if (lease?.value === value && (await extendLease(calls, lease.id))) return;
      const id = await grantLease(calls, ttlMs);
      await calls.call('kv/put', { key: encode(key), value: encode(value), lease: id });
      leases.set(key, { id, value });
    },
    remove: (key) => revokeLease(calls, leases.get(key)?.id ?? '0'),
  });

  return {
    name: `etcd at ${options.endpoints.join(', ')}`,
    atomicChanges: MAX_OPERATIONS,
    async read(prefix) {
      const list = createPairList(prefix);
      const range = rangeOf(prefix);
      let from = range.key;
      let revision: string | undefined;
      for (;;) {
        // All pages are of one state: that of the first.
        const answer: RangeAnswer = await calls.call('kv/range', { ...range, key: from, limit: PAGE, revision });
        for (const { key, value = '' } of answer.kvs ?? []) list.add(decode(key), decode(value));
        if (!answer.more) return list.pairs;
        revision ??= answer.header.revision;
        from = Buffer.concat([Buffer.from(answer.kvs!.at(-1)!.key, 'base64'), Buffer.from([0])]).toString('base64');
      }
    },
    async get(key) {
      const { kvs } = await calls.call<RangeAnswer>('kv/range', { key: encode(key) });
      return kvs?.[0] && decode(kvs[0].value ?? '');
    },
    watch: (prefixes, signal) => watchEtcd(calls, prefixes, signal),
    async write(changes, lock) {
      const fence = lock.isHeld() ? fences.get(lock) : undefined;
      if (fence === undefined) throw lostLock();
      for (const part of partsOf(changes, PARTS)) await writePart(calls, part, fence);
    },
    async lock(key, holder, ttlMs) {
      const lease = await grantLease(calls, ttlMs);
      const target = encode(key);
      const { succeeded, header } = await calls.call<Header & { succeeded?: boolean }>('kv/txn', {
        compare: [{ key: target, target: 'CREATE', create_revision: '0' }],
        success: [{ request_put: { key: target, value: encode(holder), lease } }],
      });
      if (!succeeded) {
        await revokeLease(calls, lease);
        return undefined;
      }
      const lock = holdLock({
        fence: Number(header.revision),
        ttlMs,
        clock,
        renew: () => extendLease(calls, lease),
        release: () => revokeLease(calls, lease),
      });
      fences.set(lock, JSON.stringify({ key: target, target: 'CREATE', create_revision: header.revision }));
      return lock;
    },
    announce: announcements.announce,
    async close() {
      await announcements.close();
      calls.close();
    },
  };
}

async function* watchEtcd(calls: EtcdCalls, prefixes: readonly string[], signal: AbortSignal): AsyncGenerator<Changed> {
  const changes = createChanges(signal);
  const over = new AbortController();
  const answers = await calls.watch(prefixes.map(rangeOf), AbortSignal.any([over.signal, signal]));
  let waiting = prefixes.length;
  const reading = (async () => {
    for await (const answer of answers) {
      const { created, canceled, cancel_reason: reason, events } = answer?.result ?? {};
      if (answer?.error) throw new StoreError('unreachable', answer.error.message ?? 'The watch failed');
      if (canceled)
        throw new StoreError(/permission|auth/.test(reason ?? '') ? 'refused' : 'unreachable', reason || 'The watch was cancelled');
      if (created) waiting--;
      // A watch that is created sees all that changes from now on.
      if ((created && waiting === 0) || answer === undefined) changes.mark();
      for (const { kv } of events ?? []) changes.mark(kv?.key && decode(kv.key));
    }
    throw new StoreError('unreachable', 'The watch ended');
  })();
  reading.catch((error: Error) => changes.fail(error instanceof StoreError ? error : new StoreError('unreachable', error.message)));
  try {
    yield* changes.stream();
  } finally {
    over.abort();
  }
}

async function writePart(calls: EtcdCalls, changes: readonly StoreChange[], fence: string): Promise<void> {
  const { succeeded } = await calls.call<{ succeeded?: boolean }>('kv/txn', {
    compare: [JSON.parse(fence)],
    success: changes.map(({ key, value }) =>
      value === undefined ? { request_delete_range: { key: encode(key) } } : { request_put: { key: encode(key), value: encode(value) } },
    ),
  });
  if (!succeeded) throw lostLock();
}

const lostLock = (): StoreError => new StoreError('lost-lock', 'Somebody else has taken the lock');

interface Lease {
  readonly id: string;
  readonly value: string;
}

const grantLease = async (calls: EtcdCalls, ttlMs: number): Promise<string> =>
  (await calls.call<{ ID: string }>('lease/grant', { TTL: String(Math.ceil(ttlMs / 1_000)) })).ID;

const extendLease = async (calls: EtcdCalls, id: string): Promise<boolean> =>
  Number((await calls.call<{ result?: { TTL?: string } }>('lease/keepalive', { ID: id })).result?.TTL ?? 0) > 0;

const revokeLease = (calls: EtcdCalls, id: string): Promise<void> =>
  calls.call('lease/revoke', { ID: id }).then(
    () => {},
    // It is gone already, or goes by itself.
    () => {},
  );
