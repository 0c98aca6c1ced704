import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { baseName, providerOf } from '../../config/names.ts';

/** Options that name other objects, by the kind they mean. */
const REFERENCES: Readonly<Record<string, string>> = {
  service: 'services',
  fallback: 'services',
  name: 'services',
  middlewares: 'middlewares',
  serversTransport: 'serversTransports',
  parentRefs: 'routers',
  options: 'options',
};

type Kinds = Record<string, Record<string, Readonly<Record<string, unknown>> | readonly unknown[]>>;

/**
 * The configuration in which `blog@file` became `blog`, where the suffix is one of ours and `isThere` knows the object: in one
 * place all are of one provider. Objects without such a name are the same references.
 */
export function localize(
  configuration: DynamicConfiguration,
  suffixes: ReadonlySet<string>,
  isThere: (section: string, kind: string, name: string) => boolean,
): DynamicConfiguration {
  const result: Kinds = {};
  for (const [section, kinds] of Object.entries(configuration as Kinds)) {
    const shorten = (kind: string, text: string): string => {
      if (!text.includes('@') || !suffixes.has(providerOf(text))) return text;
      const name = baseName(text);
      return isThere(kind === 'options' ? 'tls' : section, kind, name) ? name : text;
    };
    result[section] = {};
    for (const [kind, objects] of Object.entries(kinds ?? {})) {
      result[section][kind] =
        Array.isArray(objects) || section === 'tls' ? objects : renameAll(objects as Readonly<Record<string, unknown>>, shorten);
    }
  }
  return result as DynamicConfiguration;
}

function renameAll(objects: Readonly<Record<string, unknown>>, shorten: Shorten): Readonly<Record<string, unknown>> {
  let changed: Record<string, unknown> | undefined;
  for (const name of Object.keys(objects)) {
    const object = objects[name] as object;
    if (isLocal(object)) continue;
    const renamed = rename(object, shorten);
    if (renamed !== object) (changed ??= { ...objects })[name] = renamed;
  }
  return changed ?? objects;
}

/** Objects that name nothing of another provider, whatever providers there are: most of ten thousand do not change from look to look. */
const local = new WeakSet<object>();

function isLocal(object: object): boolean {
  if (local.has(object)) return true;
  let isForeign = false;
  rename(object, (_, text) => {
    isForeign ||= text.includes('@');
    return text;
  });
  if (!isForeign) local.add(object);
  return !isForeign;
}

type Shorten = (kind: string, text: string) => string;

function rename(value: unknown, shorten: Shorten): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return unlessSame(value, (item) => rename(item, shorten));
  let changed: Record<string, unknown> | undefined;
  for (const [name, item] of Object.entries(value)) {
    const kind = Object.hasOwn(REFERENCES, name) ? REFERENCES[name] : undefined;
    const renamed =
      kind !== undefined && typeof item === 'string'
        ? shorten(kind, item)
        : kind !== undefined && Array.isArray(item)
          ? unlessSame(item, (entry) => (typeof entry === 'string' ? shorten(kind, entry) : rename(entry, shorten)))
          : rename(item, shorten);
    if (renamed !== item) (changed ??= { ...value })[name] = renamed;
  }
  return changed ?? value;
}

function unlessSame(items: readonly unknown[], change: (item: unknown) => unknown): readonly unknown[] {
  const changed = items.map(change);
  return changed.some((item, index) => item !== items[index]) ? changed : items;
}
