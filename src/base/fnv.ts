/**
 * 64-bit Fowler–Noll–Vo hash of a text's UTF-8 bytes, as two unsigned 32-bit words. `1a` mixes before it multiplies, `1` after.
 * Source: draft-eastlake-fnv; the prime is 2⁴⁰ + 0x1b3.
 */
export function fnv64(text: string, variant: '1' | '1a'): { high: number; low: number } {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of new TextEncoder().encode(text)) {
    if (variant === '1a') low = (low ^ byte) >>> 0;
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
    if (variant === '1') low = (low ^ byte) >>> 0;
  }
  return { high, low };
}

/** Go's `%x` of the hash: no leading zeros. */
export function fnv64Hex(text: string): string {
  const { high, low } = fnv64(text, '1');
  return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
}
