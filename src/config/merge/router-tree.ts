import type { RuntimeHttpRouter } from '../runtime.ts';
import type { PreparedRouter } from './prepare.ts';
import type { RouterEntry } from './routers.ts';
import { addOnce } from './verdicts.ts';

type Entry = RouterEntry<RuntimeHttpRouter>;

/**
 * Parents and children: names of parents that were split are replaced by those of their parts, and everything that leads nowhere
 * or comes from nowhere says so. Circles are cut where they close.
 */
export function linkRouters(
  routers: ReadonlyMap<string, Entry>,
  aliases: readonly ReadonlyMap<string, readonly string[]>[],
  remembered: WeakMap<PreparedRouter<RuntimeHttpRouter>, Map<string, RuntimeHttpRouter>>,
): void {
  const children = new Map<string, string[]>();
  for (const entry of routers.values()) {
    const named = entry.config.parentRefs ?? [];
    if (named.length === 0) continue;
    const replaced = aliases.reduce<readonly string[]>((names, known) => names.flatMap((name) => known.get(name) ?? [name]), named);
    const parents = [...new Set(replaced)];
    setParents(entry, parents, remembered);
    judgeChild(entry);
    for (const parent of parents) {
      if (!routers.has(parent)) addOnce(entry.verdict.critical, `There is no router '${parent}', which parentRefs names`);
      else push(children, parent, entry.key);
    }
  }
  const reached = children.size === 0 ? undefined : reach(routers, children, remembered);
  judgeEnds(routers, children, reached);
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function setParents(
  entry: Entry,
  parents: readonly string[],
  remembered: WeakMap<PreparedRouter<RuntimeHttpRouter>, Map<string, RuntimeHttpRouter>>,
): void {
  if (parents.join('\n') === entry.config.parentRefs!.join('\n')) return;
  let configs = remembered.get(entry.part);
  if (configs === undefined) remembered.set(entry.part, (configs = new Map()));
  const key = `parents ${parents.join(' ')}`;
  let config = configs.get(key);
  if (config === undefined) configs.set(key, (config = { ...entry.part.config, parentRefs: [...parents] }));
  entry.config = config;
}

function judgeChild({ part, config, verdict }: Entry): void {
  const own = part.written as { tls?: unknown; observability?: unknown };
  const refuse = (option: string): void => addOnce(verdict.critical, `A router with parentRefs has its parent's ${option}; remove its own`);
  if (own.tls !== undefined) refuse('tls');
  if (own.observability !== undefined) refuse('observability');
  if (config.entryPoints.length > 0) refuse('entryPoints');
}

/** All routers that a root leads to, parents before children. */
function reach(
  routers: ReadonlyMap<string, Entry>,
  children: Map<string, string[]>,
  remembered: WeakMap<PreparedRouter<RuntimeHttpRouter>, Map<string, RuntimeHttpRouter>>,
): Set<string> {
  const reached = new Set<string>();
  const roots = [...routers.values()].filter(({ key, config }) => (config.parentRefs ?? []).length === 0 && children.has(key));
  for (const { key } of roots.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    // A stack of one's own: a long line of parents must not exhaust the engine's.
    const path: { key: string; rest: string[] }[] = [];
    const onPath = new Set<string>();
    const enter = (name: string): void => {
      reached.add(name);
      onPath.add(name);
      path.push({ key: name, rest: [...(children.get(name) ?? [])].sort() });
    };
    if (!reached.has(key)) enter(key);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const next = top.rest.shift();
      if (next === undefined) {
        onPath.delete(top.key);
        path.pop();
      } else if (onPath.has(next)) {
        cut(routers, children, top.key, next, [...onPath], remembered);
      } else if (!reached.has(next)) enter(next);
    }
  }
  return reached;
}

function cut(
  routers: ReadonlyMap<string, Entry>,
  children: Map<string, string[]>,
  parent: string,
  child: string,
  path: readonly string[],
  remembered: WeakMap<PreparedRouter<RuntimeHttpRouter>, Map<string, RuntimeHttpRouter>>,
): void {
  children.set(
    parent,
    children.get(parent)!.filter((name) => name !== child),
  );
  const circle = [...path.slice(path.indexOf(child)), child].join(' → ');
  addOnce(routers.get(parent)!.verdict.warnings, `The routers form a circle, which is cut here: ${circle}`);
  const entry = routers.get(child)!;
  setParents(
    entry,
    entry.config.parentRefs!.filter((name) => name !== parent),
    remembered,
  );
}

function judgeEnds(
  routers: ReadonlyMap<string, Entry>,
  children: ReadonlyMap<string, readonly string[]>,
  reached: ReadonlySet<string> | undefined,
): void {
  for (const { key, config, verdict } of routers.values()) {
    const isRoot = (config.parentRefs ?? []).length === 0;
    const own = children.get(key) ?? [];
    if (!isRoot && !reached?.has(key)) addOnce(verdict.critical, 'No router on an entry point leads here through parentRefs');
    else if (config.service === '' && own.length === 0)
      addOnce(verdict.critical, 'The router names no service and no router names it as its parent; write service: <name>');
    else if (config.service !== '' && own.length > 0)
      addOnce(verdict.warnings, `The router is the parent of ${own.join(', ')}, so that its service is never asked; remove one of the two`);
  }
}

/** A parent whose children are all broken is broken itself; called when everything else about the routers is known. */
export function judgeParents(routers: ReadonlyMap<string, Entry>): void {
  const children = new Map<string, Entry[]>();
  for (const entry of routers.values()) {
    for (const parent of entry.config.parentRefs ?? []) push(children, parent, entry);
  }
  if (children.size === 0) return;
  const waiting = [...children.keys()];
  while (waiting.length > 0) {
    const key = waiting.pop()!;
    const parent = routers.get(key);
    const own = children.get(key);
    if (parent === undefined || own === undefined || parent.verdict.critical.length > 0) continue;
    if (own.some(({ verdict }) => verdict.critical.length === 0)) continue;
    parent.verdict.critical.push(`All routers that have it as their parent are broken: ${own.map((child) => child.key).join(', ')}`);
    // One more broken parent may leave its own parents without a sound child.
    waiting.push(...(parent.config.parentRefs ?? []));
  }
}
