import { createBackoff } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { StoreKeys } from '../config/static/store-keys.ts';
import { openStore } from '../providers/clients/open-store.ts';
import { type OpenedStore, StoreError } from '../providers/clients/store.ts';
import { storeSource } from '../providers/clients/store-source.ts';
import { parseStoreUrl } from '../providers/clients/store-url.ts';
import { openStateCopy, type StateCopy } from './state-copy.ts';

/** Beside the root of the dynamic configuration: Traefik refuses all of it for one key that it does not know. */
const DEFAULT_ROOT = 'edgeway/static';

export interface Bootstrap {
  readonly keys: StoreKeys;
  /** To be called when the agent has started with the keys: from then on it can do so while the store is away. */
  keep(): void;
  /** Says once for every change of the keys that a start is needed for it, until the signal aborts. */
  watch(log: Logger, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface BootstrapContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a store that is away is asked again before the start fails. */
  readonly patienceMs: number;
  /** The same where an earlier start left a copy, which is used then; without it no copy is looked at. */
  readonly copyPatienceMs?: number;
}

/** A store that is asked for the last time may take so long to answer. */
const LAST_ANSWER_MS = 5_000;

/**
 * Reads the static configuration from the store of a URL or, when it stays away or has lost its keys, from the copy in the state
 * folder. Throws ConfigError for the URL, Error when there is neither.
 */
export async function readBootstrap(url: string, stateDirectory: string, context: BootstrapContext): Promise<Bootstrap> {
  const { clock, log } = context;
  const { kind, options, rootKey } = parseStoreUrl(url, DEFAULT_ROOT);
  const store = await openStore(kind, options, { clock, log });
  const root = rootKey.replace(/^\/+|\/+$/g, '');
  const identity = JSON.stringify(storeSource(kind, { ...options, rootKey }));
  const copy = openStateCopy({ directory: stateDirectory, file: 'bootstrap.json', identity, what: 'static configuration', log });
  try {
    const { pairs, isCopy } = await readOrCopy(store, root, copy, context);
    return {
      keys: { name: store.name, root, pairs },
      keep() {
        if (!isCopy) copy.write(JSON.stringify(pairs), clock.now());
      },
      watch: (log, signal) => tellChanges(store, root, { running: textOf(pairs), isKnown: !isCopy }, clock, log, signal),
      close: () => store.close(),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

type Pairs = StoreKeys['pairs'];

async function readOrCopy(
  store: OpenedStore,
  root: string,
  copy: StateCopy,
  context: BootstrapContext,
): Promise<{ readonly pairs: Pairs; readonly isCopy: boolean }> {
  const { log, copyPatienceMs } = context;
  const kept = copyPatienceMs === undefined ? undefined : copy.read((text) => JSON.parse(text) as Pairs);
  const patienceMs = (kept && copyPatienceMs) ?? context.patienceMs;
  let missing: string;
  try {
    const pairs = await readPatiently(store, root, { ...context, patienceMs });
    if (pairs.length > 0 || kept === undefined) return { pairs, isCopy: false };
    missing = `there is no key below '${root}/' any more`;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const isAway = code === 'unreachable';
    const waited = `; it was waited for ${patienceMs / 1_000} s, and ${copy.path} is no copy of an earlier start`;
    if (!isAway || kept === undefined)
      throw new Error(`${store.name}: ${message}${isAway && copyPatienceMs !== undefined ? waited : ''}`, { cause: error });
    missing = message;
  }
  const from = new Date(kept.at).toISOString();
  log.warn('The static configuration is the copy of an earlier start', { store: store.name, error: missing, file: copy.path, from });
  return { pairs: kept.value, isCopy: true };
}

/** Throws StoreError. */
async function readPatiently(
  store: OpenedStore,
  root: string,
  { clock, log, patienceMs }: Pick<BootstrapContext, 'clock' | 'log' | 'patienceMs'>,
): Promise<Pairs> {
  const backoff = createBackoff({ limitMs: 2_000 });
  const end = clock.now() + patienceMs;
  for (;;) {
    try {
      return await inTime(store.read(`${root}/`), Math.max(end - clock.now(), LAST_ANSWER_MS), clock);
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      const wait = backoff.next();
      if (code !== 'unreachable' || clock.now() + wait > end) throw error;
      log.warn('Waiting for the store of the static configuration', { store: store.name, error: message });
      await sleep(clock, wait);
    }
  }
}

/** A server that takes a connection and says nothing is as good as none. */
async function inTime<T>(answer: Promise<T>, limitMs: number, clock: Clock): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(limitMs, () => reject(new StoreError('unreachable', `no answer within ${limitMs / 1_000} s`)));
  });
  return Promise.race([answer, late]).finally(cancel);
}

interface Known {
  /** What this agent runs with, as `textOf` gives it. */
  readonly running: string;
  /** Whether the store has said so to this agent. */
  readonly isKnown: boolean;
}

async function tellChanges(
  store: OpenedStore,
  root: string,
  { running, isKnown }: Known,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const backoff = createBackoff({ limitMs: 5_000 });
  let last = isKnown ? running : undefined;
  while (!signal.aborted) {
    try {
      for await (const _ of store.watch([`${root}/`], signal)) {
        backoff.reset();
        const pairs = await store.read(`${root}/`);
        const text = textOf(pairs);
        if (text === last) continue;
        last = text;
        if (pairs.length === 0)
          log.warn('The static configuration is gone from the store, agents start with their copies', { store: store.name });
        else if (text === running)
          log.info('The static configuration in the store is again what this agent runs with', { store: store.name });
        else log.warn('The static configuration in the store has changed, restart the agent to use it', { store: store.name });
      }
    } catch (error) {
      log.debug('Cannot watch the static configuration in the store', { store: store.name, error: (error as Error).message });
    }
    await sleep(clock, backoff.next(), signal);
  }
}

const textOf = (pairs: Pairs): string => JSON.stringify([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));
