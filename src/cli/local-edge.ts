import { join } from 'node:path';
import type { MiniflareOptions } from 'miniflare';
import { HUB_NAME } from '../config/kv-layout.ts';
import { ROOT } from './root.ts';

/** A Worker for the local edge, in miniflare's words. Its options change between betas: nobody else writes or starts them. */
export type LocalWorker = MiniflareOptions['workers'][number];
type Bindings = NonNullable<LocalWorker['config']['env']>;

export interface LocalEdgeOptions {
  /** The first one answers on the port. */
  readonly workers: readonly LocalWorker[];
  readonly host?: string;
  /** 0 or absent takes a free one. */
  readonly port?: number;
  /** Where KV and Durable Objects are kept; in memory when absent. */
  readonly stateDirectory?: string;
  /** PEM; makes the port speak TLS. */
  readonly tls?: { readonly key: string; readonly certificate: string };
  /** What Cloudflare would tell of the client in `request.cf`. */
  readonly cf?: Record<string, unknown>;
  /** Lines that Workers write, and what the runtime says of itself. */
  readonly onLog?: (line: string) => void;
}

export interface LocalEdge {
  readonly url: URL;
  /** Address of a Worker that has a socket of its own (`ownSocket`). */
  directUrl(worker: string): Promise<URL>;
  /** KV as seen by a Worker under the name of a binding. */
  kv(binding: string, worker: string): Promise<KvNamespace>;
  /** Throws a Durable Object out of memory, as Cloudflare does now and then; its storage stays. */
  evict(worker: string, className: string, options?: { name?: string; cutSockets?: boolean }): Promise<void>;
  /** A request to a Worker of any name, without a socket. */
  dispatch(worker: string, url: string, init?: { method?: string; body?: string; headers?: Record<string, string> }): Promise<Response>;
  stop(): Promise<void>;
}

export interface KvNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  list(options?: { prefix?: string; cursor?: string }): Promise<{ keys: { name: string }[]; list_complete: boolean; cursor?: string }>;
}

/** The newest date that every workerd among our dependencies accepts; `wrangler.toml` says the same. */
export const COMPATIBILITY_DATE = '2026-11-02';

/** Starts workerd through miniflare, without a network: no look-ups, no telemetry. */
export async function startLocalEdge(options: LocalEdgeOptions): Promise<LocalEdge> {
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';
  const { Log, LogLevel, Miniflare } = await import('miniflare');
  const { onLog } = options;
  const keepSignals = rememberSignals();
  class LineLog extends Log {
    protected override log(message: string): void {
      onLog?.(message);
    }
  }
  const miniflare = new Miniflare({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    ...(options.tls === undefined ? {} : { https: true, httpsKey: options.tls.key, httpsCert: options.tls.certificate }),
    ...(options.stateDirectory === undefined ? {} : { resourcePersistencePath: options.stateDirectory }),
    ...(options.cf === undefined ? {} : { cf: options.cf }),
    log: new LineLog(LogLevel.WARN),
    logRequests: false,
    handleStructuredLogs: ({ message }) => onLog?.(message),
    telemetry: { enabled: false },
    workers: [...options.workers] as MiniflareOptions['workers'],
  });
  const url = await miniflare.ready;
  keepSignals();
  return {
    url,
    directUrl: (worker) => miniflare.unsafeGetDirectURL(worker),
    kv: async (binding, worker) => (await miniflare.getKVNamespace(binding, worker)) as unknown as KvNamespace,
    evict: (worker, className, { name = HUB_NAME, cutSockets = false } = {}) =>
      miniflare.unsafeEvictDurableObject(worker, className, { name, webSockets: cutSockets ? 'close' : 'hibernate' }),
    dispatch: async (worker, target, init) =>
      (await (await miniflare.getWorker(worker)).fetch(target, init as never)) as unknown as Response,
    stop: () => miniflare.dispose(),
  };
}

/** miniflare ends the process at a signal, before others could end what they started; the returned function takes its listeners away. */
function rememberSignals(): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)));
  return () => {
    for (const signal of signals)
      for (const listener of process.listeners(signal)) if (!before.has(listener)) process.off(signal, listener);
  };
}

export interface WorkerOptions {
  readonly name: string;
  /** One module, bundled. */
  readonly script: string;
  readonly env?: Bindings;
  /** Names of exported Durable Object classes. */
  readonly durableObjects?: readonly string[];
  /** The Worker through which all of its `fetch` goes, in place of the network. */
  readonly outbound?: { readonly worker: string; readonly exportName?: string };
  /** Gives the Worker a socket of its own, which skips miniflare's entry Worker (no CF-Connecting-IP then). */
  readonly ownSocket?: boolean;
}

export function localWorker({ name, script, env = {}, durableObjects = [], outbound, ownSocket = false }: WorkerOptions): LocalWorker {
  return {
    config: {
      name,
      compatibilityDate: COMPATIBILITY_DATE,
      env,
      exports: Object.fromEntries(durableObjects.map((className) => [className, { type: 'durable-object', storage: 'sqlite' }])),
      triggers: [{ type: 'fetch', pattern: '*/*' }],
      manifest: { mainModule: 'worker.mjs', modules: { 'worker.mjs': { type: 'esm', contents: script } } },
    },
    dev: {
      ...(outbound === undefined ? {} : { outboundService: { type: 'worker', ...outbound } }),
      ...(ownSocket ? { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] } : {}),
    },
  } as LocalWorker;
}

/** The bindings of `wrangler.toml`, with variables and secrets as texts. */
export function edgeBindings(variables: Readonly<Record<string, string>>, worker = 'edgeway'): Bindings {
  return {
    EDGEWAY_KV: { type: 'kv', id: 'edgeway' },
    HUB: { type: 'durable-object', worker, exportName: 'Hub' },
    ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { type: 'text', value }] as const)),
  };
}

/** The Worker as one module, in the way `wrangler deploy` bundles it. */
export async function bundleWorker(entry = join(ROOT, 'src/worker/index.ts'), { minify = false } = {}): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    external: ['node:*', 'cloudflare:*'],
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}
