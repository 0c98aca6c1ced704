import type { RuntimeConfiguration, RuntimeHttpRouter } from './runtime.ts';

/**
 * What a proxy executes: enabled objects only, under qualified names. The agent makes it of its RuntimeConfiguration, the hub
 * of all publications; both proxies run the same code on it.
 */
export interface ProxyConfiguration {
  readonly routers: Readonly<Record<string, ProxyRouter>>;
  readonly services: Readonly<Record<string, ProxyService>>;
  /** One field: the kind of the word; its options decoded. */
  readonly middlewares: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly serversTransports: Readonly<Record<string, ServersTransportConfig>>;
}

type ServiceConfig = RuntimeConfiguration['http']['services'][string]['config'];
type ServersTransportConfig = RuntimeConfiguration['http']['serversTransports'][string]['config'];

/**
 * `handOver`: at the edge the chain is left to the agent; the name of the router there, by site. `handOverChoice`: how its service there
 * would have sites chosen; weights are 1 where nothing is said. `clientCertificate`: its TLS
 * options demand one; at the edge whoever Cloudflare has not verified is answered 403. `hosts`: the hosts of which a request must
 * have one (`hostKey`), so that a Worker need not read a rule to know that it is for another host; absent when it may have any.
 */
export type ProxyRouter = RuntimeHttpRouter & {
  readonly hosts?: readonly string[];
  readonly handOver?: Readonly<Record<string, string>>;
  readonly handOverChoice?: { readonly weights?: Readonly<Record<string, number>>; readonly stickyCookie?: string };
  readonly clientCertificate?: true;
};

/** `sites`: a load balancer folded for the edge, which chooses the site while the agent there chooses the server. */
export type ProxyService = ServiceConfig & { readonly sites?: SitesService };

export interface SitesService {
  /** By site: the service's qualified name there and the weight of the site. Servers do not count: they come and go without notice. */
  readonly sites: Readonly<Record<string, { readonly name: string; readonly weight: number }>>;
  /** Present when the load balancer is sticky: the name of the cookie that remembers the site. */
  readonly stickyCookie?: string;
}

/** How the edge reaches an agent. */
export interface SiteLink {
  readonly type: 'https' | 'vpc' | 'socket';
  /** https: origin of the relay (`https://agent-1.example.com`); vpc: name of the binding; socket: empty. */
  readonly address: string;
}

export interface Site {
  /** Publisher id of the agent; also the audience of its grants. */
  readonly agent: string;
  readonly link: SiteLink;
}

/** The snapshot as compiled by the hub. Keys are sorted, so that equal configurations are equal bytes. */
export interface Snapshot {
  readonly schema: 1;
  /** Grows by one with every change; a reader ignores older ones. */
  readonly revision: number;
  readonly sites: Readonly<Record<string, Site>>;
  readonly http: ProxyConfiguration;
}

/** JSON with sorted keys: the one text of a value, for hashes. bigint is written as a decimal string. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}"`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}

/** The part of a runtime configuration that an HTTP proxy executes. */
export function toProxyConfiguration(runtime: RuntimeConfiguration): ProxyConfiguration {
  return {
    routers: enabled(runtime.http.routers),
    services: enabled(runtime.http.services),
    middlewares: enabled(runtime.http.middlewares) as ProxyConfiguration['middlewares'],
    serversTransports: enabled(runtime.http.serversTransports),
  };
}

function enabled<T>(objects: Readonly<Record<string, { readonly status: string; readonly config: T }>>): Record<string, T> {
  const result: Record<string, T> = {};
  for (const [name, object] of Object.entries(objects)) if (object.status !== 'disabled') result[name] = object.config;
  return result;
}
