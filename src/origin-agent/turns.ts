/** Something that may be chosen. */
export interface Turn<T> {
  readonly item: T;
  readonly weight: number;
  readonly isDown?: (() => boolean) | undefined;
}

/**
 * Weighted round robin as Traefik has it for TCP and UDP: heavy ones come in runs. Those that are down are passed over. Undefined when
 * nothing that is up has weight.
 */
export function createTurns<T>(items: readonly Turn<T>[]): () => T | undefined {
  const able = items.filter(({ weight }) => weight > 0);
  const max = Math.max(0, ...able.map(({ weight }) => weight));
  const step = able.reduce((divisor, { weight }) => gcd(divisor, weight), 0);
  let index = -1;
  let bar = 0;
  return () => {
    if (able.every(({ isDown }) => isDown?.())) return undefined;
    for (;;) {
      index = (index + 1) % able.length;
      if (index === 0) {
        bar -= step;
        if (bar <= 0) bar = max;
      }
      const { item, weight, isDown } = able[index]!;
      if (weight >= bar && !isDown?.()) return item;
    }
  };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
