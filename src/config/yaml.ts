import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  type YAMLMap,
  type Document as YamlDocument,
} from 'yaml';
import { ConfigError } from '../base/errors.ts';
import type { Document } from './document.ts';
import type { TreePath } from './load.ts';
import { type PlainYaml, parsePlainYaml } from './yaml-plain.ts';
import { resolvePlain } from './yaml-scalar.ts';

/** Deeper documents are refused: every level costs a call. */
const MAX_DEPTH = 100;
/** Nodes that aliases may make beyond those that are written (YAML bombs). */
const MAX_ALIASED = 100_000;

type Tree = Record<string, unknown>;

/** Reads the first document of a text as go-yaml v3 does. JSON is YAML too. Throws ConfigError with the line. */
export function parseYaml(text: string, source: string): Document {
  const plain = parsePlainYaml(text);
  if (plain === undefined) return parseFullYaml(text, source);
  return { tree: plain.tree, source, lineOf: plainLines(plain) };
}

/** Finds the line of a node, or of the nearest node above it. */
function plainLines({ tree, linesOf }: PlainYaml): (path: TreePath) => number | undefined {
  const indexes = new WeakMap<object, Map<string, number>>();
  function indexOf(container: object, name: string): number | undefined {
    let byName = indexes.get(container);
    if (byName === undefined) indexes.set(container, (byName = new Map(Object.keys(container).map((key, index) => [key, index]))));
    return byName.get(name);
  }
  return (path) => {
    let line: number | undefined;
    let container: unknown = tree;
    for (const key of path) {
      if (typeof container !== 'object' || container === null) break;
      const index = typeof key === 'number' ? key : indexOf(container, key);
      line = (index === undefined ? undefined : linesOf(container)?.[index]) ?? line;
      container = (container as Tree)[key];
    }
    return line;
  };
}

/** The complete parser. */
export function parseFullYaml(text: string, source: string): Document {
  const counter = new LineCounter();
  const first = compose(text, source, counter);
  const reader = createReader(source, counter);
  const tree = first?.contents === null || first === undefined ? {} : reader.read(first.contents as Node);
  if (tree === null) return { tree: {}, source, lineOf: () => undefined };
  if (typeof tree !== 'object' || Array.isArray(tree))
    throw new ConfigError('config.syntax', 'The file has no names at its top; write http:, tcp:, udp: or tls:', { source, line: 1 });
  return { tree: tree as Tree, source, lineOf: (path) => reader.lineOf(tree as Tree, path) };
}

function compose(text: string, source: string, counter: LineCounter): YamlDocument.Parsed | undefined {
  const parser = new Parser(counter.addNewLine);
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, merge: false, prettyErrors: false, logLevel: 'silent' });
  try {
    let first: YamlDocument.Parsed | undefined;
    for (const token of parser.parse(text)) {
      for (const document of composer.next(token)) {
        first = document;
        break;
      }
      if (first !== undefined) break;
    }
    if (first === undefined) for (const document of composer.end()) first ??= document;
    const error = first?.errors[0];
    if (error !== undefined) {
      const { line } = counter.linePos(error.pos[0]);
      throw new ConfigError('config.syntax', `The file is not valid YAML: ${error.message}`, { source, line });
    }
    return first;
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError('config.limit', 'The file is nested too deeply', { source });
    throw error;
  }
}

