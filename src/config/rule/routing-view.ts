import { type IpBytes, parseIp } from '../../base/cidr.ts';
import type { HeaderList, ProxyRequest } from '../../base/message.ts';
import { routingPath } from '../../base/path.ts';
import { parseQuery } from '../../base/query.ts';
import { canonicalHost } from './canonical-host.ts';

/** What an index looks at. */
export interface IndexedView {
  /** Canonical: small letters, no port. */
  readonly host: string;
  /** The name that DNS leads the host to (hostResolver.cnameFlattening); empty without. */
  readonly flattenedHost: string;
  /** Every escape decoded but those of reserved characters and `%`. */
  readonly path: string;
}

/** What matchers see of a request. Texts are byte strings (`base/byte-string.ts`). */
export interface RoutingView extends IndexedView {
  readonly method: string;
  /** As the client sent it, port included. */
  readonly rawHost: string;
  readonly headers: HeaderList;
  /** Of the peer; undefined when it cannot be read. */
  ip(): IpBytes | undefined;
  /** Decoded values of a key in their order; undefined without the key. */
  query(key: string): readonly string[] | undefined;
}

/** The request must have been prepared: path normalized, headers in their final form. */
export const createRoutingView = (request: ProxyRequest, flattenedHost = ''): RoutingView => new View(request, flattenedHost);

/** A class, as one is made per request and the getters must share their code. */
class View implements RoutingView {
  readonly host: string;
  readonly path: string;
  readonly flattenedHost: string;
  readonly #request: ProxyRequest;
  #ip: IpBytes | null | undefined = null;
  #query: Map<string, string[]> | undefined;

  constructor(request: ProxyRequest, flattenedHost: string) {
    this.host = canonicalHost(request.host);
    this.path = routingPath(request.path);
    this.flattenedHost = flattenedHost;
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  get rawHost(): string {
    return this.#request.host;
  }

  get headers(): HeaderList {
    return this.#request.headers;
  }

  ip(): IpBytes | undefined {
    if (this.#ip === null) this.#ip = parsePeer(this.#request.clientAddress);
    return this.#ip;
  }

  query(key: string): readonly string[] | undefined {
    const { query } = this.#request;
    if (query === undefined || query === '') return undefined;
    this.#query ??= parseQuery(query);
    return this.#query.get(key);
  }
}

/** A peer on a link-local address comes with its zone, which rules do not look at. */
export function parsePeer(address: string): IpBytes | undefined {
  const zone = address.indexOf('%');
  return parseIp(zone === -1 ? address : address.slice(0, zone));
}
