import { scalarText } from '../../base/decode.ts';
import { type Edit, findRemoved } from '../static/removed.ts';
import { isTree, keyOf, type Tree } from '../static/tree.ts';
import { findRemovedDynamic } from './options.ts';
import { migrateRule } from './rule.ts';

export interface Migration {
  readonly edits: readonly Edit[];
  /** What was changed, or is left to a person, and why. */
  readonly notes: readonly Note[];
}

export interface Note {
  readonly object: string;
  readonly message: string;
  /** A person must look at it. */
  readonly byHand: boolean;
}

/** What a static or dynamic file of version 2 needs for version 3. Paths have the letters of the file. */
export function migrateDocument(tree: Tree): Migration {
  const edits: Edit[] = [];
  const notes: Note[] = [];
  for (const { rewriting, path, edits: own } of [...findRemoved(tree), ...findRemovedDynamic(tree)]) {
    edits.push(...own.map((edit) => ('set' in edit ? { ...edit, set: spelled(tree, edit.set) } : edit)));
    notes.push({
      object: path.join('.'),
      message: `${own.length > 1 ? 'rewritten' : 'removed'}: ${rewriting.reason}`,
      byHand: rewriting.byHand === true,
    });
  }
  for (const protocol of ['http', 'tcp'] as const) migrateRouters(tree, protocol, edits, notes);
  return { edits, notes };
}

function migrateRouters(tree: Tree, protocol: 'http' | 'tcp', edits: Edit[], notes: Note[]): void {
  const path = spelled(tree, [protocol, 'routers']);
  const routers = path.reduce<unknown>((value, name) => (isTree(value) ? value[name] : undefined), tree);
  if (!isTree(routers)) return;
  for (const [name, router] of Object.entries(routers)) {
    if (!isTree(router)) continue;
    const ruleKey = keyOf(router, 'rule');
    const syntaxKey = keyOf(router, 'ruleSyntax');
    const syntax = syntaxKey === undefined ? undefined : scalarText(router[syntaxKey]);
    const rule = ruleKey === undefined ? undefined : scalarText(router[ruleKey]);
    if (rule === undefined || syntax === 'v3') continue;
    const migrated = migrateRule(rule, protocol);
    const object = [protocol, 'routers', name].join('.');
    if (migrated.note !== undefined) notes.push({ object, message: `the rule ${migrated.note}`, byHand: true });
    if (migrated.rule !== rule) edits.push({ set: [...path, name, ruleKey!], value: migrated.rule });
    if (syntaxKey !== undefined && migrated.note === undefined) edits.push({ remove: [...path, name, syntaxKey] });
  }
}

/** The path in the letters that the tree has, as far as it exists. */
function spelled(tree: Tree, path: readonly string[]): string[] {
  let value: unknown = tree;
  return path.map((name) => {
    const key = isTree(value) ? (keyOf(value, name) ?? name) : name;
    value = isTree(value) ? value[key] : undefined;
    return key;
  });
}
