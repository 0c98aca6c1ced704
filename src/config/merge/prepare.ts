import type { Infer } from '../../base/schema.ts';
import type { HttpRouter, udpRouter } from '../dynamic.ts';
import { COMMON_RULE } from '../rule/constraint.ts';
import { checkPriority, compileHttpRule, compileTcpRule, rulePriority, ruleSyntax, tcpRulePriority } from '../rule/rule.ts';
import type { RuntimeHttpRouter, RuntimeTcpRouter } from '../runtime.ts';
import type { EntryPoints, Model, Observability } from './entry-points.ts';
import { type Named, reference } from './names.ts';
import { NONE } from './verdict.ts';

/** A router, or the part of it that lies on one entry point: all that can be said without looking at other objects. */
export interface PreparedRouter<Config> {
  /** Name without the provider, with the entry point before it where it was split. */
  readonly name: string;
  readonly config: Config;
  readonly written: unknown;
  /** The entry points that exist. */
  readonly using: readonly string[];
  readonly critical: readonly string[];
  readonly warnings: readonly string[];
  /** Hosts of the rule in small letters; undefined when the rule cannot be read. */
  readonly domains: readonly string[] | undefined;
}

const OBSERVED: Observability = Object.freeze({ accessLogs: true, metrics: true, tracing: true, traceVerbosity: 'minimal' });

const observed = (model: Observability | undefined, own: Partial<Observability> | undefined): Observability =>
  model === undefined && own === undefined ? OBSERVED : { ...OBSERVED, ...defined(model), ...defined(own) };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The parts of an HTTP router: one for each of its entry points that has a model, one for all others. */
export function prepareHttpRouter(written: HttpRouter, owner: Named, entryPoints: EntryPoints): PreparedRouter<RuntimeHttpRouter>[] {
  const isRoot = (written.parentRefs ?? []).length === 0;
  const named = written.entryPoints ?? [];
  const wanted = isRoot && named.length === 0 ? entryPoints.defaults : named;
  const syntax = written.ruleSyntax ?? (isRoot ? entryPoints.ruleSyntax : undefined);
  const rule = readHttpRule(written, owner.provider, syntax);
  const service = written.service ? reference(written.service, owner) : '';
  const own = (written.middlewares ?? []).map((name) => reference(name, owner));
  const part = (name: string, on: readonly string[], model?: Model): PreparedRouter<RuntimeHttpRouter> => {
    const tls = written.tls ?? model?.tls;
    const known = judgeEntryPoints(on, entryPoints.tcp, isRoot);
    const middlewares = model === undefined ? own : [...model.middlewares.map((middleware) => reference(middleware, owner)), ...own];
    // Set one by one: with 100,000 routers spreads inside of spreads cost more than all the rest.
    const config: Writable<RuntimeHttpRouter> = { ...written, entryPoints: known.on, middlewares, service, priority: rule.priority };
    if (syntax !== undefined) config.ruleSyntax = syntax;
    if (tls !== undefined) config.tls = withOptions(tls, owner);
    if (isRoot) config.observability = observed(model?.observability, written.observability);
    else config.parentRefs = written.parentRefs!.map((parent) => (parent.includes('@') ? parent : `${parent}@${owner.provider}`));
    return judged(name, config, tls === written.tls ? written : { ...written, tls }, known, rule);
  };
  if (!isRoot || !wanted.some((name) => entryPoints.models.has(name))) return [part(owner.name, wanted)];
  const parts: PreparedRouter<RuntimeHttpRouter>[] = [];
  const rest: string[] = [];
  for (const entryPoint of new Set(wanted)) {
    const model = entryPoints.models.get(entryPoint);
    if (model === undefined) rest.push(entryPoint);
    else parts.push(part(wanted.length > 1 ? `${entryPoint}-${owner.name}` : owner.name, [entryPoint], model));
  }
  if (rest.length > 0) parts.push(part(owner.name, rest));
  return parts;
}

type UdpRouter = Infer<typeof udpRouter>;
type TcpRouter = Omit<RuntimeTcpRouter, 'entryPoints' | 'middlewares' | 'service' | 'priority'> & {
  readonly entryPoints?: string[];
  readonly middlewares?: string[];
  readonly service?: string;
  readonly priority?: number;
};

export function prepareTcpRouter(written: TcpRouter, owner: Named, entryPoints: EntryPoints): PreparedRouter<RuntimeTcpRouter> {
  const named = written.entryPoints ?? [];
  const known = judgeEntryPoints(named.length === 0 ? entryPoints.defaults : named, entryPoints.tcp, true);
  const syntax = written.ruleSyntax ?? entryPoints.ruleSyntax;
  const rule = readTcpRule(written, owner.provider, syntax);
  const config: RuntimeTcpRouter = {
    ...written,
    ...(syntax !== undefined && { ruleSyntax: syntax }),
    entryPoints: known.on,
    middlewares: (written.middlewares ?? []).map((name) => reference(name, owner)),
    service: written.service ? reference(written.service, owner) : '',
    priority: rule.priority,
    ...(written.tls !== undefined && { tls: withOptions(written.tls, owner) }),
  };
  return judged(owner.name, config, written, known, written.service ? rule : { ...rule, errors: [...rule.errors, NO_SERVICE] });
}

