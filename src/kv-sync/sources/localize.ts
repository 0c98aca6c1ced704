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
        Array.isArray(objects) || section === 'tls'
          ? objects
          : Object.fromEntries(Object.entries(objects).map(([name, object]) => [name, rename(object, shorten)]));
    }
  }
  return result as DynamicConfiguration;
}

function rename(value: unknown, shorten: (kind: string, text: string) => string): unknown {
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
