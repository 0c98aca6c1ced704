import type { Cells, RowCell } from '../base/cells.ts';

/** Something that may be chosen. */
export interface Turn<T> {
  readonly item: T;
  readonly weight: number;
  readonly isDown?: (() => boolean) | undefined;
}

/** Where the turns stand: index of the last choice plus one, and the weight that it takes to be chosen in this round. */
const LAST = 0;
const BAR = 1;
/** Services of TCP and UDP together; those longest unused begin anew. */
const MAX_SERVICES = 16_384;

export const turnsOf = (cells: Cells, service: string): RowCell =>
  cells.table('turns', { capacity: MAX_SERVICES, columns: 2 }).row(service);

/**
 * Weighted round robin as Traefik has it for TCP and UDP: heavy ones come in runs. Those that are down are passed over. Undefined when
 * nothing that is up has weight. All threads take turns at one `position`, which a reload keeps.
 */
export function createTurns<T>(items: readonly Turn<T>[], position: RowCell): () => T | undefined {
  const able = items.filter(({ weight }) => weight > 0);
  const max = Math.max(0, ...able.map(({ weight }) => weight));
  const step = able.reduce((divisor, { weight }) => gcd(divisor, weight), 0);
  return () => {
    const up = able.map(({ isDown }) => !isDown?.());
    if (!up.includes(true)) return undefined;
    return position.update((numbers) => {
      let index = Math.min(numbers[LAST]!, able.length) - 1;
      let bar = Math.min(numbers[BAR]!, max);
      do {
        index = (index + 1) % able.length;
        if (index === 0) {
          bar -= step;
          if (bar <= 0) bar = max;
        }
      } while (able[index]!.weight < bar || !up[index]);
      numbers[LAST] = index + 1;
      numbers[BAR] = bar;
      return able[index]!.item;
    });
  };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
