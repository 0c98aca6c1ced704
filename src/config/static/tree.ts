import { OWN_TEXT } from '../../base/decode.ts';
import type { Schema } from '../../base/schema.ts';

/** What a document, flags or variables say, before any schema judged it: objects, lists, scalars; null says nothing. */
export type Tree = Record<string, unknown> & { [OWN_TEXT]?: string };

export const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The key of `tree` that is `name` in any letter case. */
export function keyOf(tree: Tree, name: string): string | undefined {
  const lower = name.toLowerCase();
  return Object.keys(tree).find((key) => key.toLowerCase() === lower);
}

/** What stands at a path, names in any letter case; undefined where there is nothing. */
export function at(tree: unknown, path: readonly string[]): unknown {
  let value = tree;
  for (const name of path) {
    if (!isTree(value)) return undefined;
    const key = keyOf(value, name);
    value = key === undefined ? undefined : value[key];
  }
  return value ?? undefined;
}

/** The schema at a path of names as flags write them (`http.tls.domains[0].main`, already split). */
export function schemaAt(schema: Schema, path: readonly string[]): Schema | undefined {
  let current: Schema | undefined = schema;
  for (const part of path) {
    const [name, index] = splitIndex(part);
    if (current?.kind === 'object') {
      const lower = name.toLowerCase();
      const field: [string, Schema] | undefined = Object.entries(current.fields ?? {}).find(([key]) => key.toLowerCase() === lower);
      current = field?.[1];
    } else if (current?.kind === 'map' || current?.kind === 'list') {
      current = current.items;
    } else {
      return undefined;
    }
    if (index !== undefined && current?.kind === 'list') current = current.items;
  }
  return current;
}

/** `domains[0]` is the name `domains` and the index `0`. */
export function splitIndex(part: string): [name: string, index: string | undefined] {
  const bracket = part.indexOf('[');
  return bracket > 0 && part.endsWith(']') ? [part.slice(0, bracket), part.slice(bracket + 1, -1)] : [part, undefined];
}

interface Node {
  text?: string;
  readonly children: Map<string, Node>;
}

/** The tree of dotted (flags) or already split (variables) names; the schema tells lists from objects. */
export function treeOf(pairs: Iterable<readonly [path: readonly string[], text: string]>, schema: Schema): Tree {
  const root: Node = { children: new Map() };
  const spellings = new Map<Node, Map<string, string>>();
  for (const [path, text] of pairs) {
    let node = root;
    for (const part of path.flatMap((name) => splitIndex(name).filter((piece) => piece !== undefined))) {
      let known = spellings.get(node);
      if (known === undefined) spellings.set(node, (known = new Map()));
      // Names of one object may differ in letter case; the first spelling stays.
      const name = known.get(part.toLowerCase()) ?? part;
      known.set(part.toLowerCase(), name);
      let child = node.children.get(name);
      if (child === undefined) node.children.set(name, (child = { children: new Map() }));
      node = child;
    }
    node.text = text;
  }
  return toInput(root, schema) as Tree;
}

function toInput(node: Node, schema: Schema | undefined): unknown {
  if (node.children.size === 0) return node.text ?? {};
  const names = [...node.children.keys()];
  if (schema?.kind === 'list' && names.every((name) => /^\d+$/.test(name))) {
    return names.sort((a, b) => Number(a) - Number(b)).map((name) => toInput(node.children.get(name)!, schema.items));
  }
  const tree: Tree = Object.create(null);
  for (const [name, child] of node.children) tree[name] = toInput(child, schema === undefined ? undefined : schemaAt(schema, [name]));
  if (node.text !== undefined) tree[OWN_TEXT] = node.text;
  return tree;
}

/** `over` laid upon `under`, object by object; lists and scalars are replaced. */
export function overlay(under: unknown, over: unknown): unknown {
  if (over === undefined || over === null) return under;
  if (!isTree(under) || !isTree(over)) return over;
  const result: Tree = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const key = keyOf(result, name) ?? name;
    result[key] = overlay(result[key], value);
  }
  if (over[OWN_TEXT] !== undefined) result[OWN_TEXT] = over[OWN_TEXT];
  return result;
}
