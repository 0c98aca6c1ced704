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
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return `"${value}"`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? listText(value) : objectText(value as Record<string, unknown>);
    default:
      return 'null';
  }
}

/** Text that JSON takes as it is. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;
/** A text in JSON. */
export const quote = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

function listText(list: readonly unknown[]): string {
  let text = '[';
  for (let i = 0; i < list.length; i++) text += i === 0 ? canonicalJson(list[i]) : `,${canonicalJson(list[i])}`;
  return `${text}]`;
}

function objectText(object: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const key of sortedKeys(object)) {
    const item = object[key];
    if (item !== undefined) text += `${text === '' ? '{' : ','}${quote(key)}:${canonicalJson(item)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** Most objects were written in order: to look is less than to sort. */
function sortedKeys(object: object): string[] {
  const keys = Object.keys(object);
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return keys.sort();
  return keys;
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
