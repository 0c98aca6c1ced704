import type { Cells } from '../../base/cells.ts';
import { createIpMatcher } from '../../base/cidr.ts';
import { providerOf, providerRank } from '../../config/names.ts';
import { tcpConstraints } from '../../config/rule/constraint.ts';
import { ruleSyntax } from '../../config/rule/rule.ts';
import { createTcpView, type TcpView } from '../../config/rule/tcp-matchers.ts';
import { createTcpRouteTable, type RouteEntry, type RouteTable } from '../../proxy/route-table.ts';
import type { StreamConfiguration } from '../streams.ts';

type Tcp = StreamConfiguration['tcp'];

export interface TcpRoute extends RouteEntry {
  readonly service: string;
  readonly passthrough: boolean;
  readonly options: string;
  /** The rule takes any server name. */
  readonly open: boolean;
  /** Lets the client in, or not; what it gives is called when the connection is over. */
  readonly admit: (address: string) => (() => void) | undefined;
}

export interface TcpClient {
  readonly serverName: string;
  readonly clientAddress: string;
  readonly protocols: readonly string[];
}

/** The TCP routers of an entry point. */
export interface TcpRouting {
  readonly plain: boolean;
  readonly tls: boolean;
  match(kind: 'plain' | 'tls', client: TcpClient): TcpRoute | undefined;
}

export interface TcpRoutingOptions {
  readonly cells: Cells;
  readonly precedence: readonly string[] | undefined;
}

const NONE: TcpRouting = { plain: false, tls: false, match: () => undefined };

export function createTcpRouting(
  { routers, middlewares }: Tcp,
  { cells, precedence }: TcpRoutingOptions,
): (entryPoint: string) => TcpRouting {
  const entries = new Map<string, { plain: TcpRoute[]; tls: TcpRoute[] }>();
  for (const [name, { rule = '', ruleSyntax: syntax, priority, entryPoints, tls, service, middlewares: chain }] of Object.entries(
    routers,
  )) {
    const route: TcpRoute = {
      name,
      rule,
      ruleSyntax: syntax,
      priority,
      providerRank: providerRank(providerOf(name), precedence),
      service,
      passthrough: tls?.passthrough === true,
      options: tls?.options ?? 'default',
      open: isOpen(rule, syntax),
      admit: admission(chain, middlewares, cells),
    };
    for (const entryPoint of entryPoints) {
      let kinds = entries.get(entryPoint);
      if (kinds === undefined) entries.set(entryPoint, (kinds = { plain: [], tls: [] }));
      kinds[tls === undefined ? 'plain' : 'tls'].push(route);
    }
  }
  const routings = new Map([...entries].map(([name, { plain, tls }]) => [name, routingOf(plain, tls)]));
  return (entryPoint) => routings.get(entryPoint) ?? NONE;
}

function routingOf(plain: readonly TcpRoute[], tls: readonly TcpRoute[]): TcpRouting {
  const tables: Record<'plain' | 'tls', RouteTable<TcpRoute, TcpView>> = {
    plain: createTcpRouteTable(plain),
    tls: createTcpRouteTable(tls),
  };
  return { plain: plain.length > 0, tls: tls.length > 0, match: (kind, client) => tables[kind].match(createTcpView(client)) };
}

function isOpen(rule: string, syntax: string | undefined): boolean {
  try {
    return tcpConstraints(rule, ruleSyntax(syntax)).some(({ hostKind }) => hostKind === 'any') && !/HostSNIRegexp/i.test(rule);
  } catch {
    return false;
  }
}

const NOTHING = (): void => {};

function admission(chain: readonly string[], middlewares: Tcp['middlewares'], cells: Cells): TcpRoute['admit'] {
  const steps = chain.map((name) => stepOf(name, (middlewares[name] ?? {}) as MiddlewareConfig, cells));
  if (steps.length === 0) return () => NOTHING;
  return (address) => {
    const leave: (() => void)[] = [];
    for (const step of steps) {
      const done = step(address);
      if (done === undefined) {
        for (const back of leave) back();
        return undefined;
      }
      leave.push(done);
    }
    return () => {
      for (const back of leave) back();
    };
  };
}

interface MiddlewareConfig {
  readonly ipAllowList?: { readonly sourceRange?: readonly string[] };
  readonly ipWhiteList?: { readonly sourceRange?: readonly string[] };
  readonly inFlightConn?: { readonly amount?: number };
}

/** Connections of so many client addresses are counted at a time. */
const COUNTED_ADDRESSES = 16_384;

function stepOf(name: string, { ipAllowList, ipWhiteList, inFlightConn }: MiddlewareConfig, cells: Cells): TcpRoute['admit'] {
  const list = ipAllowList ?? ipWhiteList;
  if (list !== undefined) {
    const allows = createIpMatcher(list.sourceRange ?? []);
    return (address) => (allows(address) ? NOTHING : undefined);
  }
  // A middleware that nobody knows must not be passed over.
  if (inFlightConn === undefined) return () => undefined;
  const amount = inFlightConn.amount ?? 0;
  const table = cells.table(`inFlightConn ${name}`, { capacity: COUNTED_ADDRESSES, columns: 1, held: 0 });
  return (address) => {
    const admitted = table.update(address, (row) => {
      if (row[0]! >= amount) return false;
      row[0] = row[0]! + 1;
      return true;
    });
    if (!admitted) return undefined;
    return () => table.update(address, (row) => (row[0] = Math.max(0, row[0]! - 1)));
  };
}
