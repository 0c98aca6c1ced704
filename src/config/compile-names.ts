import type { CompileInput, CompileProblem } from './compile.ts';
import { baseName, providerOf } from './names.ts';
import { OBJECT_KINDS, type ObjectKind } from './publication.ts';
import { type CheckedObject, checkShard, type Reference } from './publication-check.ts';
import { canonicalJson } from './snapshot.ts';

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

/** A node while it is found out what its references mean. */
type Draft = { -readonly [K in keyof Node]: Node[K] } & {
  state: 'new' | 'looking' | 'done';
  /** Why nobody can use it. */
  error: string | undefined;
};

/** A parent's chain is not its child's: both are looked at when the parent is emitted. */
const isNeeded = ({ kind }: Node): boolean => kind !== 'routers';

/** Publications must come in the order of their names. */
export function createResolver(publications: readonly CompileInput[]): Resolver {
  const holders = holdersOf(publications);
  const identities = new Map<string, number>();
  let lastIdentity = 0;

  /** Why the node cannot be used. */
  function resolve(node: Draft): string | undefined {
    if (node.state === 'looking') return `${singular(node.kind)} '${node.name}' contains itself`;
    if (node.state === 'new') {
      node.state = 'looking';
      node.error = examine(node);
      node.state = 'done';
    }
    return node.error;
  }

  function examine(node: Draft): string | undefined {
    const { object, publisher } = node;
    if (object.broken !== undefined) return object.broken;
    if (object.weight !== undefined && publications[publisher]!.link === undefined)
      return 'Its servers stay behind an agent, and the publisher has none';
    if (object.references.length > 0) {
      const targets = new Array<Node>(object.references.length);
      for (let i = 0; i < targets.length; i++) {
        const target = follow(publisher, object.references[i]!);
        if (typeof target === 'string') return target;
        targets[i] = target;
      }
      node.targets = targets;
      node.isOwn = targets.every((target) => target.publisher === publisher && target.isOwn);
      node.away ??= targets.find((target) => isNeeded(target) && target.away !== undefined)?.away;
      node.awayLocal ??= targets.find((target) => isNeeded(target) && target.awayLocal !== undefined)?.awayLocal;
    }
    node.identity = identify(node);
    return undefined;
  }

  /** Only what has its name from several publishers can be the same. */
  function identify({ kind, name, object, targets }: Node): number {
    if (!Array.isArray(holders[kind].get(name))) return ++lastIdentity;
    const whole = `${kind}/${name} ${canonicalJson(object.essence)} ${targets.map(({ identity }) => identity).join()}`;
    let identity = identities.get(whole);
    if (identity === undefined) identities.set(whole, (identity = ++lastIdentity));
    return identity;
  }

  /** The publisher's own object, which must work; else the first publisher's that works. A text says why there is none. */
  function follow(publisher: number, { kind, name }: Reference): Node | string {
    const held = holders[kind].get(name);
    const own = Array.isArray(held) ? held.find((node) => node.publisher === publisher) : held?.publisher === publisher ? held : undefined;
    if (own !== undefined) {
      const error = resolve(own);
      return error === undefined ? own : `${singular(kind)} '${name}' cannot be used: ${error}`;
    }
    const other = listOf(held).find((candidate) => resolve(candidate) === undefined);
    return other ?? `There is no ${singular(kind)} '${name}'`;
  }

  const variants = byKind<Variant[]>(() => []);
  /** Of those that have another name in the snapshot. */
  const renamed = new Map<Node, string>();
  const problems: CompileProblem[] = [];
  const works = (node: Draft): boolean => {
    const error = resolve(node);
    if (error !== undefined)
      problems.push({ publisher: publications[node.publisher]!.publisher, object: `http.${node.kind}.${node.name}`, message: error });
    return error === undefined;
  };
  for (const kind of OBJECT_KINDS)
    holders[kind].forEach((held, name) => {
      if (!Array.isArray(held)) {
        if (works(held)) variants[kind].push({ name, nodes: [held] });
        return;
      }
      groupsOf(held.filter(works)).forEach((nodes, index) => {
        const variant = { name: index === 0 ? name : apart(name, nodes[0]!), nodes };
        variants[kind].push(variant);
        if (index > 0) for (const node of nodes) renamed.set(node, variant.name);
      });
    });

  /** `blog@docker` of the publisher berlin beside another one: `blog~berlin@docker`. No name of a publisher has a tilde. */
  function apart(name: string, node: Node): string {
    const base = `${baseName(name)}~${publications[node.publisher]!.publisher}`;
    for (let suffix = '~'; ; suffix += '~') {
      const candidate = `${base}${suffix.slice(1)}@${providerOf(name)}`;
      if (!holders[node.kind].has(candidate)) return candidate;
    }
  }

  return { variants: (kind) => variants[kind], nameOf: (node) => renamed.get(node) ?? node.name, problems: () => problems };
}

const byKind = <T>(make: () => T): Record<ObjectKind, T> => ({
  routers: make(),
  services: make(),
  middlewares: make(),
  serversTransports: make(),
});

const NONE: readonly Node[] = [];

const draft = (kind: ObjectKind, name: string, publisher: number, object: CheckedObject): Draft => ({
  kind,
  name,
  publisher,
  object,
  targets: NONE,
  identity: 0,
  isOwn: true,
  away: object.away,
  awayLocal: object.awayLocal,
  state: 'new',
  error: undefined,
});

/** The one object of a name, as of most names, or those of all publishers. */
type Held = Draft | Draft[];

const listOf = (held: Held | undefined): readonly Draft[] => (held === undefined ? [] : Array.isArray(held) ? held : [held]);

/** Of several shards of a publisher with an object of the name the last counts. */
function holdersOf(publications: readonly CompileInput[]): { readonly [K in ObjectKind]: Map<string, Held> } {
  const holders = byKind(() => new Map<string, Held>());
  publications.forEach(({ shards }, publisher) => {
    for (const shard of shards)
      for (const kind of OBJECT_KINDS)
        checkShard(shard)[kind].forEach((object, name) => {
          hold(holders[kind], name, draft(kind, name, publisher, object));
        });
  });
  return holders;
}

function hold(holders: Map<string, Held>, name: string, node: Draft): void {
  const before = holders.get(name);
  if (before === undefined || (!Array.isArray(before) && before.publisher === node.publisher)) holders.set(name, node);
  else if (!Array.isArray(before)) holders.set(name, [before, node]);
  else if (before.at(-1)!.publisher === node.publisher) before[before.length - 1] = node;
  else before.push(node);
}

/** Nodes that are the same, in the order of their first publishers. */
function groupsOf(nodes: readonly Node[]): (readonly Node[])[] {
  const groups = new Map<number, Node[]>();
  for (const node of nodes) {
    const group = groups.get(node.identity);
    if (group === undefined) groups.set(node.identity, [node]);
    else group.push(node);
  }
  return [...groups.values()];
}

const singular = (kind: ObjectKind): string => kind.slice(0, -1);
