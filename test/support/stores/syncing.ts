import { silentLogger } from '../../../src/base/log.ts';
import { readSource } from '../../../src/kv-sync/sources/read.ts';
import { type SyncOptions, sync } from '../../../src/kv-sync/sync.ts';
import { createStoreTarget, type StoreTargetOptions } from '../../../src/kv-sync/targets/store.ts';
import type { Target } from '../../../src/kv-sync/targets/target.ts';
import { realClock } from '../provider.ts';

/** Lines of a `key,value` file. */
export const ROUTER = (name: string, host = `${name}.test`): string =>
  `traefik/http/routers/${name}/rule,Host(\`${host}\`)\ntraefik/http/routers/${name}/service,${name}\n`;
export const SERVICE = (name: string): string => `traefik/http/services/${name}/loadBalancer/servers/0/url,http://${name}\n`;
export const BOTH = (name: string): string => ROUTER(name) + SERVICE(name);

/** A text as source, looked at once. */
export const keysSource = (text: string, name = 'keys'): ReturnType<typeof readSource> =>
  readSource({
    sources: [{ kind: 'text', name, read: async () => text }],
    configuration: undefined,
    allowForeign: true,
    context: { clock: realClock, log: silentLogger, signal: new AbortController().signal, environment: {}, root: 'traefik' },
    watch: false,
  });

/** To a store, whose lock is not waited for. */
export const storeTarget = (options: Pick<StoreTargetOptions, 'client'> & Partial<StoreTargetOptions>): Target =>
  createStoreTarget({
    root: 'traefik',
    writer: 'sync',
    takeOver: false,
    waitMs: 0,
    clock: realClock,
    signal: new AbortController().signal,
    onWait: () => {},
    onProgress: () => {},
    ...options,
  });

export type Syncing = Pick<StoreTargetOptions, 'client'> & Partial<StoreTargetOptions> & Partial<Omit<SyncOptions, 'target' | 'source'>>;

/** `sync --apply --prune` to a store, with what it said; the source may be a text. */
export async function syncTo({ source, ...options }: Syncing & { readonly source: SyncOptions['source'] | string }) {
  const said: string[] = [];
  const complaints: string[] = [];
  const result = await sync({
    apply: true,
    prune: true,
    keepGoing: false,
    say: (line) => said.push(line),
    complain: (line) => complaints.push(line),
    ...options,
    source: typeof source === 'string' ? keysSource(source) : source,
    target: storeTarget({ onWait: (line) => complaints.push(line), ...options }),
  });
  return { ...result, said, complaints };
}
