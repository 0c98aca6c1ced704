import { OWN_TEXT } from '../base/decode.ts';

/** Deeper keys are refused: nothing in the language is so deep, and every level costs a call. */
export const MAX_DEPTH = 100;

/** A flat key cut into its parts, root not among them. */
export interface FlatEntry {
  readonly parts: readonly string[];
  readonly text: string;
  /** The label or key as it was written. */
  readonly source: string;
}

interface Node {
  readonly name: string;
  text: string | undefined;
  /** By lower-case name. */
  children: Map<string, Node> | undefined;
}

/**
 * The tree of flat keys, in their order. Names that differ in case only are one, spelled as first seen; the last text wins. A
 * leaf is its text, an inner node an object, with its own text under OWN_TEXT.
 */
export function treeOf(entries: Iterable<FlatEntry>): Record<string, unknown> {
  const root: Node = { name: '', text: undefined, children: undefined };
  for (const { parts, text } of entries) {
    let node = root;
    for (const part of parts) node = childOf(node, part);
    node.text = text;
  }
  return plain(root) as Record<string, unknown>;
}

function childOf(node: Node, name: string): Node {
  node.children ??= new Map();
  const key = name.toLowerCase();
  let child = node.children.get(key);
  if (child === undefined) node.children.set(key, (child = { name, text: undefined, children: undefined }));
  return child;
}

function plain(node: Node): unknown {
  if (node.children === undefined && node.name !== '') return node.text ?? '';
  const tree: Record<string | symbol, unknown> = Object.create(null);
  for (const child of node.children?.values() ?? []) tree[child.name] = plain(child);
  if (node.text !== undefined) tree[OWN_TEXT] = node.text;
  return tree;
}

/** Finds the first key that leads to or through a path of the tree. */
export function sourceFinder(entries: readonly FlatEntry[]): (path: readonly (string | number)[]) => string | undefined {
  let byPrefix: Map<string, string> | undefined;
  return (path) => {
    if (byPrefix === undefined) {
      byPrefix = new Map();
      for (const { parts, source } of entries) {
        let prefix = '';
        for (const part of parts) {
          prefix += `\0${part.toLowerCase()}`;
          if (!byPrefix.has(prefix)) byPrefix.set(prefix, source);
        }
      }
    }
    for (let length = path.length; length > 0; length--) {
      const found = byPrefix.get(path.slice(0, length).reduce<string>((text, key) => `${text}\0${String(key).toLowerCase()}`, ''));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}
