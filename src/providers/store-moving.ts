import type { Pair } from '../config/keys.ts';

export interface Standing {
  readonly pairs: readonly Pair[];
  /** Some object was changed between the two looks, and stays as it was before. */
  readonly isMoving: boolean;
}

/**
 * Of a store that does not come to rest: objects that two looks found the same are taken from the second, those in the middle of
 * a change stay as they were applied.
 */
export function takeStanding(root: string, applied: readonly Pair[], earlier: readonly Pair[], later: readonly Pair[]): Standing {
  const [before, first, second] = [applied, earlier, later].map((pairs) => byObject(root, pairs)) as [Objects, Objects, Objects];
  const pairs: Pair[] = [];
  let isMoving = false;
  for (const object of new Set([...before.keys(), ...first.keys(), ...second.keys()])) {
    const stands = isSame(first.get(object), second.get(object));
    if (!stands) isMoving = true;
    pairs.push(...((stands ? second : before).get(object) ?? []));
  }
  return { pairs, isMoving };
}

type Objects = Map<string, Pair[]>;

/** By `http/routers/blog`; the certificates are one object. */
function byObject(root: string, pairs: readonly Pair[]): Objects {
  const objects: Objects = new Map();
  for (const pair of pairs) {
    const parts = pair[0]
      .slice(root.length + 1)
      .toLowerCase()
      .split('/', 4)
      .slice(0, 3);
    const name = (parts[0] === 'tls' && parts[1] === 'certificates' ? parts.slice(0, 2) : parts).join('/');
    const own = objects.get(name);
    if (own === undefined) objects.set(name, [pair]);
    else own.push(pair);
  }
  return objects;
}

function isSame(a: readonly Pair[] = [], b: readonly Pair[] = []): boolean {
  if (a.length !== b.length) return false;
  const values = new Map(a);
  return b.every(([key, value]) => values.get(key) === value);
}
