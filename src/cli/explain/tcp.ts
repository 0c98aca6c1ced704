import { providerOf, providerRank } from '../../config/names.ts';
import { compileTcpRule, ruleSyntax } from '../../config/rule/rule.ts';
import { createTcpView, type TcpView } from '../../config/rule/tcp-matchers.ts';
import type { RuntimeObject, RuntimeTcpRouter } from '../../config/runtime.ts';
import { createTcpRouteTable } from '../../proxy/route-table.ts';
import { UsageError } from '../arguments.ts';
import { chooseEntryPoints, type ExplainOptions, type Ground } from './http.ts';
import type { CandidateRouter, ChainStep, Explained, ExplainedEntryPoint } from './model.ts';
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

type Router = RuntimeObject<RuntimeTcpRouter>;

function explainAt(
  entryPoint: string,
  { runtime, configuration }: Ground,
  view: TcpView,
  isTls: boolean,
  all: boolean,
): ExplainedEntryPoint {
  const { precedence } = configuration.providers;
  const members = Object.entries(runtime.tcp.routers).filter(
    ([, { using = [], config }]) => using.includes(entryPoint) && (config.tls !== undefined) === isTls,
  );
  const live = members.filter(([, { status }]) => status !== 'disabled');
  const table = createTcpRouteTable(
    live.map(([name, { config }]) => ({
      name,
      rule: config.rule ?? '',
      ruleSyntax: config.ruleSyntax,
      priority: config.priority,
      providerRank: providerRank(providerOf(name), precedence),
    })),
  );
  let isTaken = false;
  const candidates = table.explain(view, { all }).map(({ entry, matches, failures }): CandidateRouter => {
    const verdict = !matches ? 'no' : isTaken ? 'later' : 'taken';
    isTaken ||= matches;
    return { router: entry.name, rule: entry.rule, priority: String(entry.priority), verdict, reasons: failures };
  });
  const disabled = members
    .filter(([, router]) => router.status === 'disabled' && wouldMatch(router, view))
    .map(
      ([name, { config, errors }]): CandidateRouter => ({
        router: name,
        rule: config.rule ?? '',
        priority: String(config.priority),
        verdict: 'disabled',
        reasons: errors,
      }),
    );
  const router = candidates.find(({ verdict }) => verdict === 'taken')?.router;
  const config = router === undefined ? undefined : runtime.tcp.routers[router]!.config;
  return {
    entryPoint,
    address: configuration.entryPoints?.[entryPoint]?.address,
    levels: [{ parent: undefined, candidates: [...candidates, ...disabled], others: live.length - candidates.length }],
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

function wouldMatch({ config }: Router, view: TcpView): boolean {
  try {
    return compileTcpRule(config.rule ?? '', ruleSyntax(config.ruleSyntax)).test(view);
  } catch {
    return false;
  }
}
