/** Weighted round robin as Traefik has it for TCP and UDP: heavy ones come in runs. Undefined when nothing has weight. */
export function createTurns<T>(items: readonly { readonly item: T; readonly weight: number }[]): () => T | undefined {
  const able = items.filter(({ weight }) => weight > 0);
  const max = Math.max(0, ...able.map(({ weight }) => weight));
  const step = able.reduce((divisor, { weight }) => gcd(divisor, weight), 0);
  let index = -1;
  let bar = 0;
  return () => {
    if (able.length === 0) return undefined;
    for (;;) {
      index = (index + 1) % able.length;
      if (index === 0) {
        bar -= step;
        if (bar <= 0) bar = max;
      }
      const { item, weight } = able[index]!;
      if (weight >= bar) return item;
    }
  };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
