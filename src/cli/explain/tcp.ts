import { compileTcpRule, ruleSyntax } from '../../config/rule/rule.ts';
import { createTcpView, type TcpView } from '../../config/rule/tcp-matchers.ts';
import type { RuntimeTcpRouter } from '../../config/runtime.ts';
import { createTcpRouteTable } from '../../proxy/route-table.ts';
import { UsageError } from '../arguments.ts';
import { chooseEntryPoints, type ExplainOptions, type Ground } from './http.ts';
import { explainLevel } from './level.ts';
import type { ChainStep, Explained, ExplainedEntryPoint } from './model.ts';
import { explainService } from './service.ts';

export interface AskedConnection {
  /** Of the TLS hello; undefined for a connection without TLS. */
  readonly serverName: string | undefined;
  readonly port: string;
  readonly protocols: readonly string[];
  readonly clientAddress: string;
}

/** `tls://name:port` or `name:port` (with TLS), `tcp://host:port` (without). Throws UsageError. */
export function readConnection(text: string, protocols: readonly string[], clientAddress: string): AskedConnection {
  const form = /^(?:(tcp|tls):\/\/)?([^/:]*)(?::(\d+))?\/?$/i.exec(text);
  if (form === null) throw new UsageError(`'${text}' is no address; write tls://name:443, or tcp://host:5432 without TLS`);
  const isTls = form[1]?.toLowerCase() !== 'tcp';
  return { serverName: isTls ? form[2]! : undefined, port: form[3] ?? (isTls ? '443' : ''), protocols, clientAddress };
}

export function explainTcp(ground: Ground, asked: AskedConnection, options: ExplainOptions): Explained {
  const isTls = asked.serverName !== undefined;
  const names = chooseEntryPoints(ground, asked.port, isTls, options.entryPoint);
  const view = createTcpView({ serverName: asked.serverName ?? '', clientAddress: asked.clientAddress, protocols: asked.protocols });
  return {
    asked: `${isTls ? `TLS to '${asked.serverName}'` : 'plain TCP'}${asked.port === '' ? '' : `, port ${asked.port}`}`,
    entryPoints: names.map((name) => explainAt(name, ground, view, isTls, options.all)),
  };
}

function explainAt(
  entryPoint: string,
  { runtime, configuration }: Ground,
  view: TcpView,
  isTls: boolean,
  all: boolean,
): ExplainedEntryPoint {
  const level = explainLevel<RuntimeTcpRouter, TcpView>({
    parent: undefined,
    members: Object.entries(runtime.tcp.routers).filter(
      ([, { using = [], config }]) => using.includes(entryPoint) && (config.tls !== undefined) === isTls,
    ),
    view,
    precedence: configuration.providers.precedence,
    all,
    createTable: createTcpRouteTable,
    wouldMatch: ({ rule = '', ruleSyntax: syntax }) => compileTcpRule(rule, ruleSyntax(syntax)).test(view),
  });
  const router = level.candidates.find(({ verdict }) => verdict === 'taken')?.router;
  const config = router === undefined ? undefined : runtime.tcp.routers[router]!.config;
  return {
    entryPoint,
    address: configuration.entryPoints?.[entryPoint]?.address,
    levels: [level],
    router,
    chain: (config?.middlewares ?? []).map(
      (name): ChainStep => ({
        name,
        kind: Object.keys(runtime.tcp.middlewares[name]?.config ?? {})[0] ?? '',
        of: router!,
        edge: 'the edge carries HTTP only',
      }),
    ),
    place:
      router === undefined
        ? 'what no TCP router takes goes to the HTTP routers of this entry point'
        : 'at the agent: the edge carries HTTP only',
    service: config === undefined ? undefined : explainService(config.service, runtime, 'tcp'),
  };
}
