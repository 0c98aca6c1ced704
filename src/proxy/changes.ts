import { canonicalJson, type ProxyConfiguration } from '../config/snapshot.ts';
import type { ProxyChanges } from './proxy.ts';

export const OBJECT_KINDS = ['routers', 'services', 'middlewares', 'serversTransports'] as const;

/** What differs between two configurations. Objects that are the same reference are not looked at. */
export function diffConfigurations(before: ProxyConfiguration, after: ProxyConfiguration): ProxyChanges {
  const changes: { -readonly [K in keyof ProxyChanges]: Record<string, unknown> } = {};
  for (const kind of OBJECT_KINDS) {
    const olds: Readonly<Record<string, object>> = before[kind];
    const news: Readonly<Record<string, object>> = after[kind];
    for (const name in news) {
      const object = news[name]!;
      const old = Object.hasOwn(olds, name) ? olds[name] : undefined;
      if (old === object || (old !== undefined && canonicalJson(old) === canonicalJson(object))) continue;
      (changes[kind] ??= {})[name] = object;
    }
    for (const name in olds) if (!Object.hasOwn(news, name)) (changes[kind] ??= {})[name] = null;
  }
  return changes as ProxyChanges;
}

export const isEmpty = (changes: ProxyChanges): boolean => OBJECT_KINDS.every((kind) => changes[kind] === undefined);
