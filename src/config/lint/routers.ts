import { portOf } from '../merge/entry-points.ts';
import { migrateRule } from '../migrate/rule.ts';
import { DEFAULT_PRECEDENCE, providerOf, providerRank } from '../names.ts';
import { type Constraint, httpConstraints } from '../rule/constraint.ts';
import { wildcardRest } from '../rule/host-expression.ts';
import type { RuleTree } from '../rule/parser.ts';
import { parseHttpRule, ruleSyntax } from '../rule/rule.ts';
import type { RuntimeConfiguration, RuntimeHttpRouter, RuntimeObject } from '../runtime.ts';
import type { StaticConfiguration } from '../static.ts';
import type { Hint } from './finding.ts';
import { areDisjoint, covers } from './relations.ts';

interface Candidate {
  readonly name: string;
  readonly config: RuntimeHttpRouter;
  readonly tree: RuleTree;
  readonly constraints: readonly Constraint[];
  readonly rank: number;
}

/** Routers compared with at most so many others of the same host. */
const MAX_NEIGHBOURS = 500;

/** Routers that never match, and routers whose order only chance or the alphabet decides. */
export function lintOrder({ http }: RuntimeConfiguration, precedence: readonly string[] = DEFAULT_PRECEDENCE): Hint[] {
  const hints: Hint[] = [];
  for (const group of groups(http.routers, precedence)) {
    const neighbours = indexByHost(group);
    for (const router of group) {
      const before = neighbours(router).filter((other) => other !== router && isBefore(other, router));
      const cover = before.find((other) => covers(other.tree, router.tree));
      if (cover !== undefined) hints.push(covered(router, cover));
      else {
        const rival = before.find((other) => other.config.priority === router.config.priority && !areDisjoint(other.tree, router.tree));
        if (rival !== undefined) hints.push(tied(router, rival));
      }
    }
  }
  return hints;
}

const covered = (router: Candidate, cover: Candidate): Hint => ({
  object: `http.routers.${router.name}`,
  message: `never matches, as '${cover.name}' (priority ${cover.config.priority}) takes all that it would take; give it a priority above ${cover.config.priority}`,
});

const tied = (router: Candidate, rival: Candidate): Hint => ({
  object: `http.routers.${router.name}`,
  message: `has the same priority (${router.config.priority}) as '${rival.name}', and both may fit one request, which '${rival.name}' then gets; set priorities`,
});

/** Routers that are asked in one order: same entry point, both with or without TLS; or children of one parent. */
function groups(routers: RuntimeConfiguration['http']['routers'], precedence: readonly string[]): Candidate[][] {
  const byPlace = new Map<string, Candidate[]>();
  for (const [name, object] of Object.entries(routers)) {
    const candidate = toCandidate(name, object, precedence);
    if (candidate === undefined) continue;
    const parents = object.config.parentRefs ?? [];
    const places =
      parents.length > 0 ? parents : (object.using ?? []).map((entryPoint) => `${entryPoint} ${object.config.tls !== undefined}`);
    for (const place of places) byPlace.set(place, [...(byPlace.get(place) ?? []), candidate]);
  }
  return [...byPlace.values()].filter((group) => group.length > 1);
}

function toCandidate(
  name: string,
  { status, config }: RuntimeObject<RuntimeHttpRouter>,
  precedence: readonly string[],
): Candidate | undefined {
  if (status === 'disabled' || providerOf(name) === 'internal') return undefined;
  const { rule = '' } = config;
  const v3 = ruleSyntax(config.ruleSyntax) === 'v2' ? migrateRule(rule, 'http').rule : rule;
  try {
    return {
      name,
      config,
      tree: parseHttpRule(v3, 'v3'),
      constraints: httpConstraints(v3, 'v3'),
      rank: providerRank(providerOf(name), precedence),
    };
  } catch {
    return undefined;
  }
}

function isBefore(a: Candidate, b: Candidate): boolean {
  if (a.config.priority !== b.config.priority) return a.config.priority > b.config.priority;
  return a.rank === b.rank ? a.name < b.name : a.rank < b.rank;
}

