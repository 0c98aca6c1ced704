import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Handler, ProxyRequest, ProxyResponse } from '../base/message.ts';
import type { ServersTransport } from '../config/dynamic.ts';
import type { FetchTransport, MiddlewarePlatform } from '../middlewares/middleware.ts';

/** All that the proxy may have from the program around it: the agent's data thread or the Worker. */
export interface Platform {
  readonly place: 'agent' | 'edge';
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly cells: Cells;
  readonly log: Logger;
  /**
   * Sends the request to a server and resolves with the head of its answer. Rejects with UpstreamError; `sent` says whether
   * anything reached the server. The request goes out as the record says: method, target, Host, headers, body, in this order.
   */
  readonly send: (target: ServerTarget, request: ProxyRequest) => Promise<ProxyResponse>;
  /** Takes gzip off a response that the client did not ask to be packed. */
  readonly unpack: (response: ProxyResponse) => ProxyResponse;
  /** A request outside services (auth servers); redirects are not followed. */
  readonly fetch: (url: string, request: ProxyRequest, transport?: FetchTransport) => Promise<ProxyResponse>;
  readonly middleware: MiddlewarePlatform;
  /** At the edge: carries requests to agents. Absent on the agent. */
  readonly relay?: Relay;
  /** Handlers of `…@internal` services (api, ping, dashboard …) by bare name. */
  readonly internal?: (name: string) => ((request: ProxyRequest) => Promise<ProxyResponse>) | undefined;
}

/** One server of a load balancer, parsed once. */
export interface ServerTarget {
  /** As configured; identity of pool, health and logs. */
  readonly url: string;
  readonly scheme: 'http' | 'https' | 'h2c';
  /** Host name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Qualified name of the transport, `default@internal` without one. */
  readonly transportName: string;
  readonly transport: ServersTransport;
}

/** What the edge asks of an agent: the service alone, or (handed over) the router with its whole chain. */
export interface RelayErrand {
  readonly kind: 'service' | 'router';
  /** Candidates: the site, the qualified name of service or router there, and its weight. */
  readonly sites: readonly { readonly site: string; readonly name: string; readonly weight: number }[];
  /** Name of the cookie that remembers the site, when the service is sticky. */
  readonly stickyCookie: string | undefined;
}

/**
 * Prepared once per errand; `handle` chooses a site for each request, with a second try where that is safe. `available` says
 * whether any site is believed to have a healthy server.
 */
export type Relay = (errand: RelayErrand) => { readonly handle: Handler; readonly available: () => boolean };
