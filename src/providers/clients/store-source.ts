import type { StoreKind, StoreOptions } from './open-store.ts';

/** Servers and place of the keys: what tells a store from others. Credentials may change without it being another one. */
export function storeSource<Kind extends StoreKind>(
  kind: Kind,
  options: StoreOptions[Kind] & { readonly rootKey: string },
): Readonly<Record<string, unknown>> {
  const { endpoints, db, sentinel, namespace } = options as Partial<StoreOptions['redis'] & StoreOptions['consul']>;
  const rootKey = options.rootKey.replace(/^\/+|\/+$/g, '');
  return { kind, endpoints, db, masterName: sentinel?.masterName, namespace, rootKey };
}
