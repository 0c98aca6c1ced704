import { canonicalJson } from '../config/snapshot.ts';
import { OBJECT_KINDS } from '../proxy/changes.ts';
import type { ProxyChanges } from '../proxy/proxy.ts';

/** Changes as lines of text, one object a line, so that a data thread can read them in slices between requests. */
export function* changeLines(changes: ProxyChanges): Generator<string> {
  for (const kind of OBJECT_KINDS) {
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
