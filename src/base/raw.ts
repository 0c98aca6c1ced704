import { isTree, textOf } from './scalars.ts';

/**
 * Options that no schema describes (plugins), as Traefik's reader leaves them: every scalar a text, lists of one kind of scalar
 * as they are in documents, `[n]` children of flat trees as lists.
 */
export function readRaw(input: unknown): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  if (isTree(input))
    for (const [key, entry] of Object.entries(input)) if (entry !== null && entry !== undefined) result[key] = rawValue(entry);
  return result;
}

function rawValue(input: unknown): unknown {
  if (Array.isArray(input)) return rawList(input);
  if (!isTree(input)) return textOf(input);
  const entries = Object.entries(input).filter(([, entry]) => entry !== null && entry !== undefined);
  if (entries.length === 0) return textOf(input);
  if (/^\[.*\]$/.test(entries[0]![0])) return entries.map(([, entry]) => rawValue(entry));
  return Object.fromEntries(entries.map(([key, entry]) => [key, rawValue(entry)]));
}

function rawList(input: unknown[]): unknown {
  const entries = input.filter((entry) => entry !== null && entry !== undefined);
  if (entries.length === 0) return '';
  if (entries.some(isTree)) return entries.filter(isTree).map((entry) => rawValue(entry));
  const kinds = new Set(entries.map((entry) => (typeof entry === 'bigint' ? 'number' : typeof entry)));
  return kinds.size === 1 ? entries.map((entry) => (Array.isArray(entry) ? rawList(entry) : entry)) : entries.map((entry) => textOf(entry));
}