function createReader(source: string, counter: LineCounter) {
  const anchors = new Map<string, Node>();
  const open = new Set<Node>();
  const nodeOf = new WeakMap<object, YAMLMap | { readonly items: readonly Node[] }>();
  let aliased = 0;
  let insideAlias = 0;

  const lineAt = (node: Node | null | undefined): number | undefined => (node?.range ? counter.linePos(node.range[0]).line : undefined);
  const refuse = (message: string, node: Node, code: 'config.syntax' | 'config.limit' = 'config.syntax'): ConfigError =>
    new ConfigError(code, message, { source, line: lineAt(node) });

  function read(node: Node | null, depth = 0): unknown {
    if (node === null) return null;
    if (depth > MAX_DEPTH) throw refuse(`The file is nested more than ${MAX_DEPTH} levels deep`, node, 'config.limit');
    if (insideAlias > 0 && ++aliased > MAX_ALIASED)
      throw refuse(`The aliases stand for more than ${MAX_ALIASED} nodes`, node, 'config.limit');
    if (isAlias(node)) {
      const target = targetOf(node);
      insideAlias++;
      const value = read(target, depth);
      insideAlias--;
      return value;
    }
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, node);
    if (isScalar(node)) return scalarValue(node);
    open.add(node);
    const value = isMap(node) ? readMap(node, depth) : readList(node as unknown as { items: Node[] }, depth);
    open.delete(node);
    return value;
  }

  function targetOf(node: Node): Node {
    const name = (node as unknown as { source: string }).source;
    const target = anchors.get(name);
    if (target === undefined) throw refuse(`No anchor '&${name}' stands before this alias`, node);
    if (open.has(target)) throw refuse(`The anchor '&${name}' holds an alias to itself`, node);
    return target;
  }

  function readList(node: { items: Node[] }, depth: number): unknown[] {
    const list = node.items.map((item) => read(item, depth + 1));
    nodeOf.set(list, node);
    return list;
  }

  function readMap(node: YAMLMap, depth: number): Tree {
    const tree: Tree = Object.create(null);
    const own = new Set<string>();
    const merged: unknown[] = [];
    nodeOf.set(tree, node);
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      const name = keyText(key, depth);
      if (name === '<<' && isScalar(key) && key.type === 'PLAIN') {
        const source = read(value, depth + 1);
        merged.push(...(Array.isArray(source) ? source : [source]).map((item) => mergeSource(item, key)));
        continue;
      }
      if (own.has(name)) throw refuse(`The name '${name}' is written twice`, key);
      own.add(name);
      tree[name] = read(value, depth + 1);
    }
    for (const source of merged) for (const [name, value] of Object.entries(source as Tree)) if (!(name in tree)) tree[name] = value;
    return tree;
  }

  function mergeSource(value: unknown, key: Node): unknown {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    throw refuse('What stands behind << must be an object or a list of objects', key);
  }

  /** Names that are no text (1, true) keep the spelling in which they were written. */
  function keyText(key: Node | null, depth: number): string {
    const node = key !== null && isAlias(key) ? targetOf(key) : key;
    if (node !== null && isScalar(node)) {
      if (node === key) read(node, depth + 1);
      return String(node.source ?? node.value ?? '');
    }
    throw refuse('A name must be a text', node ?? (key as Node));
  }

  const offsets = new WeakMap<object, Map<string, Node>>();
  function childNode(container: object, key: string | number): Node | undefined {
    const node = nodeOf.get(container);
    if (node === undefined) return undefined;
    if (typeof key === 'number') return node.items[key] as Node | undefined;
    let names = offsets.get(container);
    if (names === undefined) {
      names = new Map();
      for (const pair of node.items as Pair<Node, Node>[]) names.set(isScalar(pair.key) ? String(pair.key.source ?? '') : '', pair.key);
      offsets.set(container, names);
    }
    return names.get(key);
  }

  function lineOf(tree: Tree, path: readonly (string | number)[]): number | undefined {
    let line: number | undefined;
    let container: unknown = tree;
    for (const key of path) {
      if (typeof container !== 'object' || container === null) break;
      line = lineAt(childNode(container, key)) ?? line;
      container = (container as Tree)[key];
    }
    return line;
  }

  return { read, lineOf };
}

function scalarValue(node: Scalar): unknown {
  const text = String(node.source ?? node.value ?? '');
  const tag = node.tag?.replace('tag:yaml.org,2002:', '!!');
  if (tag === '!!binary') return new TextDecoder().decode(Uint8Array.from(atob(text.replace(/\s/g, '')), (char) => char.charCodeAt(0)));
  if (tag === '!!str' || (node.type !== 'PLAIN' && tag === undefined)) return text;
  return resolvePlain(text);
}
