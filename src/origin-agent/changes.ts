import { canonicalJson, type ProxyConfiguration } from '../config/snapshot.ts';
import type { ProxyChanges } from '../proxy/proxy.ts';

const KINDS = ['routers', 'services', 'middlewares', 'serversTransports'] as const;

/** What differs between two configurations. Objects that are the same reference are not looked at. */
export function diffConfigurations(before: ProxyConfiguration, after: ProxyConfiguration): ProxyChanges {
  const changes: { -readonly [K in keyof ProxyChanges]: Record<string, unknown> } = {};
  for (const kind of KINDS) {
    for (const [name, object] of Object.entries(after[kind])) {
      const old = Object.hasOwn(before[kind], name) ? before[kind][name] : undefined;
      if (old === object || (old !== undefined && canonicalJson(old) === canonicalJson(object))) continue;
      (changes[kind] ??= {})[name] = object;
    }
    for (const name of Object.keys(before[kind])) if (!Object.hasOwn(after[kind], name)) (changes[kind] ??= {})[name] = null;
  }
  return changes as ProxyChanges;
}

export const isEmpty = (changes: ProxyChanges): boolean => KINDS.every((kind) => changes[kind] === undefined);

/** Changes as lines of text, one object a line, so that a data thread can read them in slices between requests. */
export function* changeLines(changes: ProxyChanges): Generator<string> {
  for (const kind of KINDS) {
    for (const [name, object] of Object.entries(changes[kind] ?? {})) yield `${JSON.stringify([kind, name])}\n${canonicalJson(object)}`;
  }
}

/** One line back into an object. Priorities beyond 2⁵³ travel as text. */
export function readChangeLine(line: string, into: Record<string, Record<string, unknown>>): void {
  const end = line.indexOf('\n');
  const [kind, name] = JSON.parse(line.slice(0, end)) as [string, string];
  const object = JSON.parse(line.slice(end + 1)) as { priority?: unknown } | null;
  if (kind === 'routers' && typeof object?.priority === 'string') object.priority = BigInt(object.priority);
  (into[kind] ??= {})[name] = object;
}
