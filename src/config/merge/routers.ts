import type { PreparedRouter } from './prepare.ts';
import { addOnce, createVerdict, type Verdict } from './verdicts.ts';

/** A router on its way through the merge. */
export interface RouterEntry<Config> {
  /** Qualified name. */
  readonly key: string;
  readonly provider: string;
  readonly part: PreparedRouter<Config>;
  config: Config;
  using: readonly string[];
  readonly verdict: Verdict;
}

export const createEntry = <Config>(part: PreparedRouter<Config>, provider: string): RouterEntry<Config> => ({
  key: `${part.name}@${provider}`,
  provider,
  part,
  config: part.config,
  using: part.using,
  verdict: createVerdict(part.critical, part.warnings),
});

interface TlsRouter {
  readonly entryPoints: string[];
  readonly rule?: string;
  readonly tls?: { readonly options?: string };
}

const CONFLICT = 'Routers of the same host on this entry point have other TLS options, so all of them use the default ones';

/**
 * One host on one entry point can have one set of TLS options only, as they are chosen before the request is read: where routers
 * differ, all of them get the default options, under the name `<entry point>-conflicted-<name>`. So does a router whose options
 * no host leads to. Returns what became of each name that changed.
 */
export function splitTlsConflicts<Config extends TlsRouter>(
  routers: Map<string, RouterEntry<Config>>,
  remembered: WeakMap<PreparedRouter<Config>, Map<string, Config>>,
): Map<string, string[]> {
  const aliases = new Map<string, string[]>();
  const conflicts = findConflicts(routers.values());
  for (const [key, reasons] of conflicts) {
    const entry = routers.get(key)!;
    const { part } = entry;
    let configs = remembered.get(part);
    if (configs === undefined) remembered.set(part, (configs = new Map()));
    const kept = entry.config.entryPoints.filter((name) => !reasons.has(name));
    const names: string[] = [];
    routers.delete(key);
    if (kept.length > 0) {
      const config = remember(configs, kept.join(' '), () => ({ ...entry.config, entryPoints: kept }));
      routers.set(key, { ...entry, config, using: entry.using.filter((name) => kept.includes(name)) });
      names.push(key);
    }
    for (const [entryPoint, reason] of reasons) {
      const config = remember(configs, `conflicted ${entryPoint}`, () => ({
        ...entry.config,
        entryPoints: [entryPoint],
        tls: { ...entry.config.tls, options: 'default' },
      }));
      const name = `${entryPoint}-conflicted-${part.name}`;
      const conflicted = createEntry({ ...part, name }, entry.provider);
      conflicted.config = config;
      conflicted.using = entry.using.filter((using) => using === entryPoint);
      addOnce(conflicted.verdict.warnings, reason);
      routers.set(conflicted.key, conflicted);
      names.push(conflicted.key);
    }
    aliases.set(key, names);
  }
  return aliases;
}

function remember<Config>(configs: Map<string, Config>, name: string, make: () => Config): Config {
  let config = configs.get(name);
  if (config === undefined) configs.set(name, (config = make()));
  return config;
}

/** Router → entry point → why it cannot have its own options there. */
function findConflicts<Config extends TlsRouter>(routers: Iterable<RouterEntry<Config>>): Map<string, Map<string, string>> {
  const byHost = new Map<string, { options: Set<string>; routers: string[] }>();
  const conflicts = new Map<string, Map<string, string>>();
  const add = (router: string, entryPoint: string, reason: string): void => {
    let reasons = conflicts.get(router);
    if (reasons === undefined) conflicts.set(router, (reasons = new Map()));
    reasons.set(entryPoint, reason);
  };
  for (const { key, config, part } of routers) {
    const options = config.tls?.options;
    if (options === undefined || part.domains === undefined) continue;
    for (const entryPoint of config.entryPoints) {
      if (part.domains.length === 0 && options !== 'default')
        add(
          key,
          entryPoint,
          `The rule ${config.rule} names no host, so that the TLS options '${options}' cannot be chosen; the default ones are used`,
        );
      for (const domain of part.domains) {
        const place = `${entryPoint} ${domain}`;
        const group = byHost.get(place);
        if (group === undefined) byHost.set(place, { options: new Set([options]), routers: [key] });
        else {
          group.options.add(options);
          group.routers.push(key);
        }
      }
    }
  }
  for (const [place, { options, routers: keys }] of byHost) {
    if (options.size > 1) for (const key of keys) add(key, place.slice(0, place.indexOf(' ')), CONFLICT);
  }
  return conflicts;
}
