/**
 * A sealed value: the text that stands in publications and KV where the configuration has a secret. What follows the prefix is
 * a compact JWE (`dir`, `A256GCM`) whose plaintext is the canonical JSON of the value, text or list or object.
 */
export const SEALED_PREFIX = 'sealed:';

export const isSealed = (value: unknown): value is string => typeof value === 'string' && value.startsWith(SEALED_PREFIX);

/** The same value with every sealed text in it replaced by what `open` makes of its JWE; parts without one are kept as they are. */
export async function openSealed<T>(value: T, open: (jwe: string) => Promise<unknown>): Promise<T> {
  if (isSealed(value)) return (await open(value.slice(SEALED_PREFIX.length))) as T;
  if (typeof value !== 'object' || value === null || !containsSealed(value)) return value;
  if (Array.isArray(value)) return (await Promise.all(value.map((item) => openSealed(item, open)))) as T;
  const entries = await Promise.all(Object.entries(value).map(async ([key, item]) => [key, await openSealed(item, open)] as const));
  return Object.fromEntries(entries) as T;
}

export function containsSealed(value: unknown): boolean {
  if (isSealed(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(containsSealed);
}
