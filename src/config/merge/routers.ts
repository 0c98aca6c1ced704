import type { Named } from './names.ts';
import type { PreparedRouter } from './prepare.ts';
import { addWarning, type Verdict } from './verdict.ts';

/** A router, or a part of one, on its way through a merge; it lives as long as its slot. */
export interface RouterEntry<Config> extends Verdict {
  /** Qualified name. */
  readonly key: string;
  readonly name: string;
  readonly provider: string;
  /** Named by us, after the entry point. */
  readonly isPart: boolean;
  readonly part: PreparedRouter<Config>;
  config: Config;
  using: readonly string[];
  /** Other forms of it: on fewer entry points, with default TLS options, under other parents. */
  readonly variants: Map<string, RouterEntry<Config>>;
  readonly configs: Map<string, Config>;
}

/** `key` is the owner's own, which the text is shared with. */
export function createEntry<Config>(
  part: PreparedRouter<Config>,
  { name: own, provider }: Named,
  key?: string,
  name = part.name,
): RouterEntry<Config> {
  return {
    key: name === own && key !== undefined ? key : `${name}@${provider}`,
    name,
    provider,
    isPart: name !== own,
    part,
    config: part.config,
    using: part.using,
    critical: part.critical,
    warnings: part.warnings,
    usedBy: undefined,
    last: undefined,
    finished: 0,
    variants: NO_VARIANTS,
    configs: NO_VARIANTS,
  };
}

const NO_VARIANTS = new Map<string, never>();

/** As it was before the last merge. `stale`: what its slot says. */
export function reset<Config>(entry: RouterEntry<Config>, stale: readonly string[]): RouterEntry<Config> {
  const { part } = entry;
  entry.config = part.config;
  entry.using = part.using;
  entry.critical = part.critical;
  entry.warnings = stale.length === 0 ? part.warnings : [...stale, ...part.warnings];
  return entry;
}

interface Variants<Config> {
  variants: Map<string, RouterEntry<Config>>;
  configs: Map<string, Config>;
}

/** A configuration that follows from the entry's own; made once. */
export function configOf<Config>(entry: RouterEntry<Config>, name: string, make: () => Config): Config {
  if ((entry.configs as Map<string, unknown>) === NO_VARIANTS) (entry as Variants<Config>).configs = new Map();
  let config = entry.configs.get(name);
  if (config === undefined) entry.configs.set(name, (config = make()));
  return config;
}

function variantOf<Config>(entry: RouterEntry<Config>, name: string): RouterEntry<Config> {
  if ((entry.variants as Map<string, unknown>) === NO_VARIANTS) (entry as Variants<Config>).variants = new Map();
  let variant = entry.variants.get(name);
  if (variant === undefined) entry.variants.set(name, (variant = createEntry(entry.part, entry, undefined, name)));
  reset(variant, []);
  variant.warnings = entry.warnings;
  return variant;
}

interface TlsRouter {
  readonly entryPoints: string[];
  readonly rule?: string;
  readonly tls?: { readonly options?: string };
}

const CONFLICT = 'Routers of the same host on this entry point have other TLS options, so all of them use the default ones';

/**
 * One host on one entry point can have one set of TLS options only, as they are chosen before the request is read: where routers
 * differ, all of them get the default options, under the name `<entry point>-conflicted-<name>`. So does a router whose options
 * no host leads to. `aliases` gets what became of each name that changed.
 */
export function splitTlsConflicts<Config extends TlsRouter>(
  entries: readonly RouterEntry<Config>[],
  aliases: Map<string, readonly string[]>,
): readonly RouterEntry<Config>[] {
  const conflicts = findConflicts(entries);
  if (conflicts.size === 0) return entries;
  return entries.flatMap((entry) => {
    const reasons = conflicts.get(entry);
    if (reasons === undefined) return [entry];
    const { part } = entry;
    const kept = part.config.entryPoints.filter((name) => !reasons.has(name));
    const result: RouterEntry<Config>[] = [];
    if (kept.length > 0) {
      entry.config = configOf(entry, kept.join(' '), () => ({ ...part.config, entryPoints: kept }));
      entry.using = part.using.filter((name) => kept.includes(name));
      result.push(entry);
    }
    for (const [entryPoint, reason] of reasons) {
      const variant = variantOf(entry, `${entryPoint}-conflicted-${part.name}`);
      variant.config = configOf(variant, '', () => ({
        ...part.config,
        entryPoints: [entryPoint],
        tls: { ...part.config.tls, options: 'default' },
      }));
      variant.using = part.using.filter((using) => using === entryPoint);
      addWarning(variant, reason);
      result.push(variant);
    }
    aliases.set(
      entry.key,
      result.map(({ key }) => key),
    );
    return result;
  });
}

interface Group<Config> {
  readonly options: string;
  readonly routers: RouterEntry<Config>[];
  mixed: boolean;
}

/** Router → entry point → why it cannot have its own options there. */
function findConflicts<Config extends TlsRouter>(entries: readonly RouterEntry<Config>[]): Map<RouterEntry<Config>, Map<string, string>> {
  const conflicts = new Map<RouterEntry<Config>, Map<string, string>>();
  const add = (entry: RouterEntry<Config>, entryPoint: string, reason: string): void => {
    let reasons = conflicts.get(entry);
    if (reasons === undefined) conflicts.set(entry, (reasons = new Map()));
    reasons.set(entryPoint, reason);
  };
  const hosts = new Map<string, Map<string, Group<Config>>>();
  const several = entryPointsOfSeveralOptions(entries);
  for (const entry of entries) {
    const { config, part } = entry;
    const options = config.tls?.options;
    if (options === undefined || part.domains === undefined) continue;
    for (const entryPoint of config.entryPoints) {
      if (part.domains.length === 0 && options !== 'default')
        add(
          entry,
          entryPoint,
          `The rule ${config.rule} names no host, so that the TLS options '${options}' cannot be chosen; the default ones are used`,
        );
      if (!several.has(entryPoint)) continue;
      let groups = hosts.get(entryPoint);
      if (groups === undefined) hosts.set(entryPoint, (groups = new Map()));
      for (const domain of part.domains) join(groups, domain, options, entry);
    }
  }
  for (const [entryPoint, groups] of hosts)
    for (const group of groups.values()) if (group.mixed) for (const entry of group.routers) add(entry, entryPoint, CONFLICT);
  return conflicts;
}

/** Most entry points see one set of options only, and need no closer look. */
function entryPointsOfSeveralOptions(entries: readonly RouterEntry<TlsRouter>[]): ReadonlySet<string> {
  const seen = new Map<string, string>();
  const several = new Set<string>();
  for (const { config } of entries) {
    const options = config.tls?.options;
    if (options === undefined) continue;
    for (const entryPoint of config.entryPoints) {
      const other = seen.get(entryPoint);
      if (other === undefined) seen.set(entryPoint, options);
      else if (other !== options) several.add(entryPoint);
    }
  }
  return several;
}

function join<Config>(groups: Map<string, Group<Config>>, domain: string, options: string, entry: RouterEntry<Config>): void {
  const group = groups.get(domain);
  if (group === undefined) groups.set(domain, { options, routers: [entry], mixed: false });
  else {
    group.routers.push(entry);
    if (group.options !== options) group.mixed = true;
  }
}
