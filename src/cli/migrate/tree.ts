import type { Edit } from '../../config/static/removed.ts';
import { isTree, type Tree } from '../../config/static/tree.ts';

/** Applies an edit in place; sections that lost their last option go with it. */
export function applyToTree(root: Tree, edit: Edit): Tree {
  const path = 'set' in edit ? edit.set : edit.remove;
  const parents: Tree[] = [root];
  for (const name of path.slice(0, -1)) {
    const parent = parents.at(-1)!;
    if (!isTree(parent[name])) {
      if ('remove' in edit) return root;
      parent[name] = {};
    }
    parents.push(parent[name] as Tree);
  }
  const last = path.at(-1)!;
  if ('set' in edit) {
    parents.at(-1)![last] = edit.value;
    return root;
  }
  delete parents.at(-1)![last];
  for (let depth = parents.length - 1; depth > 0 && Object.keys(parents[depth]!).length === 0; depth--)
    delete parents[depth - 1]![path[depth - 1]!];
  return root;
}
