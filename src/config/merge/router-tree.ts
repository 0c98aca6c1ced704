import type { RuntimeHttpRouter } from '../runtime.ts';
import { configOf, type RouterEntry } from './routers.ts';
import { addCritical, addWarning } from './verdict.ts';

type Entry = RouterEntry<RuntimeHttpRouter>;

const isRoot = ({ config: { parentRefs } }: Entry): boolean => parentRefs === undefined || parentRefs.length === 0;

/**
 * Parents and children: names of parents that were split are replaced by those of their parts, and everything that leads nowhere
 * or comes from nowhere says so. Circles are cut where they close.
 */
export function linkRouters(entries: readonly Entry[], aliases: readonly ReadonlyMap<string, readonly string[]>[]): void {
  const below = entries.filter((entry) => !isRoot(entry));
  if (below.length === 0) {
    for (const entry of entries) if (entry.config.service === '') judgeEnds(entry, undefined, true);
    return;
  }
  const routers = new Map(entries.map((entry) => [entry.key, entry]));
  const children = new Map<string, Entry[]>();
  for (const entry of below) {
    const named: readonly string[] = entry.config.parentRefs!;
    const parents = [...new Set(aliases.reduce((names, known) => names.flatMap((name) => known.get(name) ?? [name]), named))];
    setParents(entry, parents);
    judgeChild(entry);
    for (const parent of parents) {
      if (routers.has(parent)) push(children, parent, entry);
      else addCritical(entry, `There is no router '${parent}', which parentRefs names`);
    }
  }
  const reached = reach(entries, routers, children);
  for (const entry of entries) judgeEnds(entry, children.get(entry.key), isRoot(entry) || reached.has(entry));
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function setParents(entry: Entry, parents: readonly string[]): void {
  if (parents.join('\n') === entry.config.parentRefs!.join('\n')) return;
  entry.config = configOf(entry, `parents ${parents.join(' ')}`, () => ({ ...entry.part.config, parentRefs: [...parents] }));
}

function judgeChild(entry: Entry): void {
  const own = entry.part.written as { tls?: unknown; observability?: unknown };
  const refuse = (option: string): void => addCritical(entry, `A router with parentRefs has its parent's ${option}; remove its own`);
  if (own.tls !== undefined) refuse('tls');
  if (own.observability !== undefined) refuse('observability');
  if (entry.config.entryPoints.length > 0) refuse('entryPoints');
}

/** All routers that a root leads to. */
function reach(entries: readonly Entry[], routers: ReadonlyMap<string, Entry>, children: Map<string, Entry[]>): Set<Entry> {
  const reached = new Set<Entry>();
  if (children.size === 0) return reached;
  const roots = entries.filter((entry) => isRoot(entry) && children.has(entry.key)).sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const root of roots) {
    // A stack of one's own: a long line of parents must not exhaust the engine's.
    const path: { entry: Entry; rest: Entry[] }[] = [];
    const onPath = new Set<Entry>();
    const enter = (entry: Entry): void => {
      reached.add(entry);
      onPath.add(entry);
      path.push({ entry, rest: [...(children.get(entry.key) ?? [])].sort((a, b) => (a.key < b.key ? 1 : -1)) });
    };
    if (!reached.has(root)) enter(root);
    while (path.length > 0) {
      const { entry, rest } = path.at(-1)!;
      const next = rest.pop();
      if (next === undefined) {
        onPath.delete(entry);
        path.pop();
      } else if (onPath.has(next)) {
        cut(routers.get(entry.key)!, next, [...onPath], children);
      } else if (!reached.has(next)) enter(next);
    }
  }
  return reached;
}

function cut(parent: Entry, child: Entry, path: readonly Entry[], children: Map<string, Entry[]>): void {
  children.set(
    parent.key,
    children.get(parent.key)!.filter((entry) => entry !== child),
  );
  const circle = [...path.slice(path.indexOf(child)), child].map(({ key }) => key).join(' → ');
  addWarning(parent, `The routers form a circle, which is cut here: ${circle}`);
  setParents(
    child,
    child.config.parentRefs!.filter((name) => name !== parent.key),
  );
}

function judgeEnds(entry: Entry, own: readonly Entry[] | undefined, isReached: boolean): void {
  const { service } = entry.config;
  if (!isReached) addCritical(entry, 'No router on an entry point leads here through parentRefs');
  else if (service === '' && own === undefined)
    addCritical(entry, 'The router names no service and no router names it as its parent; write service: <name>');
  else if (service !== '' && own !== undefined)
    addWarning(
      entry,
      `The router is the parent of ${own.map(({ key }) => key).join(', ')}, so that its service is never asked; remove one of the two`,
    );
}

/** A parent whose children are all broken is broken itself; called when everything else about the routers is known. */
export function judgeParents(entries: readonly Entry[]): void {
  const below = entries.filter((entry) => !isRoot(entry));
  if (below.length === 0) return;
  const routers = new Map(entries.map((entry) => [entry.key, entry]));
  const children = new Map<string, Entry[]>();
  for (const entry of below) for (const parent of entry.config.parentRefs!) push(children, parent, entry);
  const waiting = [...children.keys()];
  while (waiting.length > 0) {
    const key = waiting.pop()!;
    const parent = routers.get(key);
    const own = children.get(key);
    if (parent === undefined || own === undefined || parent.critical.length > 0) continue;
    if (own.some(({ critical }) => critical.length === 0)) continue;
    addCritical(parent, `All routers that have it as their parent are broken: ${own.map((child) => child.key).join(', ')}`);
    // One more broken parent may leave its own parents without a sound child.
    waiting.push(...(parent.config.parentRefs ?? []));
  }
}
