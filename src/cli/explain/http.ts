import { chainProblem, edgeVerdict, type Word, wordOf, wordsOf } from '../../config/chain.ts';
import { portOf } from '../../config/merge/entry-points.ts';
import { providerOf, qualify } from '../../config/names.ts';
import { createRoutingView, type RoutingView } from '../../config/rule/routing-view.ts';
import { compileHttpRule, ruleSyntax } from '../../config/rule/rule.ts';
import type { RuntimeConfiguration, RuntimeHttpRouter, RuntimeObject } from '../../config/runtime.ts';
import type { StaticConfiguration } from '../../config/static.ts';
import { createRequestPreparation } from '../../proxy/entry-point.ts';
import { createRouteTable } from '../../proxy/route-table.ts';
import { explainLevel } from './level.ts';
import type { ChainStep, Explained, ExplainedEntryPoint, Level } from './model.ts';
import { type AskedRequest, toProxyRequest } from './request.ts';
import { explainService } from './service.ts';

export interface Ground {
  readonly runtime: RuntimeConfiguration;
  readonly configuration: StaticConfiguration;
}

export interface ExplainOptions {
  readonly entryPoint?: string | undefined;
  /** Also routers of other hosts. */
  readonly all: boolean;
}

type Router = RuntimeObject<RuntimeHttpRouter>;

export function explainHttp(ground: Ground, asked: AskedRequest, options: ExplainOptions): Explained {
  const entryPoints = chooseEntryPoints(ground, asked.port, asked.scheme === 'https', options.entryPoint);
  return {
    asked: `${asked.method} ${asked.scheme}://${asked.host}${asked.path}${asked.query === undefined ? '' : `?${asked.query}`}`,
    entryPoints: entryPoints.map((name) => explainAt(name, ground, asked, options.all)),
  };
}

/** The one that is named; else those of the port; else those that routers of this kind are on. */
export function chooseEntryPoints({ runtime, configuration }: Ground, port: string, isTls: boolean, named: string | undefined): string[] {
  if (named !== undefined) return [named];
  const { entryPoints = {} } = configuration;
  const byPort = Object.keys(entryPoints).filter(
    (name) => portOf(entryPoints[name]!.address) === port && !/\/udp$/i.test(entryPoints[name]!.address ?? ''),
  );
  if (byPort.length > 0) return byPort;
  const routers = Object.values(runtime.http.routers).filter(
    ({ config, provider }) => (config.tls !== undefined) === isTls && provider !== 'internal',
  );
  const used = new Set(routers.flatMap(({ using = [] }) => using));
  return used.size > 0 ? [...used].sort() : Object.keys(entryPoints).slice(0, 1);
}

function explainAt(entryPoint: string, { runtime, configuration }: Ground, asked: AskedRequest, all: boolean): ExplainedEntryPoint {
  const options = configuration.entryPoints?.[entryPoint];
  const request = toProxyRequest(asked, entryPoint);
  const refusal = createRequestPreparation({ ...options?.http, forwardedHeaders: options?.forwardedHeaders }, 'localhost')(request);
  const start = { entryPoint, address: options?.address };
  if (refusal !== undefined)
    return {
      ...start,
      refusal: `The entry point answers ${refusal.status} before it looks for a router`,
      levels: [],
      router: undefined,
      chain: [],
      place: undefined,
      service: undefined,
    };
  const view = createRoutingView(request);
  const { routers } = runtime.http;
  const isTls = request.tls !== undefined;
  const isRoot = ({ using = [], config }: Router): boolean =>
    using.includes(entryPoint) && (config.tls !== undefined) === isTls && (config.parentRefs ?? []).length === 0;
  const levels: Level[] = [];
  const path: string[] = [];
  for (let taken: string | undefined, parent: string | undefined; ; parent = taken) {
    const belongs = parent === undefined ? isRoot : ({ config }: Router): boolean => (config.parentRefs ?? []).includes(parent!);
    const members = Object.entries(routers).filter(([, router]) => belongs(router));
    if (parent !== undefined && members.length === 0) break;
    const level = explainLevel<RuntimeHttpRouter, RoutingView>({
      parent,
      members,
      view,
      precedence: configuration.providers.precedence,
      all,
      createTable: createRouteTable,
      wouldMatch: ({ rule = '', ruleSyntax: syntax }) => compileHttpRule(rule, ruleSyntax(syntax)).test(view),
    });
    levels.push(level);
    taken = level.candidates.find(({ verdict }) => verdict === 'taken')?.router;
    if (taken === undefined || path.includes(taken)) break;
    path.push(taken);
  }
  const last = levels.at(-1)?.candidates.find(({ verdict }) => verdict === 'taken')?.router;
  const config = last === undefined ? undefined : routers[last]?.config;
  return {
    ...start,
    levels,
    router: last,
    chain: path
      .flatMap((name) => stepsOf(name, routers[name]!.config.middlewares, runtime))
      .concat(config === undefined ? [] : serviceSteps(config.service, runtime)),
    place: config === undefined ? undefined : placeOf(entryPoint, path, runtime, configuration),
    service: config === undefined || config.service === '' ? undefined : explainService(config.service, runtime),
  };
}

function stepsOf(owner: string, names: readonly string[], { http }: RuntimeConfiguration): ChainStep[] {
  const find = (name: string): Word | undefined => {
    const config = http.middlewares[name]?.config;
    return config && wordOf(config);
  };
  return [...wordsOf(names, find)].map(([name, word]) => ({ name, kind: word.kind, of: owner, edge: edgeVerdict(word) }));
}

function serviceSteps(service: string, runtime: RuntimeConfiguration): ChainStep[] {
  const names = runtime.http.services[service]?.config.middlewares ?? [];
  return stepsOf(
    service,
    names.map((name) => qualify(name, providerOf(service))),
    runtime,
  );
}

function placeOf(entryPoint: string, path: readonly string[], { http }: RuntimeConfiguration, { edge }: StaticConfiguration): string {
  if (edge.entryPoints?.[entryPoint] === undefined)
    return `at the agent: edge.entryPoints does not name '${entryPoint}', so that nothing of it is public`;
  for (const name of path) {
    const problem = chainProblem(http.routers[name]!.config, (middleware) => http.middlewares[middleware]?.config);
    if (problem !== undefined) return `at the agent, to which the edge hands the request over: ${problem}`;
  }
  return 'at the edge, which leaves the choice of the server to an agent';
}