const NO_SERVICE = 'The router names no service; write service: <name>';

/** A UDP router that names no entry point is on all of them. */
export function prepareUdpRouter(written: UdpRouter, owner: Named, entryPoints: EntryPoints): PreparedRouter<UdpRouter> {
  const named = written.entryPoints ?? [];
  const known = judgeEntryPoints(named.length === 0 ? [...entryPoints.udp] : named, entryPoints.udp, true);
  const config = { ...written, entryPoints: known.on, service: written.service ? reference(written.service, owner) : '' };
  return judged(owner.name, config, written, known, { priority: 0, errors: written.service ? NONE : [NO_SERVICE], domains: undefined });
}

interface ReadRule {
  readonly priority: number | bigint;
  readonly errors: readonly string[];
  readonly domains: readonly string[] | undefined;
}

function readHttpRule({ rule = '', priority = 0 }: HttpRouter, provider: string, syntax: string | undefined): ReadRule {
  const inForce = priority === 0 ? rulePriority(rule) : priority;
  const errors = tooHigh(inForce, provider);
  const common = COMMON_RULE.exec(rule);
  if (common !== null) return { priority: inForce, errors, domains: [common[1]!] };
  try {
    const { domains } = compileHttpRule(rule, ruleSyntax(syntax));
    return { priority: inForce, errors, domains };
  } catch (error) {
    return { priority: inForce, errors: [...errors, (error as Error).message], domains: undefined };
  }
}

function readTcpRule({ rule = '', priority = 0, tls }: TcpRouter, provider: string, syntax: string | undefined): ReadRule {
  const inForce = priority === 0 ? tcpRulePriority(rule) : priority;
  const errors = tooHigh(inForce, provider);
  try {
    const { domains } = compileTcpRule(rule, ruleSyntax(syntax));
    if (domains.length > 0 && domains[0] !== '*' && tls === undefined)
      return {
        priority: inForce,
        errors: [
          ...errors,
          `The rule ${rule} has HostSNI, but the router has no tls; names are known of TLS connections only: write tls: {}`,
        ],
        domains,
      };
    return { priority: inForce, errors, domains };
  } catch (error) {
    return { priority: inForce, errors: [...errors, (error as Error).message], domains: undefined };
  }
}

function tooHigh(priority: number | bigint, provider: string): readonly string[] {
  const problem = typeof priority === 'number' ? undefined : checkPriority(priority, provider);
  return problem === undefined ? NONE : [problem];
}

function judged<Config>(
  name: string,
  config: Config,
  written: unknown,
  { using, critical, warnings }: Known,
  rule: ReadRule,
): PreparedRouter<Config> {
  const all = rule.errors.length === 0 ? critical : [...critical, ...rule.errors];
  return { name, config, written, using, critical: all, warnings, domains: rule.domains };
}

/** Entry points that a router names. */
interface Known {
  readonly on: string[];
  /** Those that exist. */
  readonly using: readonly string[];
  readonly critical: readonly string[];
  readonly warnings: readonly string[];
}

/** Most routers are on the same few sets of entry points. */
const remembered = new WeakMap<ReadonlySet<string>, Map<string, Known>>();

function judgeEntryPoints(names: readonly string[], known: ReadonlySet<string>, needsOne: boolean): Known {
  let sets = remembered.get(known);
  if (sets === undefined) remembered.set(known, (sets = new Map()));
  const key = needsOne ? names.join(' ') : ` ${names.join(' ')}`;
  let judgement = sets.get(key);
  if (judgement !== undefined) return judgement;
  const on = [...new Set(names)];
  const using = on.filter((name) => known.has(name)).sort();
  const missing = on
    .filter((name) => !known.has(name))
    .map((name) => `There is no entry point '${name}'; known are ${[...known].join(', ')}`);
  const none = needsOne && using.length === 0;
  judgement = {
    on,
    using,
    critical: none ? [...missing, 'The router is on no entry point that exists'] : NONE,
    warnings: none ? NONE : missing,
  };
  if (sets.size < 1000) sets.set(key, judgement);
  return judgement;
}

/** `default` or a qualified name. */
const tlsOptionsName = (options: string | undefined, owner: Named): string =>
  options === undefined || options === '' || options === 'default' ? 'default' : reference(options, owner);

/** The options by their whole name. */
const withOptions = <T extends object>(tls: T, owner: Named): T => ({
  ...tls,
  options: tlsOptionsName((tls as { options?: string }).options, owner),
});

const defined = <T extends object>(value: T | undefined): Partial<T> =>
  Object.fromEntries(Object.entries(value ?? {}).filter(([, field]) => field !== undefined)) as Partial<T>;
