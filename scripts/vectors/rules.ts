import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fromByteString, toByteString } from '../../src/base/byte-string.ts';
import { compileRegexp } from '../../src/base/regexp.ts';
import { DEFAULT_PRECEDENCE, providerOf, providerRank } from '../../src/config/names.ts';
import { createRoutingView, type RoutingView } from '../../src/config/rule/routing-view.ts';
import {
  type CompiledRule,
  checkPriority,
  compileHttpRule,
  compileTcpRule,
  ruleDomains,
  rulePriority,
  ruleSyntax,
  tcpRuleDomains,
  tcpRulePriority,
} from '../../src/config/rule/rule.ts';
import { createTcpView, type TcpView } from '../../src/config/rule/tcp-matchers.ts';
import { createRequestPreparation, type PrepareRequest } from '../../src/proxy/entry-point.ts';
import { createRouteTable, createTcpRouteTable, type RouteEntry, type RouteTable } from '../../src/proxy/route-table.ts';
import { readListed } from './cases.ts';
import { parseRawRequest } from './raw-request.ts';

/** `different` has a line a difference; `listed` are the cases named in listed.txt. */
export interface VectorResult {
  equal: number;
  different: string[];
  listed: number;
}

interface Group {
  readonly name: string;
  readonly syntax: string;
  readonly options?: {
    readonly sanitizePath?: boolean;
    readonly encodeQuerySemicolons?: boolean;
    readonly underscoreHeadersStrategy?: string;
    readonly forwardedHeadersTrustedIPs?: string[];
    readonly providersPrecedence?: string[];
  };
  readonly routers: readonly { name: string; rule: string; priority?: number | string; syntax?: string }[];
  readonly requests: readonly { raw: string; remoteAddr: string }[];
  readonly connections: readonly { serverName: string; remoteIP: string; protos: string[] }[];
  readonly expected: { routers: unknown[]; requests: Answer[]; connections: Answer[] };
}

interface Answer {
  readonly router: string | null;
  readonly matches: string[];
  readonly tied?: string[];
  readonly observed?: string[];
}

interface RegexCase {
  readonly pattern: string;
  readonly inputs: string[];
  readonly expected: { error: true | null; matches?: boolean[]; find?: (null | (string | null)[])[] };
}

/** Intended differences from any recording of the format; a folder may have a list of its own. */
const LISTED = join(import.meta.dirname, '../../test/vectors/rules');

/** Runs every file of the folder. */
export async function run(folder: string): Promise<VectorResult> {
  const own = existsSync(join(folder, 'listed.txt'));
  const listed = readListed(own ? folder : LISTED);
  const result: VectorResult = { equal: 0, different: [], listed: 0 };
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  for (const file of files.sort()) {
    const { kind, groups = [], cases = [] } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    if (kind === 'regex') for (const one of cases as RegexCase[]) note(result, listed, one.pattern, runRegex(one));
    else for (const group of groups as Group[]) note(result, listed, group.name, kind === 'tcp' ? runTcp(group) : runHttp(group));
  }
  if (own) for (const name of listed) result.different.push(`${name}: is listed but equal`);
  return result;
}

function note(result: VectorResult, listed: Set<string>, name: string, differences: string[]): void {
  if (differences.length === 0) result.equal++;
  else if (listed.delete(name)) result.listed++;
  else result.different.push(...differences.map((difference) => `${name}: ${difference}`));
}

function compare(differences: string[], what: string, expected: unknown, actual: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  differences.push(`${what}: expected ${JSON.stringify(expected)}, is ${JSON.stringify(actual)}`);
}

interface Language<View> {
  readonly compile: (rule: string, syntax: 'v2' | 'v3') => CompiledRule<View>;
  readonly domains: (rule: string) => string[];
  readonly priority: (rule: string) => number;
  readonly table: (routers: RouteEntry[]) => RouteTable<RouteEntry, View>;
}
const HTTP: Language<RoutingView> = { compile: compileHttpRule, domains: ruleDomains, priority: rulePriority, table: createRouteTable };
const TCP: Language<TcpView> = { compile: compileTcpRule, domains: tcpRuleDomains, priority: tcpRulePriority, table: createTcpRouteTable };

interface Built<View> {
  readonly rules: Map<string, CompiledRule<View>>;
  readonly table: RouteTable<RouteEntry, View>;
}

