import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { bundleWorker, edgeBindings, type LocalEdge, localWorker, startLocalEdge } from '../../../src/cli/local-edge.ts';
import { objectKey, POINTER_KEY } from '../../../src/config/kv-layout.ts';
import { hostsOf } from '../../../src/config/public-hosts.ts';
import { type SplitSnapshot, splitSnapshot } from '../../../src/config/shards.ts';
import type { ProxyConfiguration, ProxyRouter, Snapshot } from '../../../src/config/snapshot.ts';
import { type Authority, type Certificate, createAuthority } from './certificates.ts';
import type { Command, Report } from './commands.ts';
import { type Site, startSite } from './site.ts';

export interface WorldOptions {
  /** Agents, each at `https://<id>.edge.test`. */
  readonly sites?: readonly string[];
  /** Names that the egress leads elsewhere: `name:port` to a plain HTTP server on this machine. */
  readonly names?: Readonly<Record<string, number>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly cf?: Record<string, unknown>;
  /** Binds a double of Analytics Engine. */
  readonly analytics?: true;
  /** The Worker runs twice, at locations `a` and `b`. */
  readonly twice?: true;
  /** The port of Worker `a` speaks TLS with this world's authority. */
  readonly tls?: true;
}

/** The Worker in workerd between doubles of all that a local edge hides, and real agents behind TLS. */
export interface World {
  readonly edge: LocalEdge;
  readonly log: string[];
  /** Private key of the Worker, as in EDGEWAY_GRANT_KEY. */
  readonly grantKey: JWK;
  site(id: string): Site;
  /** Port of the Worker at a location. */
  port(location?: 'a' | 'b'): Promise<number>;
  /** Asks the doubles; they answer with what they counted. */
  tell(command: Command): Promise<Report>;
  /** Writes what the hub would write, and tells the hub's double. Revisions grow by themselves. */
  publish(http: Partial<ProxyConfiguration>): Promise<SplitSnapshot>;
  stop(): Promise<void>;
}

/** Kept by the worlds of one test file. */
let authority: Authority | undefined;
let wildcard: Certificate | undefined;
let bundles: Promise<string[]> | undefined;

const FOLDER = dirname(fileURLToPath(import.meta.url));

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { sites: ids = ['agent-1'], names = {} } = options;
  authority ??= createAuthority();
  const certificate = (wildcard ??= authority.issue(['*.edge.test', 'localhost']));
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const grantKey = { ...(await exportJWK(privateKey)), kid: 'grant-1' };
  const pinned = [{ ...(await exportJWK(publicKey)), kid: 'grant-1' }];
  const sites = new Map<string, Site>();
  for (const id of ids) sites.set(id, await startSite(id, certificate, pinned));

  const addresses: Record<string, string> = {};
  const env: Record<string, unknown> = { ADDRESSES: { type: 'json', value: addresses } };
  for (const [id, { port }] of sites) {
    addresses[`${id}.edge.test:443`] = `127.0.0.1:${port}`;
    const tlsOptions = { trustedCertificates: [authority.certificate] };
    env[`TO ${id}.edge.test:443`] = {
      type: 'external',
      address: `127.0.0.1:${port}`,
      https: { tlsOptions, certificateHost: `${id}.edge.test` },
    };
  }
  for (const [name, port] of Object.entries(names)) {
    addresses[name] = `127.0.0.1:${port}`;
    env[`TO ${name}`] = { type: 'external', address: `127.0.0.1:${port}`, http: {} };
  }
  const [script, doubles] = await (bundles ??= Promise.all([bundleWorker(), bundleWorker(join(FOLDER, 'worker/doubles.ts'))]));
  const variables = {
    EDGEWAY_CONTROL_HOST: 'control.test',
    EDGEWAY_GRANT_KEY: JSON.stringify(grantKey),
    EDGEWAY_LOG_LEVEL: 'DEBUG',
    ...options.variables,
  };
  const log: string[] = [];
  const worker = (location: string) =>
    localWorker({
      name: `edge-${location}`,
      script,
      env: {
        ...edgeBindings(variables),
        EDGEWAY_KV: { type: 'worker', worker: 'doubles', exportName: 'KvDouble', props: { location } },
        HUB: { type: 'durable-object', worker: 'doubles', exportName: 'HubDouble' },
        ...(options.analytics && { EDGEWAY_ANALYTICS: { type: 'worker', worker: 'doubles', exportName: 'AnalyticsDouble' } }),
      },
      outbound: { worker: 'doubles', exportName: 'Egress' },
      ownSocket: true,
    });
  const edge = await startLocalEdge({
    workers: [
      worker('a'),
      ...(options.twice ? [worker('b')] : []),
      localWorker({ name: 'doubles', script: doubles, env: env as never, durableObjects: ['HubDouble'] }),
    ],
    ...(options.cf === undefined ? {} : { cf: options.cf }),
    ...(options.tls === undefined ? {} : { tls: certificate }),
    onLog: (line) => log.push(line),
  });

  const tell = async (command: Command): Promise<Report> => {
    const response = await edge.dispatch('doubles', 'http://doubles/', { method: 'POST', body: JSON.stringify(command) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Report;
  };
  let revision = 0;
  return {
    edge,
    log,
    grantKey,
    site: (id) => sites.get(id)!,
    port: async (location = 'a') => Number((location === 'a' ? edge.url : await edge.directUrl('edge-b')).port),
    tell,
    async publish(http) {
      revision++;
      const split = await splitSnapshot(createSnapshot(revision, ids, http), Date.now());
      const objects = Object.fromEntries(split.objects);
      await tell({ hub: { pointer: split.pointerText, objects } });
      for (const [hash, text] of split.objects) await tell({ kv: { put: { [objectKey(hash)]: text } } }).catch(ignoreKnown);
      await tell({ kv: { put: { [POINTER_KEY]: split.pointerText }, advanceMs: 0 } });
      return split;
    },
    async stop() {
      await edge.stop();
      for (const site of sites.values()) await site.stop();
    },
  };
}

/** An object that is written again within a second is the same object. */
function ignoreKnown(error: unknown): void {
  if (!String(error).includes('429')) throw error;
}

export function createSnapshot(revision: number, sites: readonly string[], http: Partial<ProxyConfiguration>): Snapshot {
  return {
    schema: 1,
    revision,
    sites: Object.fromEntries(sites.map((id) => [id, { agent: id, link: { type: 'https', address: `https://${id}.edge.test` } }])),
    http: { routers: {}, services: {}, middlewares: {}, serversTransports: {}, ...http },
  };
}

/** A router of the edge. */
export const router = (rule: string, service: string, extra: Partial<ProxyRouter> = {}): ProxyRouter => ({
  ...withHosts(hostsOf({ rule })),
  entryPoints: ['http'],
  middlewares: [],
  rule,
  service,
  priority: rule.length,
  ...extra,
});

const withHosts = (hosts: readonly string[] | undefined) => (hosts === undefined ? {} : { hosts });

/** A folded service: by site, the name there and the weight. */
export const folded = (
  sites: Readonly<Record<string, { name: string; weight: number }>>,
  stickyCookie?: string,
): ProxyConfiguration['services'][string] => ({
  sites: { sites, ...(stickyCookie === undefined ? {} : { stickyCookie }) },
});

/** A service as an agent has it. */
export const servers = (...urls: string[]): ProxyConfiguration['services'][string] =>
  ({
    loadBalancer: {
      servers: urls.map((url) => ({ url })),
      passHostHeader: true,
      strategy: 'wrr',
      responseForwarding: { flushInterval: 100 },
    },
  }) as never;
