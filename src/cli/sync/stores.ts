import { ConfigError } from '../../base/errors.ts';
import { checkRoot } from '../../kv-sync/store-objects.ts';
import { openStore } from '../../providers/clients/open-store.ts';
import type { StoreClient, StoreContext } from '../../providers/clients/store.ts';
import { parseStoreUrl } from '../../providers/clients/store-url.ts';
import { UsageError } from '../arguments.ts';

export interface OpenedStore {
  readonly client: StoreClient;
  readonly root: string;
}

export interface Stores {
  /** Throws UsageError for a URL that is none of a store, ConfigError when a file that it names cannot be read. */
  open(url: string): Promise<OpenedStore>;
  close(): Promise<void>;
}

/** The stores of a command line, closed together. */
export function createStores(context: StoreContext): Stores {
  const clients: StoreClient[] = [];
  return {
    async open(url) {
      const { kind, options, rootKey } = parseUrl(url);
      const root = checkRoot(rootKey.replace(/^\/+|\/+$/g, ''));
      const client = await openStore(kind, options, context);
      clients.push(client);
      return { client, root };
    },
    async close() {
      await Promise.all(clients.map((client) => client.close().catch(() => {})));
    },
  };
}

function parseUrl(url: string): ReturnType<typeof parseStoreUrl> {
  try {
    return parseStoreUrl(url);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new UsageError(error.message);
  }
}