function build<View>(group: Group, language: Language<View>, differences: string[]): Built<View> {
  const rules = new Map<string, CompiledRule<View>>();
  const entries: RouteEntry[] = [];
  group.routers.forEach((router, i) => {
    const syntax = ruleSyntax(router.syntax ?? group.syntax);
    const priority = priorityOf(router, language.priority);
    const facts: Record<string, unknown> = {
      name: router.name,
      error: null,
      priority: shown(priority),
      ...domainsOf(router.rule, language),
    };
    try {
      const problem = checkPriority(priority, providerOf(router.name));
      if (problem !== undefined) throw new Error(problem);
      rules.set(router.name, language.compile(router.rule, syntax));
      const rank = providerRank(providerOf(router.name), group.options?.providersPrecedence ?? DEFAULT_PRECEDENCE);
      entries.push({ name: router.name, rule: router.rule, ruleSyntax: syntax, priority, providerRank: rank });
    } catch {
      facts.error = true;
    }
    compare(differences, `router ${router.name} (${router.rule})`, group.expected.routers[i], facts);
  });
  return { rules, table: language.table(entries) };
}

function priorityOf({ rule, priority = 0 }: Group['routers'][number], computed: (rule: string) => number): number | bigint {
  const configured = typeof priority === 'string' ? BigInt(priority) : priority;
  return configured === 0 ? computed(rule) : configured;
}

const shown = (priority: number | bigint): number | string => (typeof priority === 'bigint' ? String(priority) : priority);

function domainsOf<View>(rule: string, language: Language<View>): object {
  try {
    return { domains: language.domains(rule) };
  } catch {
    return { domains: null, domainsError: true };
  }
}

function runHttp(group: Group): string[] {
  const differences: string[] = [];
  const built = build(group, HTTP, differences);
  const { sanitizePath, encodeQuerySemicolons, underscoreHeadersStrategy, forwardedHeadersTrustedIPs } = group.options ?? {};
  const forwardedHeaders = { trustedIPs: forwardedHeadersTrustedIPs };
  const prepare = createRequestPreparation({ sanitizePath, encodeQuerySemicolons, underscoreHeadersStrategy, forwardedHeaders }, 'edge');
  group.requests.forEach(({ raw, remoteAddr }, i) => {
    const expected = group.expected.requests[i]!;
    compare(differences, JSON.stringify(raw), expected, ask(built, prepare, raw, remoteAddr, expected));
  });
  return differences;
}

function ask(built: Built<RoutingView>, prepare: PrepareRequest, raw: string, peer: string, expected: Answer): object {
  const request = parseRawRequest(toByteString(raw), peer);
  const answer = typeof request === 'number' ? { status: request } : prepare(request);
  if (answer !== undefined || typeof request === 'number') return { router: null, matches: [], answered: answer!.status };
  const view = createRoutingView(request);
  const path = fromByteString(view.path);
  const seen = {
    method: view.method,
    host: fromByteString(view.rawHost),
    canonicalHost: fromByteString(view.host),
    path,
    ...(toByteString(path) === view.path ? {} : { pathHex: Buffer.from(view.path, 'latin1').toString('hex') }),
    query: fromByteString(request.query ?? ''),
  };
  return { ...matched(built, view, expected), seen };
}

/** Of routers that tie, Traefik takes any; ours takes the first by name. */
function matched<View>({ rules, table }: Built<View>, view: View, expected: Answer): object {
  const matches = [...rules].filter(([, rule]) => rule.test(view)).map(([name]) => name);
  const explained = table.explain(view, { all: true }).filter((candidate) => candidate.matches);
  const router = table.match(view)?.name ?? null;
  if (router !== (explained[0]?.entry.name ?? null)) return { router, but: explained };
  const { tied, observed } = expected;
  const ties = { ...(tied === undefined ? {} : { tied }), ...(observed === undefined ? {} : { observed }) };
  const fair = tied !== undefined && router === [...tied].sort()[0];
  return { router: fair ? expected.router : router, matches, ...ties };
}

function runTcp(group: Group): string[] {
  const differences: string[] = [];
  const built = build(group, TCP, differences);
  group.connections.forEach((connection, i) => {
    const expected = group.expected.connections[i]!;
    const { serverName, remoteIP, protos } = connection;
    const view = createTcpView({ serverName, clientAddress: remoteIP, protocols: protos });
    const rule = built.rules.get(expected.router ?? '') as { catchAll?: boolean } | undefined;
    const actual = { ...matched(built, view, expected), catchAll: rule?.catchAll ?? false };
    compare(differences, JSON.stringify(connection), expected, actual);
  });
  return differences;
}

function runRegex({ pattern, inputs, expected }: RegexCase): string[] {
  const differences: string[] = [];
  let error: true | null = null;
  try {
    const regexp = compileRegexp(pattern);
    const matches = inputs.map(regexp.test);
    const find = inputs.map((input) => regexp.find(input)?.map((group) => group ?? null) ?? null);
    compare(differences, 'matches', expected.matches, matches);
    compare(differences, 'find', expected.find, find);
  } catch {
    error = true;
  }
  compare(differences, 'error', expected.error, error);
  return differences;
}
