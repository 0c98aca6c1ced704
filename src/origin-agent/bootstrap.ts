import { createBackoff } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { StoreKeys } from '../config/static/store-keys.ts';
import { openStore } from '../providers/clients/open-store.ts';
import type { OpenedStore } from '../providers/clients/store.ts';
import { parseStoreUrl } from '../providers/clients/store-url.ts';

/** Beside the root of the dynamic configuration: Traefik refuses all of it for one key that it does not know. */
const DEFAULT_ROOT = 'edgeway/static';

export interface Bootstrap {
  readonly keys: StoreKeys;
  /** Says once for every change of the keys that a start is needed for it, until the signal aborts. */
  watch(log: Logger, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface BootstrapContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a store that is away is asked again before the start fails. */
  readonly patienceMs: number;
}

/** Reads the static configuration from the store of a URL. Throws ConfigError for the URL, StoreError when the store stays away. */
export async function readBootstrap(url: string, { clock, log, patienceMs }: BootstrapContext): Promise<Bootstrap> {
  const { kind, options, rootKey } = parseStoreUrl(url, DEFAULT_ROOT);
  const store = await openStore(kind, options, { clock, log });
  const root = rootKey.replace(/^\/+|\/+$/g, '');
  try {
    const pairs = await readPatiently(store, root, { clock, log, patienceMs });
    return {
      keys: { name: store.name, root, pairs },
      watch: (log, signal) => tellChanges(store, root, textOf(pairs), clock, log, signal),
      close: () => store.close(),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function readPatiently(store: OpenedStore, root: string, { clock, log, patienceMs }: BootstrapContext): Promise<StoreKeys['pairs']> {
  const backoff = createBackoff({ limitMs: 2_000 });
  const end = clock.now() + patienceMs;
  for (;;) {
    try {
      return await store.read(`${root}/`);
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      const wait = backoff.next();
      if (code !== 'unreachable' || clock.now() + wait > end) throw new Error(`${store.name}: ${message}`, { cause: error });
      log.warn('Waiting for the store of the static configuration', { store: store.name, error: message });
      await sleep(clock, wait);
    }
  }
}

async function tellChanges(store: OpenedStore, root: string, first: string, clock: Clock, log: Logger, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff();
  let last = first;
  while (!signal.aborted) {
    try {
      for await (const _ of store.watch([`${root}/`], signal)) {
        backoff.reset();
        const text = textOf(await store.read(`${root}/`));
        if (text === last) continue;
        last = text;
        if (text === first) log.info('The static configuration in the store is again what this agent runs with', { store: store.name });
        else log.warn('The static configuration in the store has changed, restart the agent to use it', { store: store.name });
      }
    } catch (error) {
      log.debug('Cannot watch the static configuration in the store', { store: store.name, error: (error as Error).message });
    }
    await sleep(clock, backoff.next(), signal);
  }
}

const textOf = (pairs: StoreKeys['pairs']): string => JSON.stringify([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));
