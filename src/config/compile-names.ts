import type { CompileInput, CompileProblem } from './compile.ts';
import { baseName, providerOf } from './names.ts';
import { OBJECT_KINDS, type ObjectKind } from './publication.ts';
import { type CheckedObject, checkShard, type Reference } from './publication-check.ts';

/** An object of one publisher, with what its references mean. */
export interface Node {
  readonly kind: ObjectKind;
  readonly name: string;
  /** Index of the publisher. */
  readonly publisher: number;
  readonly object: CheckedObject;
  /** In the order of the references. */
  readonly targets: readonly Node[];
  /** The same number for what is the same after all names are resolved. */
  readonly identity: number;
  /** All it needs is the publisher's own. */
  readonly isOwn: boolean;
  /** Why it cannot run at the edge, and why not even with edge.local; its own reason or that of what it needs. */
  readonly away: string | undefined;
  readonly awayLocal: string | undefined;
}

/** What several publishers say with one voice; the first node stands for all. */
export interface Variant {
  /** Name in the snapshot. */
  readonly name: string;
  readonly nodes: readonly Node[];
}

export interface Resolver {
  readonly variants: (kind: ObjectKind) => Iterable<Variant>;
  /** Name in the snapshot. */
  readonly nameOf: (node: Node) => string;
  readonly problems: () => CompileProblem[];
}

type Result = Node | { readonly error: string };
const isNode = (result: Result): result is Node => !('error' in result);

/** Publications must come in the order of their names. */
export function createResolver(publications: readonly CompileInput[]): Resolver {
  const own = publications.map(({ shards }) => indexOf(shards.map(checkShard)));
  const holders = holdersOf(own);
  const results = publications.map(() => byKind(() => new Map<string, Result | undefined>()));
  const identities = new Map<string, number>();
  let lastIdentity = 0;

  function resolve(publisher: number, kind: ObjectKind, name: string): Result {
    const known = results[publisher]![kind];
    const before = known.get(name);
    if (before !== undefined) return before;
    if (known.has(name)) return { error: `${singular(kind)} '${name}' contains itself` };
    known.set(name, undefined);
    const result = examine(publisher, kind, name, own[publisher]![kind].get(name)!);
    known.set(name, result);
    return result;
  }

  function examine(publisher: number, kind: ObjectKind, name: string, object: CheckedObject): Result {
    if (object.broken !== undefined) return { error: object.broken };
    if (object.weight !== undefined && publications[publisher]!.link === undefined)
      return { error: 'Its servers stay behind an agent, and the publisher has none' };
    const targets: Node[] = [];
    for (const reference of object.references) {
      const target = follow(publisher, reference);
      if (!isNode(target)) return { error: target.error };
      targets.push(target);
    }
    // A parent's chain is not its child's: both are looked at when the parent is emitted.
    const needed = targets.filter((target) => target.kind !== 'routers');
    return {
      kind,
      name,
      publisher,
      object,
      targets,
      identity: identify(kind, name, object, targets),
      isOwn: targets.every((target) => target.publisher === publisher && target.isOwn),
      away: object.away ?? needed.find(({ away }) => away !== undefined)?.away,
      awayLocal: object.awayLocal ?? needed.find(({ awayLocal }) => awayLocal !== undefined)?.awayLocal,
    };
  }

  /** Only what has its name from several publishers can be the same. */
  function identify(kind: ObjectKind, name: string, { essence }: CheckedObject, targets: readonly Node[]): number {
    if (holders[kind].get(name)!.length === 1) return ++lastIdentity;
    const whole = `${kind}/${name} ${essence()} ${targets.map(({ identity }) => identity).join()}`;
    let identity = identities.get(whole);
    if (identity === undefined) identities.set(whole, (identity = ++lastIdentity));
    return identity;
  }

  /** The publisher's own object even when it is broken; else the first publisher's that works. */
  function follow(publisher: number, { kind, name }: Reference): Result {
    if (own[publisher]![kind].has(name)) {
      const result = resolve(publisher, kind, name);
      return isNode(result) ? result : { error: `${singular(kind)} '${name}' cannot be used: ${result.error}` };
    }
    for (const holder of holders[kind].get(name) ?? []) {
      const result = resolve(holder, kind, name);
      if (isNode(result)) return result;
    }
    return { error: `There is no ${singular(kind)} '${name}'` };
  }

  const variants = byKind<Variant[]>(() => []);
  const names = new Map<Node, string>();
  const problems: CompileProblem[] = [];
  for (const kind of OBJECT_KINDS) {
    for (const [name, publishers] of holders[kind]) {
      const groups = new Map<number, Node[]>();
      for (const publisher of publishers) {
        const result = resolve(publisher, kind, name);
        if (!isNode(result)) {
          problems.push({ publisher: publications[publisher]!.publisher, object: `http.${kind}.${name}`, message: result.error });
          continue;
        }
        const group = groups.get(result.identity);
        if (group === undefined) groups.set(result.identity, [result]);
        else group.push(result);
      }
      for (const nodes of groups.values()) {
        const variant = { name: variants[kind].at(-1)?.nodes[0]?.name === name ? apart(name, nodes[0]!) : name, nodes };
        variants[kind].push(variant);
        for (const node of nodes) names.set(node, variant.name);
      }
    }
  }

  /** `blog@docker` of the publisher berlin beside another one: `blog~berlin@docker`. No name of a publisher has a tilde. */
  function apart(name: string, node: Node): string {
    const base = `${baseName(name)}~${publications[node.publisher]!.publisher}`;
    for (let suffix = '~'; ; suffix += '~') {
      const candidate = `${base}${suffix.slice(1)}@${providerOf(name)}`;
      if (!holders[node.kind].has(candidate)) return candidate;
    }
  }

  return { variants: (kind) => variants[kind], nameOf: (node) => names.get(node)!, problems: () => problems };
}

const byKind = <T>(make: () => T): Record<ObjectKind, T> => ({
  routers: make(),
  services: make(),
  middlewares: make(),
  serversTransports: make(),
});

type Index = { readonly [K in ObjectKind]: Map<string, CheckedObject> };

function indexOf(shards: readonly { readonly [K in ObjectKind]: ReadonlyMap<string, CheckedObject> }[]): Index {
  const index: Index = byKind(() => new Map<string, CheckedObject>());
  for (const shard of shards) for (const kind of OBJECT_KINDS) for (const [name, object] of shard[kind]) index[kind].set(name, object);
  return index;
}

/** Indexes of the publishers that have an object of the name. */
function holdersOf(own: readonly Index[]): { readonly [K in ObjectKind]: Map<string, number[]> } {
  const holders = byKind(() => new Map<string, number[]>());
  own.forEach((index, publisher) => {
    for (const kind of OBJECT_KINDS)
      for (const name of index[kind].keys()) {
        const list = holders[kind].get(name);
        if (list === undefined) holders[kind].set(name, [publisher]);
        else list.push(publisher);
      }
  });
  return holders;
}

const singular = (kind: ObjectKind): string => kind.slice(0, -1);
