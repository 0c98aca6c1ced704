import { ConfigError } from '../../base/errors.ts';
import type { Schema } from '../../base/schema.ts';
import type { Pair } from '../keys.ts';
import { type Tree, treeOf } from './tree.ts';

/** The static options that stand in a store: `edgeway/static/entryPoints/web/address`. */
export interface StoreKeys {
  /** Of the store, as messages name it. */
  readonly name: string;
  readonly root: string;
  readonly pairs: readonly Pair[];
}

/** Names in any letter case; a list is `a,b` or `name/0`, `name/1`; an object that is only switched on is `true`. */
export function readStoreKeys({ name, root, pairs }: StoreKeys, schema: Schema): { tree: Tree; problems: ConfigError[] } {
  const words = pairs
    .filter(([key]) => key.startsWith(`${root}/`))
    .map(([key, text]) => [key.slice(root.length + 1).split('/'), text] as const)
    // Folder markers say nothing.
    .filter(([path, text]) => path.every((part) => part !== '') && !(text === '' && path.length < 2))
    .sort(([a], [b]) => (a.join('/') < b.join('/') ? -1 : 1));
  if (words.length > 0) return { tree: treeOf(words, schema), problems: [] };
  const message = `has no static configuration below '${root}/'; write, for example, the key '${root}/entryPoints/web/address' with ':80'`;
  return { tree: {}, problems: [new ConfigError('config.missing', message, { source: name })] };
}