/** Only routers that may see the same host are worth a comparison. */
function indexByHost(group: readonly Candidate[]): (router: Candidate) => Candidate[] {
  const byHost = new Map<string, Set<Candidate>>();
  const add = (key: string, router: Candidate): void => {
    const known = byHost.get(key);
    if (known === undefined) byHost.set(key, new Set([router]));
    else known.add(router);
  };
  for (const router of group) for (const { hostKind, host } of router.constraints) add(`${hostKind} ${host}`, router);
  return ({ constraints }) => {
    const found = new Set<Candidate>(byHost.get('any ') ?? []);
    for (const { hostKind, host } of constraints) {
      for (const other of byHost.get(`${hostKind} ${host}`) ?? []) found.add(other);
      if (hostKind === 'exact') for (const other of byHost.get(`wildcard ${wildcardRest(host)}`) ?? []) found.add(other);
    }
    return [...found].slice(0, MAX_NEIGHBOURS);
  };
}

/** Routers whose TLS does not fit the port that their clients will choose, and certificate resolvers that do not exist. */
export function lintTls({ http }: RuntimeConfiguration, configuration: StaticConfiguration): Hint[] {
  const hints: Hint[] = [];
  const { entryPoints = {}, certificatesResolvers = {} } = configuration;
  const secured = Object.keys(entryPoints).filter(
    (name) => entryPoints[name]!.http.tls !== undefined || portOf(entryPoints[name]!.address) === '443',
  );
  const misfits = new Map<string, { readonly chosen: boolean; readonly messages: (string | undefined)[]; readonly hints: Hint[] }>();
  for (const [name, { using = [], config, provider, written }] of Object.entries(http.routers)) {
    if (provider === 'internal') continue;
    const object = `http.routers.${name}`;
    const resolver = config.tls?.certResolver ?? '';
    if (resolver !== '' && certificatesResolvers[resolver] === undefined)
      hints.push({
        object,
        message: `names the certificate resolver '${resolver}', which does not exist; ${known(certificatesResolvers)}`,
      });
    const whole = wholeName(name, using);
    let found = misfits.get(whole);
    const chosen = ((written as { entryPoints?: readonly string[] } | undefined)?.entryPoints ?? []).length > 0;
    if (found === undefined) misfits.set(whole, (found = { chosen, messages: [], hints: [] }));
    for (const entryPoint of using) {
      const message = misfit(entryPoint, config.tls !== undefined, configuration, secured);
      found.messages.push(message);
      if (message !== undefined) found.hints.push({ object, message });
    }
  }
  // A router that names no entry point need only fit one of them.
  for (const found of misfits.values()) if (found.chosen || !found.messages.includes(undefined)) hints.push(...found.hints);
  return hints;
}

/** The router that a part was split from. */
function wholeName(name: string, [entryPoint]: readonly string[]): string {
  for (const prefix of [`${entryPoint}-conflicted-`, `${entryPoint}-`]) if (name.startsWith(prefix)) return name.slice(prefix.length);
  return name;
}

function misfit(
  entryPoint: string,
  isTls: boolean,
  { entryPoints = {} }: StaticConfiguration,
  secured: readonly string[],
): string | undefined {
  const { address, http } = entryPoints[entryPoint] ?? {};
  const port = portOf(address);
  if (isTls && (port === '80' || http?.redirections?.entryPoint !== undefined))
    return `takes TLS connections only, but clients speak plain HTTP on the entry point '${entryPoint}' (${address}) and get 404; write entryPoints: [${secured.join(', ') || '…'}]`;
  if (!isTls && port === '443')
    return `takes plain HTTP only, but clients speak TLS on the entry point '${entryPoint}' (${address}) and get 404; write tls: {}`;
  return undefined;
}

const known = (objects: object): string =>
  Object.keys(objects).length === 0 ? 'there is none' : `there are ${Object.keys(objects).join(', ')}`;
